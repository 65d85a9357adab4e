package newfile

import (
	"io/fs"
	"os"
	"syscall"
)

// create creates and opens temp. The returned file has the name path. Its share mode
// lets other processes read the file, and lets it be renamed while it is open. It
// excludes other writers, as a lock does.
func create(temp, path string) (*os.File, error) {
	name, err := syscall.UTF16PtrFromString(temp)
	if err != nil {
		return nil, err
	}
	handle, err := syscall.CreateFile(name, syscall.GENERIC_READ|syscall.GENERIC_WRITE, syscall.FILE_SHARE_READ|fileShareDelete, nil,
		syscall.CREATE_NEW, syscall.FILE_ATTRIBUTE_NORMAL, 0)
	if err != nil {
		return nil, err
	}
	return os.NewFile(uintptr(handle), path), nil
}

// fileShareDelete is FILE_SHARE_DELETE, which package syscall does not name.
const fileShareDelete = 0x4

// renameNoReplace gives a file another name, which must not exist.
func renameNoReplace(from, to string) error {
	old, err := syscall.UTF16PtrFromString(from)
	if err != nil {
		return err
	}
	name, err := syscall.UTF16PtrFromString(to)
	if err != nil {
		return err
	}
	return syscall.MoveFile(old, name)
}

func copyOwner(*os.File, fs.FileInfo) {}

func writeDescriptor(fd int, path string, data []byte) error { return os.WriteFile(path, data, 0o666) }

// syncDir does nothing: NTFS has a log of names, and a directory cannot be opened for
// writing.
func syncDir(string) error { return nil }
