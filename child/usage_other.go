//go:build !linux

package child

import (
	"time"

	"procpool/ipc"
)

// Only Linux tells these two.

func peakRSS() ipc.Count                 { return ipc.Count{} }
func migrations(time.Duration) ipc.Count { return ipc.Count{} }
