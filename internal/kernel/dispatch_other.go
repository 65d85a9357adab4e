//go:build !amd64 || purego

package kernel

// implementations returns what can run here, the fastest first.
func implementations() []implementation { return []implementation{generic} }
