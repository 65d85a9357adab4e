//go:build unix

package tasks

import (
	"fmt"
	"syscall"
)

// mapMemory maps new memory, which the caller passes to unmapMemory. syscall.Mmap
// records it in a map with a mutex. Goroutines wait for that too, but only for a small
// part of the 10 to 30 µs that an index takes.
func mapMemory() ([]byte, error) {
	memory, err := syscall.Mmap(-1, 0, mapBytes, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_ANON|syscall.MAP_PRIVATE)
	if err != nil {
		return nil, fmt.Errorf("map 64 KiB: %w", err)
	}
	return memory, nil
}

func unmapMemory(memory []byte) error {
	if err := syscall.Munmap(memory); err != nil {
		return fmt.Errorf("unmap 64 KiB: %w", err)
	}
	return nil
}
