//go:build !linux

package parent

import (
	"errors"
	"os"
	"syscall"
)

func startBound(c Command, attr *os.ProcAttr) (*os.Process, error) {
	if !c.CPUs.Empty() {
		return nil, errors.New("workers can be bound to CPUs on Linux only")
	}
	exe, err := os.Executable()
	if err != nil {
		return nil, err
	}
	return os.StartProcess(exe, argv(c), attr)
}

// procAttr asks for nothing: a worker notices by its streams that the parent is gone.
func procAttr(Command) *syscall.SysProcAttr { return nil }

func awaitExit(*os.Process) {} // Wait waits itself

func residentSet(int) int64 { return 0 }
func oomKills() int64       { return 0 }
