//go:build unix

package pool

import "syscall"

// cpuSeconds is what this process and those that it has waited for have used:
// unlike wall time, next to the same on a busy machine.
func cpuSeconds() float64 {
	seconds := 0.0
	for _, who := range []int{syscall.RUSAGE_SELF, syscall.RUSAGE_CHILDREN} {
		var u syscall.Rusage
		if syscall.Getrusage(who, &u) == nil {
			seconds += float64(u.Utime.Nano()+u.Stime.Nano()) / 1e9
		}
	}
	return seconds
}
