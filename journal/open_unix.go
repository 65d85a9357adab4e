//go:build darwin || dragonfly || freebsd || linux || netbsd || openbsd

package journal

import (
	"errors"
	"io/fs"
	"os"
	"syscall"
)

// openExclusive opens path for reading and writing, with the lock that only one
// process can have. The lock is flock's: it belongs to the open file, which is
// closed on exec, so it ends with this process however that ends. The error is
// errLocked when another process has it. A file system that has no locks (some
// mounts of Lustre and NFS) is an error too: without the lock two runs could
// write over each other.
func openExclusive(path string, flag int) (*os.File, error) {
	file, err := os.OpenFile(path, os.O_RDWR|flag, 0o666)
	if err != nil {
		return nil, err
	}
	if err := flock(file, syscall.LOCK_EX); err != nil {
		file.Close()
		return nil, err
	}
	return file, nil
}

// openShared opens path for reading, and locks writers out until it is closed.
// Where there are no locks there is no writer either.
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

// syncDir makes a new name in dir durable. A directory that may be written to
// but not read, or a file system that does not sync directories, is no error:
// there is nothing more that could be done.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if errors.Is(err, fs.ErrPermission) {
		return nil
	}
	if err != nil {
		return err
	}
	defer d.Close()
	if err := d.Sync(); !errors.Is(err, syscall.EINVAL) && !errors.Is(err, syscall.ENOTSUP) {
		return err
	}
	return nil
}
