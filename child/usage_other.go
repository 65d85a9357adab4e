//go:build !linux

package child

import "time"

// These are known on Linux only.

func peakRSS() int64                 { return -1 }
func migrations(time.Duration) int64 { return -1 }
