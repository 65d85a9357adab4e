//go:build unix

package tasks

import (
	"fmt"
	"syscall"
)

// mapMemory is fresh memory that belongs to the caller until unmapMemory.
// syscall.Mmap notes it in a map behind a mutex of its own. Goroutines meet
// there as well, but for a small part of the 10 to 30 µs that an index takes.
func mapMemory() ([]byte, error) {
	memory, err := syscall.Mmap(-1, 0, mapBytes, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_ANON|syscall.MAP_PRIVATE)
	if err != nil {
		return nil, fmt.Errorf("mapping 64 KiB: %w", err)
	}
	return memory, nil
}

func unmapMemory(memory []byte) error {
	if err := syscall.Munmap(memory); err != nil {
		return fmt.Errorf("unmapping 64 KiB: %w", err)
	}
	return nil
}
