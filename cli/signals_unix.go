//go:build unix

package cli

import (
	"os"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// endingSignals ask a job to end. Slurm's --signal can send any; SIGUSR1 is
// what its manual uses.
var endingSignals = []os.Signal{syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP, syscall.SIGUSR1}

func signalNumber(s os.Signal) int { return int(s.(syscall.Signal)) }

// signalName returns a name such as SIGINT.
func signalName(s os.Signal) string { return unix.SignalName(s.(syscall.Signal)) }

// raise sends s to this process, if that ends it. Go's runtime drops SIGUSR1.
func raise(s os.Signal) bool {
	return s != syscall.SIGUSR1 && syscall.Kill(os.Getpid(), s.(syscall.Signal)) == nil
}

// cpuTime returns the user and system time that this process has used, without its
// children.
func cpuTime() time.Duration {
	var r syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &r) != nil {
		return 0
	}
	return time.Duration(r.Utime.Nano() + r.Stime.Nano())
}
