package journal

import (
	"errors"
	"io/fs"
	"os"
	"syscall"
)

// sharingViolation is ERROR_SHARING_VIOLATION, which syscall does not name.
const sharingViolation = syscall.Errno(32)

// openExclusive opens path for reading and writing. Its share mode lets other
// processes only read the file, and ends with this process in any case. The error is
// errLocked if another process has opened path in this way.
func openExclusive(path string) (*os.File, func(), error) {
	file, err := open(path, syscall.GENERIC_READ|syscall.GENERIC_WRITE, syscall.FILE_SHARE_READ, syscall.OPEN_EXISTING)
	return file, func() {}, err
}

// lockNew does nothing: the share mode of package newfile excludes other writers.
func lockNew(*os.File, string) (func(), error) { return func() {}, nil }

func setAppend(*os.File) {}

func lives(int) bool { return true }

// openShared opens path for reading. Its share mode excludes writers until the file is
// closed.
func openShared(path string) (*os.File, error) {
	return open(path, syscall.GENERIC_READ, syscall.FILE_SHARE_READ, syscall.OPEN_EXISTING)
}

func open(path string, access, share, how uint32) (*os.File, error) {
	name, err := syscall.UTF16PtrFromString(path)
	if err != nil {
		return nil, &fs.PathError{Op: "open", Path: path, Err: err}
	}
	handle, err := syscall.CreateFile(name, access, share, nil, how, syscall.FILE_ATTRIBUTE_NORMAL, 0)
	if errors.Is(err, sharingViolation) {
		return nil, errLocked
	}
	if err != nil {
		return nil, &fs.PathError{Op: "open", Path: path, Err: err}
	}
	return os.NewFile(uintptr(handle), path), nil
}
