package command

import (
	"os"
	"syscall"
)

// ownSession has the command die with its worker, whose threads never end before it.
func ownSession() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setsid: true, Pdeathsig: syscall.SIGKILL}
}

// terminate asks the command, and what is in its process group, to end.
func terminate(p *os.Process) { syscall.Kill(-p.Pid, syscall.SIGTERM) }
