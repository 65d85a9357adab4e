//go:build !linux

package child

// These are known on Linux only.

func peakRSS() int64      { return -1 }
func migrations() int64   { return -1 }
func allowedCPUs() string { return "" }
