//go:build darwin || dragonfly || freebsd || linux || netbsd || openbsd

package journal

import (
	"errors"
	"io/fs"
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// openExclusive opens path for reading and writing, and locks it. Only one process can
// hold the lock. flock ties the lock to the open file, which is closed on exec, so it
// ends with this process in any case. The error is errLocked if another process holds
// the lock. Where the file system has no locks (as some mounts of Lustre and NFS), a file
// takes their place, and unlock removes it.
func openExclusive(path string) (file *os.File, unlock func(), err error) {
	if file, err = os.OpenFile(path, os.O_RDWR, 0); err != nil {
		return nil, nil, err
	}
	if unlock, err = lockNew(file, path); err != nil {
		file.Close()
		return nil, nil, err
	}
	return file, unlock, nil
}

// lockNew locks an open file that has the name path, or is to have it.
func lockNew(file *os.File, path string) (unlock func(), err error) {
	if err := flock(file, syscall.LOCK_EX); noLocks(err) {
		return lockByFile(path)
	} else if err != nil {
		return nil, err
	}
	return func() {}, nil
}

// openShared opens path for reading, with a lock that excludes writers until the file
// is closed.
func openShared(path string) (*os.File, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	err = flock(file, syscall.LOCK_SH)
	if noLocks(err) {
		err = lockedByFile(path)
	}
	if locked := (*LockedError)(nil); errors.Is(err, errLocked) || errors.As(err, &locked) {
		file.Close()
		return nil, err
	}
	return file, nil
}

// noLocks reports whether err says that a file system has no locks.
func noLocks(err error) bool {
	for _, no := range []error{syscall.ENOSYS, syscall.ENOTSUP, syscall.EOPNOTSUPP, syscall.ENOLCK} {
		if errors.Is(err, no) {
			return true
		}
	}
	return false
}

// systemFlock is replaced in tests.
var systemFlock = syscall.Flock

func flock(file *os.File, how int) error {
	for {
		switch err := systemFlock(int(file.Fd()), how|syscall.LOCK_NB); err {
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

// setAppend has the system put whatever is written to a file behind what is there, so
// that a second writer, should there be one, overwrites nothing.
func setAppend(file *os.File) {
	if flags, err := unix.FcntlInt(file.Fd(), unix.F_GETFL, 0); err == nil {
		unix.FcntlInt(file.Fd(), unix.F_SETFL, flags|unix.O_APPEND)
	}
}

// lives reports whether a process of this host is there.
func lives(pid int) bool { return !errors.Is(syscall.Kill(pid, 0), syscall.ESRCH) }
