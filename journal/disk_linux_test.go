package journal

import (
	"errors"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"procpool/ipc"
)

// mountTmpfs mounts a file system for the test and returns its directory.
func mountTmpfs(t *testing.T, options string, flags uintptr) string {
	t.Helper()
	dir := t.TempDir()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", flags, options); err != nil {
		t.Skipf("cannot mount a tmpfs: %v", err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(dir, 0); err != nil {
			t.Error(err)
		}
	})
	return dir
}

// If the disk becomes full, the journal is valid, and the run can continue when there
// is room.
func TestDiskFull(t *testing.T) {
	dir := mountTmpfs(t, "size=300k", 0)
	h := header(20000, 1)
	path := filepath.Join(dir, "j")
	w, err := Create(path, h)
	if err != nil {
		t.Fatal(err)
	}
	for iv := range h.Parts(h.Interval) {
		if err = w.Append(chunk(h, iv)); err != nil {
			break
		}
	}
	if !errors.Is(err, syscall.ENOSPC) {
		t.Fatalf("appending to a full disk: %v", err)
	}
	if cerr := w.Close(); cerr != err {
		t.Errorf("Close returns %v after %v", cerr, err)
	}
	r, got, rerr := readAll(read(t, path))
	if rerr != nil || len(got) == 0 || len(got) == 20000 {
		t.Fatalf("the journal holds %d chunks, %v", len(got), rerr)
	}
	if info, err := os.Stat(path); err != nil || info.Size() != r.offset {
		t.Errorf("an incomplete line is left: %v bytes, %d are valid", info.Size(), r.offset)
	}
	if err := os.WriteFile(filepath.Join(dir, "rest"), make([]byte, 300<<10), 0o666); !errors.Is(err, syscall.ENOSPC) {
		t.Fatalf("filling the disk: %v", err)
	}
	if _, err := Create(filepath.Join(dir, "k"), h); !errors.Is(err, syscall.ENOSPC) {
		t.Errorf("Create: %v", err)
	}
	if _, err := os.Stat(filepath.Join(dir, "k")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("Create leaves a file: %v", err)
	}
	if err := syscall.Mount("", dir, "", syscall.MS_REMOUNT, "size=30m"); err != nil {
		t.Fatal(err)
	}
	w, again := mustResume(t, path, h)
	if len(again) != len(got) {
		t.Fatalf("resumed with %d chunks of %d", len(again), len(got))
	}
	mustAppend(t, w, h, parts(h)[len(got):]...)
	mustClose(t, w)
	if s, err := ReadCoverage(t.Context(), path); err != nil || !s.Complete() {
		t.Errorf("at the end: %v, %v", s, err)
	}
}

func TestReadOnlyFileSystem(t *testing.T) {
	dir := mountTmpfs(t, "", 0)
	h := header(100, 25)
	path := filepath.Join(dir, "j")
	if err := os.WriteFile(path, fileOf(t, h, parts(h)...), 0o666); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mount("", dir, "", syscall.MS_REMOUNT|syscall.MS_RDONLY, ""); err != nil {
		t.Fatal(err)
	}
	if _, err := Create(filepath.Join(dir, "k"), h); !errors.Is(err, syscall.EROFS) {
		t.Errorf("Create: %v", err)
	}
	if _, err := Resume(t.Context(), path, h, nil); !errors.Is(err, syscall.EROFS) {
		t.Errorf("Resume: %v", err)
	}
	s, err := Open(t.Context(), []string{path})
	if err != nil {
		t.Fatal(err)
	}
	sum := total{}
	if err := s.Fold(t.Context(), func(_ ipc.Interval, p []byte) error { return sum.Add(p) }); err != nil || sum.bits != undivided(h) {
		t.Errorf("Fold: %v", err)
	}
}
