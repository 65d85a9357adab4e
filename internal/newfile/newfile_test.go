package newfile

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"

	"procpool/internal/leak"
)

func TestMain(m *testing.M) { os.Exit(leak.Watch(m).Run()) }

// put makes a file for a test.
func put(t *testing.T, path, text string, mode fs.FileMode) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(path, mode); err != nil {
		t.Fatal(err)
	}
}

// has fails the test unless path has this text, and the folder no temporary file.
func has(t *testing.T, path, want string) {
	t.Helper()
	if got, err := os.ReadFile(path); err != nil || string(got) != want {
		t.Errorf("%s has %q, %v, not %q", path, got, err, want)
	}
	clean(t, filepath.Dir(path))
}

func clean(t *testing.T, dir string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), Prefix) {
			t.Errorf("%s is left", e.Name())
		}
	}
}

// renames are the ways to give a file a name that must not exist.
var renames = map[string]func(from, to string) error{"rename": renameNoReplace}

func TestPublishTakesANameOnce(t *testing.T) {
	for name, rename := range renames {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "f")
			var won atomic.Int32
			var all sync.WaitGroup
			for i := range 26 {
				all.Go(func() {
					f, err := Create(path)
					if err != nil {
						t.Error(err)
						return
					}
					defer f.Discard()
					f.WriteString(strings.Repeat(string(rune('a'+i)), 1000))
					switch err := f.publish(rename); {
					case err == nil:
						won.Add(1)
					case !errors.Is(err, fs.ErrExist):
						t.Error(err)
					}
				})
			}
			all.Wait()
			text, err := os.ReadFile(path)
			if err != nil || won.Load() != 1 || len(text) != 1000 || strings.Trim(string(text), string(text[:1])) != "" {
				t.Errorf("%d files were published, one has %.20q, %v", won.Load(), text, err)
			}
			clean(t, filepath.Dir(path))
		})
	}
}

// A name that appears meanwhile is not replaced, whatever it is.
func TestPublishReplacesNothing(t *testing.T) {
	for name, plant := range map[string]func(path string) error{
		"file":         func(path string) error { return os.WriteFile(path, []byte("other"), 0o666) },
		"folder":       func(path string) error { return os.Mkdir(path, 0o777) },
		"dead link":    func(path string) error { return os.Symlink("nowhere", path) },
		"link to file": func(path string) error { return os.Symlink(os.Args[0], path) },
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "f")
			f, err := Create(path)
			if err == nil {
				err = plant(path)
			}
			if err != nil {
				t.Fatal(err)
			}
			before, _ := os.Lstat(path)
			if err := f.Publish(); !errors.Is(err, fs.ErrExist) || !strings.Contains(err.Error(), path) {
				t.Errorf("Publish returns %v", err)
			}
			f.Discard()
			if after, err := os.Lstat(path); err != nil || !os.SameFile(before, after) {
				t.Errorf("it is another now, %v", err)
			}
			clean(t, filepath.Dir(path))
		})
	}
}

func TestRemoveAll(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"a", "b"} {
		f, err := Create(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		if name == "a" && f.Publish() != nil {
			t.Fatal("Publish failed")
		}
	}
	RemoveAll()
	has(t, filepath.Join(dir, "a"), "")
}

func TestWriteReplacesTheWholeFile(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "f")
	if err := Write(path, []byte("first, and longer")); err != nil {
		t.Fatal(err)
	}
	has(t, path, "first, and longer")
	if err := os.Chmod(path, 0o640); err != nil {
		t.Fatal(err)
	}
	if err := os.Link(path, filepath.Join(dir, "hard")); err != nil {
		t.Skip(err)
	}
	if err := os.Symlink("f", filepath.Join(dir, "soft")); err != nil {
		t.Skip(err)
	}
	if err := Write(filepath.Join(dir, "soft"), []byte("second")); err != nil {
		t.Fatal(err)
	}
	has(t, path, "second")
	has(t, filepath.Join(dir, "hard"), "first, and longer")
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o640 {
		t.Errorf("its mode is %v, %v", info.Mode(), err)
	}
	if info, err := os.Lstat(filepath.Join(dir, "soft")); err != nil || info.Mode()&fs.ModeSymlink == 0 {
		t.Errorf("the link was replaced: %v, %v", info.Mode(), err)
	}
	if err := os.Symlink("made", filepath.Join(dir, "dead")); err != nil {
		t.Fatal(err)
	}
	if err := Write(filepath.Join(dir, "dead"), []byte("third")); err != nil {
		t.Fatal(err)
	}
	has(t, filepath.Join(dir, "made"), "third")
}

func TestWriteRefuses(t *testing.T) {
	dir := t.TempDir()
	put(t, filepath.Join(dir, "file"), "x", 0o600)
	if err := os.Symlink("round", filepath.Join(dir, "round")); err != nil {
		t.Skip(err)
	}
	for _, name := range []string{".", "file/f", "no/f", "round", strings.Repeat("x", 300)} {
		path := filepath.Join(dir, name)
		if err := Check(path); err == nil {
			t.Errorf("Check of %.20s returns nil", name)
		}
		if err := Write(path, nil); err == nil {
			t.Errorf("Write to %.20s returns nil", name)
		}
	}
	has(t, filepath.Join(dir, "file"), "x")
}

// What may not be written is not replaced either.
func TestReadOnlyFile(t *testing.T) {
	if os.Getuid() == 0 {
		t.Skip("root may write to every file")
	}
	path := filepath.Join(t.TempDir(), "f")
	put(t, path, "kept", 0o400)
	if err := Check(path); !errors.Is(err, fs.ErrPermission) {
		t.Errorf("Check returns %v", err)
	}
	if err := Write(path, []byte("new")); !errors.Is(err, fs.ErrPermission) {
		t.Errorf("Write returns %v", err)
	}
	has(t, path, "kept")
}

func TestCheckChangesNothing(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "f")
	put(t, path, "kept", 0o600)
	for _, p := range []string{path, filepath.Join(dir, "new"), os.DevNull, "/dev/stdout"} {
		if err := Check(p); err != nil && !errors.Is(err, syscall.ENOTDIR) {
			t.Errorf("%s: %v", p, err)
		}
	}
	has(t, path, "kept")
	if entries, err := os.ReadDir(dir); err != nil || len(entries) != 1 {
		t.Errorf("the folder has %v, %v", entries, err)
	}
}

// Beside a file that may be written, in a folder that may not, nothing can be created.
func TestReadOnlyFolder(t *testing.T) {
	if os.Getuid() == 0 {
		t.Skip("root may write to every folder")
	}
	dir := t.TempDir()
	path := filepath.Join(dir, "f")
	put(t, path, "some old text", 0o600)
	if err := os.Chmod(dir, 0o500); err != nil {
		t.Fatal(err)
	}
	defer os.Chmod(dir, 0o700)
	if err := errors.Join(Check(path), Write(path, []byte("new"))); err != nil {
		t.Error(err)
	}
	has(t, path, "new")
	if err := Check(filepath.Join(dir, "g")); !errors.Is(err, fs.ErrPermission) {
		t.Errorf("Check of a new file returns %v", err)
	}
}
