//go:build darwin || dragonfly || freebsd || linux || netbsd || openbsd

package journal

import (
	"errors"
	"io/fs"
	"os"
	"syscall"
)

// openExclusive opens path for reading and writing, and locks it. Only one process can
// hold the lock. flock ties the lock to the open file, which is closed on exec, so it
// ends with this process in any case. The error is errLocked if another process holds
// the lock. It is also an error if the file system has no locks (as some mounts of
// Lustre and NFS), since two runs could then write to the same journal.
func openExclusive(path string) (*os.File, error) {
	file, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return nil, err
	}
	if err := lockNew(file); err != nil {
		file.Close()
		return nil, err
	}
	return file, nil
}

// lockNew locks a file that package newfile created.
func lockNew(file *os.File) error { return flock(file, syscall.LOCK_EX) }

// openShared opens path for reading, with a lock that excludes writers until the file
// is closed. If the file system has no locks, there are no writers.
func openShared(path string) (*os.File, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	if err := flock(file, syscall.LOCK_SH); errors.Is(err, errLocked) {
		file.Close()
		return nil, err
	}
	return file, nil
}

func flock(file *os.File, how int) error {
	for {
		switch err := syscall.Flock(int(file.Fd()), how|syscall.LOCK_NB); err {
		case nil:
			return nil
		case syscall.EINTR:
		case syscall.EWOULDBLOCK:
			return errLocked
		default:
			return &fs.PathError{Op: "lock", Path: file.Name(), Err: err}
		}
	}
}
