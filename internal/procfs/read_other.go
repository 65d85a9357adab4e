//go:build !linux

package procfs

import "os"

// Read reads a whole file.
func Read(path string) ([]byte, error) { return os.ReadFile(path) }
