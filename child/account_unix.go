//go:build unix

package child

import (
	"time"

	"golang.org/x/sys/unix"

	"procpool/ipc"
)

// account is what this process has used so far. Memory is not taken from
// ru_maxrss, which starts at the resident set of the parent that spawned us.
func account() ipc.Bye {
	var r unix.Rusage
	if unix.Getrusage(unix.RUSAGE_SELF, &r) != nil {
		r = unix.Rusage{Minflt: -1, Majflt: -1, Nvcsw: -1, Nivcsw: -1}
	}
	user, system := time.Duration(r.Utime.Nano()), time.Duration(r.Stime.Nano())
	return ipc.Bye{
		UserSeconds:         user.Seconds(),
		SystemSeconds:       system.Seconds(),
		PeakRSSBytes:        peakRSS(),
		MinorFaults:         int64(r.Minflt),
		MajorFaults:         int64(r.Majflt),
		VoluntarySwitches:   int64(r.Nvcsw),
		InvoluntarySwitches: int64(r.Nivcsw),
		Migrations:          migrations(user + system),
	}
}
