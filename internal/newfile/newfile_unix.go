//go:build unix

package newfile

import (
	"errors"
	"io/fs"
	"os"
	"syscall"
)

// create creates and opens temp. The returned file has the name path.
func create(temp, path string) (*os.File, error) {
	for {
		fd, err := syscall.Open(temp, syscall.O_RDWR|syscall.O_CREAT|syscall.O_EXCL|syscall.O_NOFOLLOW|syscall.O_CLOEXEC, 0o666)
		if err == nil {
			return os.NewFile(uintptr(fd), path), nil
		}
		if err != syscall.EINTR {
			return nil, err
		}
	}
}

// renameNoReplace gives a file another name, which must not exist.
func renameNoReplace(from, to string) error {
	err := renameExclusive(from, to)
	if !errors.Is(err, errors.ErrUnsupported) && !errors.Is(err, syscall.EINVAL) {
		return err
	}
	return linkNoReplace(from, to)
}

// linkNoReplace does the same for systems and file systems that have no such rename.
func linkNoReplace(from, to string) error {
	err := os.Link(from, to)
	if err == nil {
		return os.Remove(from)
	}
	if errors.Is(err, fs.ErrExist) {
		return err
	}
	return claimNoReplace(from, to)
}

// claimNoReplace does the same where there are no hard links (FAT, some mounts over a
// network): it takes the name with an empty file, and then replaces that.
func claimNoReplace(from, to string) error {
	claim, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666)
	if err != nil {
		return err
	}
	claim.Close()
	if err := os.Rename(from, to); err != nil {
		os.Remove(to)
		return err
	}
	return nil
}

// copyOwner gives file the owner of old, if this process may do that.
func copyOwner(file *os.File, old fs.FileInfo) {
	if stat, ok := old.Sys().(*syscall.Stat_t); ok {
		file.Chown(int(stat.Uid), int(stat.Gid))
	}
}

// writeDescriptor writes to an open file of this process.
func writeDescriptor(fd int, path string, data []byte) error {
	own, err := syscall.Dup(fd)
	if err != nil {
		return &fs.PathError{Op: "open", Path: path, Err: err}
	}
	syscall.CloseOnExec(own)
	file := os.NewFile(uintptr(own), path)
	defer file.Close()
	_, err = file.Write(data)
	return err
}

// syncDir makes a new name in dir durable. It ignores a directory that this process
// may write but not read, and a file system that cannot sync directories.
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
