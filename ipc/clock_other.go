//go:build !linux

package ipc

import "time"

// Now is a moment on a clock that all processes of this machine share, in
// seconds: here the wall clock, which can be set.
func Now() float64 { return float64(time.Now().UnixNano()) * 1e-9 }
