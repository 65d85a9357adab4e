//go:build !linux

package command

import (
	"os"
	"syscall"
)

func ownSession() *syscall.SysProcAttr { return nil }

func adopt() {}

// killLeft does nothing here: what a command leaves behind cannot be found.
func killLeft() {}

// terminate kills the command: what it has started cannot be asked.
func terminate(p *os.Process) { p.Kill() }
