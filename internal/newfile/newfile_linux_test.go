package newfile

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"
)

func init() { renames["link"], renames["claim"] = linkNoReplace, claimNoReplace }

// A file that is mounted by itself, as containers have it, cannot be replaced, and is
// overwritten.
func TestMountedFile(t *testing.T) {
	dir := t.TempDir()
	from, to := filepath.Join(dir, "from"), filepath.Join(dir, "to")
	put(t, from, "some old text", 0o600)
	put(t, to, "", 0o600)
	if err := syscall.Mount(from, to, "", syscall.MS_BIND, ""); err != nil {
		t.Skipf("cannot mount: %v", err)
	}
	defer syscall.Unmount(to, 0)
	if err := Write(to, []byte("new")); err != nil {
		t.Fatal(err)
	}
	has(t, from, "new")
}

// A full disk leaves the old file as it was.
func TestFullDisk(t *testing.T) {
	dir := t.TempDir()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=16k"); err != nil {
		t.Skipf("cannot mount: %v", err)
	}
	defer syscall.Unmount(dir, 0)
	path := filepath.Join(dir, "f")
	put(t, path, "kept", 0o600)
	if err := Write(path, make([]byte, 64<<10)); !errors.Is(err, syscall.ENOSPC) {
		t.Errorf("Write returns %v", err)
	}
	has(t, path, "kept")
}

func TestDevicesAndPipes(t *testing.T) {
	if err := Write("/dev/full", []byte("x")); !errors.Is(err, syscall.ENOSPC) {
		t.Errorf("Write to /dev/full returns %v", err)
	}
	if err := Write("/dev/null", []byte("x")); err != nil {
		t.Errorf("Write to /dev/null returns %v", err)
	}
	fifo := filepath.Join(t.TempDir(), "fifo")
	if err := syscall.Mkfifo(fifo, 0o600); err != nil {
		t.Fatal(err)
	}
	got := make(chan string)
	go func() {
		r, err := os.Open(fifo)
		if err != nil {
			t.Error(err)
		}
		defer r.Close()
		text, _ := io.ReadAll(r)
		got <- string(text)
	}()
	if err := Write(fifo, []byte("through a pipe")); err != nil {
		t.Error(err)
	}
	if text := <-got; text != "through a pipe" {
		t.Errorf("%q came", text)
	}
}

// /dev/fd/N is where the descriptor is: a shell may have more to write there.
func TestOpenFilesAreAppendedTo(t *testing.T) {
	path := filepath.Join(t.TempDir(), "log")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	f.WriteString("before, ")
	if err := Write(filepath.Join("/dev/fd", strconv.Itoa(int(f.Fd()))), []byte("report, ")); err != nil {
		t.Fatal(err)
	}
	f.WriteString("after")
	has(t, path, "before, report, after")
}

// Where there are neither exclusive renames nor hard links, the name is taken first.
func TestWithoutHardLinks(t *testing.T) {
	dir := t.TempDir()
	from, to := filepath.Join(dir, "a"), filepath.Join(dir, "b")
	put(t, from, "x", 0o600)
	put(t, to, "kept", 0o600)
	if err := claimNoReplace(from, to); !errors.Is(err, os.ErrExist) {
		t.Errorf("%v", err)
	}
	has(t, to, "kept")
	os.Remove(to)
	if err := claimNoReplace(from, to); err != nil {
		t.Error(err)
	}
	has(t, to, "x")
}
