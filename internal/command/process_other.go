//go:build !linux

package command

import (
	"os"
	"syscall"
)

func ownSession() *syscall.SysProcAttr { return nil }

// terminate kills the command: what it has started cannot be asked.
func terminate(p *os.Process) { p.Kill() }
