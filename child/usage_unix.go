//go:build unix

package child

import (
	"time"

	"golang.org/x/sys/unix"

	"procpool/ipc"
)

// usage returns what this process has used so far. It does not take the peak
// from ru_maxrss, which starts at the resident set of the parent.
func usage() ipc.Usage {
	u := ipc.Usage{Counters: ipc.Counters{PeakRSSBytes: peakRSS()}}
	var r unix.Rusage
	if unix.Getrusage(unix.RUSAGE_SELF, &r) != nil {
		return u
	}
	user, system := time.Duration(r.Utime.Nano()), time.Duration(r.Stime.Nano())
	u.UserSeconds, u.SystemSeconds = user.Seconds(), system.Seconds()
	u.MinorFaults, u.MajorFaults = ipc.CountOf(int64(r.Minflt)), ipc.CountOf(int64(r.Majflt))
	u.VoluntarySwitches, u.InvoluntarySwitches = ipc.CountOf(int64(r.Nvcsw)), ipc.CountOf(int64(r.Nivcsw))
	u.Migrations = migrations(user + system)
	return u
}
