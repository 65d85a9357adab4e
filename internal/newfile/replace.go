package newfile

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
)

// Write writes data to path.
//
//   - A new file, or one in place of a regular file. Through a symbolic link the file
//     that it leads to is replaced, and the link stays. The new file gets the
//     permissions of the old one, and its owner where this process may set it. Other
//     hard links keep the old contents. Nothing is replaced that may not be written.
//   - Where the folder takes no other file (it may not be written to, or the file is
//     mounted there by itself), the file is overwritten in place.
//   - A device or a pipe is written to. The names /dev/stdout, /dev/stderr and
//     /dev/fd/N stand for this process's open files: what they were redirected to is
//     neither replaced nor truncated.
func Write(path string, data []byte) error {
	if fd, ok := descriptor(path); ok {
		return writeDescriptor(fd, path, data)
	}
	target := follow(path)
	old, err := os.Stat(target)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return writeNew(target, nil, data)
	case err != nil:
		return err
	case !old.Mode().IsRegular():
		return overwrite(target, 0, data)
	}
	if err := mayWrite(target); err != nil {
		return err
	}
	if err := writeNew(target, old, data); !takesNoOther(err) {
		return err
	}
	return overwrite(target, os.O_TRUNC, data)
}

// Check reports why [Write] could not write to path, as far as can be known before. It
// changes nothing. It does not open devices and pipes, since that may wait.
func Check(path string) error {
	if _, ok := descriptor(path); ok {
		return nil
	}
	target := follow(path)
	switch old, err := os.Stat(target); {
	case errors.Is(err, fs.ErrNotExist):
		file, err := Create(target)
		if err == nil {
			file.Discard()
		}
		return err
	case err != nil:
		return err
	case old.IsDir():
		return &fs.PathError{Op: "open", Path: path, Err: syscall.EISDIR}
	case !old.Mode().IsRegular():
		return nil
	}
	return mayWrite(target)
}

// writeNew writes a new file, in place of old unless that is nil.
func writeNew(path string, old fs.FileInfo, data []byte) error {
	file, err := Create(path)
	if err != nil {
		return err
	}
	defer file.Discard()
	if old != nil {
		copyOwner(file.File, old)
		if err := file.Chmod(old.Mode().Perm()); err != nil {
			return err
		}
	}
	if _, err := file.Write(data); err != nil {
		return err
	}
	return file.publish(os.Rename)
}

// overwrite writes to a file that exists.
func overwrite(path string, flag int, data []byte) error {
	file, err := os.OpenFile(path, os.O_WRONLY|flag, 0)
	if err != nil {
		return err
	}
	_, err = file.Write(data)
	if err == nil && flag&os.O_TRUNC != 0 {
		err = file.Sync()
	}
	return errors.Join(err, file.Close())
}

// mayWrite returns an error if this process may not write to the file. It changes
// nothing.
func mayWrite(path string) error {
	file, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	return file.Close()
}

// takesNoOther reports whether a folder refused another file beside one that it has.
func takesNoOther(err error) bool {
	for _, no := range []error{fs.ErrPermission, syscall.EROFS, syscall.EBUSY, syscall.EXDEV} {
		if errors.Is(err, no) {
			return true
		}
	}
	return false
}

// follow returns the name to which symbolic links lead. There need be no file of that
// name. What cannot be followed is returned as it is, and opening it tells why.
func follow(path string) string {
	for range 40 { // as many as Linux follows
		to, err := os.Readlink(path)
		if err != nil {
			return path
		}
		if !filepath.IsAbs(to) {
			to = filepath.Join(filepath.Dir(path), to)
		}
		path = to
	}
	return path
}

// descriptor returns the open file of this process that path stands for.
func descriptor(path string) (fd int, ok bool) {
	switch path = filepath.Clean(path); path {
	case "/dev/stdin":
		return 0, true
	case "/dev/stdout":
		return 1, true
	case "/dev/stderr":
		return 2, true
	}
	for _, dir := range []string{"/dev/fd/", "/proc/self/fd/"} {
		if number, found := strings.CutPrefix(path, dir); found {
			fd, err := strconv.Atoi(number)
			return fd, err == nil && fd >= 0
		}
	}
	return 0, false
}
