//go:build !linux

package pipe

import "io"

// Widen does nothing: this system does not let a process set a pipe's capacity.
func Widen(io.Writer) {}
