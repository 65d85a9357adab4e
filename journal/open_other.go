//go:build !darwin && !dragonfly && !freebsd && !linux && !netbsd && !openbsd && !windows

package journal

import (
	"errors"
	"io/fs"
	"os"
	"runtime"
)

// openExclusive returns an error. This system has no lock that ends with the process,
// and without one two runs could write to the same journal.
func openExclusive(path string) (*os.File, error) {
	return nil, &fs.PathError{Op: "lock", Path: path, Err: errors.New("journals cannot be locked on " + runtime.GOOS)}
}

func lockNew(file *os.File) error {
	_, err := openExclusive(file.Name())
	return err
}

func openShared(path string) (*os.File, error) { return os.Open(path) }
