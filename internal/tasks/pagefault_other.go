//go:build !unix

package tasks

// mapMemory is fresh memory from Go's heap, where there is no syscall.Mmap: the
// same result, but what is stressed is the heap and not the kernel.
func mapMemory() ([]byte, error) { return make([]byte, mapBytes), nil }

// unmapMemory leaves it to the garbage collector.
func unmapMemory([]byte) error { return nil }
