//go:build !linux

package child

// These are known on Linux only.

func allowedCPUs() string { return "" }
func currentCPU() int     { return -1 }
