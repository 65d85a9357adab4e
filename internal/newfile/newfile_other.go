//go:build !unix && !windows

package newfile

import (
	"errors"
	"io/fs"
	"os"
)

func create(temp, path string) (*os.File, error) {
	return os.OpenFile(temp, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o666)
}

// renameNoReplace gives a file another name, which must not exist. This system has
// nothing that does so in one step.
func renameNoReplace(from, to string) error {
	if _, err := os.Lstat(to); !errors.Is(err, fs.ErrNotExist) {
		return fs.ErrExist
	}
	return os.Rename(from, to)
}

func copyOwner(*os.File, fs.FileInfo) {}

func writeDescriptor(fd int, path string, data []byte) error { return os.WriteFile(path, data, 0o666) }

func syncDir(string) error { return nil }
