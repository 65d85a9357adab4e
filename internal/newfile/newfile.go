// Package newfile writes files that appear under their names only when they are
// complete. All files that procpool writes come from here.
//
// A new file begins under a temporary name, ".procpool-" and random digits, in the
// folder in which it is to appear. The name is opened exclusively and not through a
// symbolic link, so no file that exists is touched. When the file is complete and on
// disk, a rename gives it its own name: [File.Publish] refuses a name that exists,
// [Write] replaces the file that has it. So two programs that write to the same name
// never mix what they write, and a full disk leaves the old file as it was.
//
// A process that is killed while it writes may leave the temporary file behind. It may
// be deleted.
package newfile

import (
	"errors"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"sync"
)

// Prefix is the beginning of the temporary names.
const Prefix = ".procpool-"

// A File is a new file that has a temporary name. It is open for reading and writing.
// Its Name, also in errors, is the one that it is to have.
type File struct {
	*os.File
	temp string // "" when the file has its own name, or was removed
	path string
}

// Create creates a file that is to appear at path. [File.Publish] or [File.Discard]
// must follow.
func Create(path string) (*File, error) {
	for {
		temp := filepath.Join(filepath.Dir(path), Prefix+strconv.FormatUint(rand.Uint64(), 36))
		file, err := create(temp, path)
		if errors.Is(err, fs.ErrExist) {
			continue
		}
		if err != nil {
			return nil, &fs.PathError{Op: "create", Path: path, Err: err}
		}
		unpublished.add(temp)
		return &File{File: file, temp: temp, path: path}, nil
	}
}

// Temp returns the temporary name, or "" if the file has none any more.
func (f *File) Temp() string { return f.temp }

// Publish waits until the file is on disk and gives it its own name. If that exists
// already, the error is fs.ErrExist for errors.Is. The file stays open, and so a lock
// that its owner has on it holds.
func (f *File) Publish() error { return f.publish(renameNoReplace) }

func (f *File) publish(rename func(from, to string) error) error {
	if err := f.Sync(); err != nil {
		return err
	}
	if err := rename(f.temp, f.path); err != nil {
		return &fs.PathError{Op: "rename", Path: f.path, Err: withoutPaths(err)}
	}
	unpublished.remove(f.temp)
	f.temp = ""
	return syncDir(filepath.Dir(f.path))
}

// Discard closes the file and removes it, unless it has its own name.
func (f *File) Discard() {
	f.Close()
	if f.temp != "" {
		os.Remove(f.temp)
		unpublished.remove(f.temp)
		f.temp = ""
	}
}

// unpublished are the temporary names of this process.
var unpublished names

type names struct {
	sync.Mutex
	set map[string]struct{}
}

func (n *names) add(name string) {
	n.Lock()
	defer n.Unlock()
	if n.set == nil {
		n.set = make(map[string]struct{})
	}
	n.set[name] = struct{}{}
}

func (n *names) remove(name string) {
	n.Lock()
	defer n.Unlock()
	delete(n.set, name)
}

// RemoveAll removes the files of this process that have only temporary names. A
// process that a signal ends calls it last.
func RemoveAll() {
	unpublished.Lock()
	defer unpublished.Unlock()
	for name := range unpublished.set {
		os.Remove(name)
	}
}

// withoutPaths returns the system's error without names of files.
func withoutPaths(err error) error {
	var path *fs.PathError
	var link *os.LinkError
	switch {
	case errors.As(err, &path):
		return path.Err
	case errors.As(err, &link):
		return link.Err
	}
	return err
}
