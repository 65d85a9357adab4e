package child

import (
	"syscall"
	"time"

	"procpool/ipc"
)

// usage returns what this process has used so far. Windows tells CPU times only.
func usage() (u ipc.Usage) {
	var created, exited, kernel, user syscall.Filetime
	if self, err := syscall.GetCurrentProcess(); err == nil && syscall.GetProcessTimes(self, &created, &exited, &kernel, &user) == nil {
		u.UserSeconds, u.SystemSeconds = seconds(user), seconds(kernel)
	}
	return u
}

// seconds converts a duration that is given in units of 100 ns.
func seconds(f syscall.Filetime) float64 {
	units := int64(f.HighDateTime)<<32 | int64(f.LowDateTime)
	return (time.Duration(units) * 100).Seconds()
}
