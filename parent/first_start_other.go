//go:build !linux

package parent

// beforeFirstStart does nothing, because only Linux has pidfds.
func beforeFirstStart() {}
