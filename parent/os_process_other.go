//go:build !linux

package parent

import (
	"errors"
	"os"
	"syscall"

	"procpool/placement"
)

func self() (string, error) { return programFile() }

func startBound(path string, words []string, cpus placement.CPUSet, attr *os.ProcAttr) (*os.Process, error) {
	if !cpus.Empty() {
		return nil, errors.New("workers can be bound to CPUs on Linux only")
	}
	return os.StartProcess(path, words, attr)
}

// procAttr returns nil: a worker notices by its streams that the parent is gone.
func procAttr(Command) *syscall.SysProcAttr { return nil }

func awaitExit(*os.Process) {} // Process.Wait does the waiting

func residentSet(int) int64 { return 0 }
func oomKills() int64       { return 0 }
