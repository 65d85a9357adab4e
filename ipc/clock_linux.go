package ipc

import "golang.org/x/sys/unix"

// Now returns the time in seconds on a clock that all processes of this machine
// share: CLOCK_MONOTONIC.
func Now() float64 {
	var t unix.Timespec
	if unix.ClockGettime(unix.CLOCK_MONOTONIC, &t) != nil {
		return 0
	}
	return float64(t.Sec) + float64(t.Nsec)*1e-9
}
