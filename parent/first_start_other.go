//go:build !linux

package parent

// beforeFirstStart does nothing: pidfds are Linux's.
func beforeFirstStart() {}
