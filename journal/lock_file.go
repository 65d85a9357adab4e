package journal

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"

	"procpool/internal/newfile"
)

// lockSuffix ends the name of the file that takes the place of a lock.
const lockSuffix = ".lock"

// lockByFile takes the place of a lock where the file system has none. The file names
// the process and its host, and unlock removes it. One that a process of this host left
// behind, which is no more, does not count.
func lockByFile(path string) (unlock func(), err error) {
	name := path + lockSuffix
	for range 2 {
		file, err := newfile.Create(name)
		if err != nil {
			return nil, err
		}
		host, _ := os.Hostname()
		if _, err = fmt.Fprintf(file, "%d %s\n", os.Getpid(), host); err == nil {
			err = file.Publish()
		}
		file.Discard()
		if err == nil {
			return func() { os.Remove(name) }, nil
		}
		if !errors.Is(err, fs.ErrExist) {
			return nil, err
		}
		if err := lockedByFile(path); err != nil {
			return nil, err
		}
		os.Remove(name)
	}
	return nil, lockedByFile(path)
}

// lockedByFile returns a *LockedError if another process has locked path by a file.
func lockedByFile(path string) error {
	name := path + lockSuffix
	text, err := os.ReadFile(name)
	if err != nil {
		return nil
	}
	locked := &LockedError{Path: path, Holder: "another process", File: name}
	var pid int
	var host string
	if n, _ := fmt.Sscanf(strings.TrimSpace(string(text)), "%d %s", &pid, &host); n == 2 {
		if here, _ := os.Hostname(); host == here && !lives(pid) {
			return nil
		}
		locked.Holder = fmt.Sprintf("process %d on %s", pid, host)
	}
	return locked
}
