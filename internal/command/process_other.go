//go:build !linux

package command

import (
	"os"
	"syscall"
)

func ownSession() *syscall.SysProcAttr { return nil }

// terminate kills the command, because there is no process group to signal.
func terminate(p *os.Process) { p.Kill() }
