//go:build !linux

package ipc

import "time"

// Now returns the time in seconds on a clock that all processes of this machine
// share: the wall clock, which somebody may set.
func Now() float64 { return float64(time.Now().UnixNano()) * 1e-9 }
