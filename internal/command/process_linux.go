package command

import (
	"os"
	"sync"
	"syscall"

	"golang.org/x/sys/unix"

	"procpool/internal/proctree"
)

// ownSession has the command die with its worker, whose threads never end before it.
func ownSession() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setsid: true, Pdeathsig: syscall.SIGKILL}
}

// others are processes that are none of a command's.
var others []int

// adopt makes this process, once, the parent of what commands leave behind.
var adopt = sync.OnceFunc(func() {
	others = proctree.Children()
	unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
})

// killLeft ends what a command has left behind.
func killLeft() { proctree.KillChildren(others) }

// terminate asks the command, and what is in its process group, to end.
func terminate(p *os.Process) { syscall.Kill(-p.Pid, syscall.SIGTERM) }
