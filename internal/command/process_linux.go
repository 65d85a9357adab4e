package command

import (
	"os"
	"syscall"
)

// ownSession starts the command in its own session and kills it when its worker dies. The
// kernel does so when the starting thread ends, and threads of a worker live as long as it.
func ownSession() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setsid: true, Pdeathsig: syscall.SIGKILL}
}

// terminate sends SIGTERM to the command's process group.
func terminate(p *os.Process) { syscall.Kill(-p.Pid, syscall.SIGTERM) }
