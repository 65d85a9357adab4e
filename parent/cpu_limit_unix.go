//go:build unix

package parent

import "syscall"

// rlimitCPU is RLIMIT_CPU, which package syscall does not name on Linux.
const rlimitCPU = 0

// limitReached returns the limit of CPU time in seconds if the system ended a process
// with this status for it, else 0. A worker inherits the limit of this process.
func limitReached(s ExitStatus) int64 {
	var r syscall.Rlimit
	if s.Signal != syscall.SIGKILL.String() && s.Signal != syscall.SIGXCPU.String() || syscall.Getrlimit(rlimitCPU, &r) != nil {
		return 0
	}
	limit := uint64(r.Max)
	if s.Signal == syscall.SIGXCPU.String() {
		limit = uint64(r.Cur)
	}
	const almost, ticks = 0.9, 0.5 // the system enforces the limit by ticks, but reports the exact time
	if limit == 0 || limit > 1<<40 || (s.User+s.System).Seconds()+ticks < almost*float64(limit) {
		return 0
	}
	return int64(limit)
}
