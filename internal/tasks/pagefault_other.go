//go:build !unix

package tasks

// mapMemory allocates memory on the heap, since this system has no syscall.Mmap. The
// results are the same, but the task stresses the heap and not the kernel.
func mapMemory() ([]byte, error) { return make([]byte, mapBytes), nil }

// unmapMemory does nothing: the garbage collector frees the memory.
func unmapMemory([]byte) error { return nil }
