package child

import (
	"syscall"
	"time"

	"procpool/ipc"
)

// account is what this process has used so far, as far as Windows tells.
func account() ipc.Bye {
	b := ipc.Bye{PeakRSSBytes: -1, MinorFaults: -1, MajorFaults: -1, VoluntarySwitches: -1, InvoluntarySwitches: -1, Migrations: -1}
	var created, exited, kernel, user syscall.Filetime
	if self, err := syscall.GetCurrentProcess(); err == nil && syscall.GetProcessTimes(self, &created, &exited, &kernel, &user) == nil {
		b.UserSeconds, b.SystemSeconds = seconds(user), seconds(kernel)
	}
	return b
}

// seconds reads a duration, which Windows counts in units of 100 ns.
func seconds(f syscall.Filetime) float64 {
	units := int64(f.HighDateTime)<<32 | int64(f.LowDateTime)
	return (time.Duration(units) * 100).Seconds()
}
