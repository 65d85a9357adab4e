//go:build unix

package cli

import (
	"os"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// endingSignals ask a job to end. Slurm's --signal can send any, and its manual uses
// SIGUSR1. LSF and Grid Engine warn by SIGUSR2 and SIGXCPU, and the kernel sends
// SIGXCPU at the soft limit of CPU time.
var endingSignals = []os.Signal{syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP, syscall.SIGUSR1, syscall.SIGUSR2, syscall.SIGXCPU}

func signalNumber(s os.Signal) int { return int(s.(syscall.Signal)) }

// signalName returns a name such as SIGINT.
func signalName(s os.Signal) string { return unix.SignalName(s.(syscall.Signal)) }

// raise sends s to this process, if that ends it. Go's runtime drops the others.
func raise(s os.Signal) bool {
	ends := s == syscall.SIGINT || s == syscall.SIGTERM || s == syscall.SIGHUP
	return ends && syscall.Kill(os.Getpid(), s.(syscall.Signal)) == nil
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
