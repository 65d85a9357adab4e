//go:build !unix

package cli

import (
	"os"
	"syscall"
	"time"
)

var endingSignals = []os.Signal{os.Interrupt}

func signalNumber(os.Signal) int { return 2 }

func signalName(s os.Signal) string { return s.String() }

// raise reports that this process cannot be ended by a signal.
func raise(os.Signal) bool { return false }

// cpuTime returns the user and kernel time that this process has used.
func cpuTime() time.Duration {
	self, err := syscall.GetCurrentProcess()
	var created, exited, kernel, user syscall.Filetime
	if err != nil || syscall.GetProcessTimes(self, &created, &exited, &kernel, &user) != nil {
		return 0
	}
	units := func(f syscall.Filetime) time.Duration {
		return time.Duration(int64(f.HighDateTime)<<32|int64(f.LowDateTime)) * 100
	}
	return units(kernel) + units(user)
}
