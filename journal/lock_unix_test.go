//go:build unix

package journal

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"procpool/ipc"
)

// locks has flock return err, or succeed for everybody if that is nil.
func locks(t *testing.T, err error) {
	systemFlock = func(int, int) error { return err }
	t.Cleanup(func() { systemFlock = syscall.Flock })
}

// Where there are no locks, a file takes their place. It names its writer, goes with it,
// and one that a dead process left does not count.
func TestALockFileTakesThePlaceOfALock(t *testing.T) {
	for _, missing := range []error{syscall.ENOSYS, syscall.EOPNOTSUPP, syscall.ENOLCK} {
		locks(t, missing)
		h := header(100, 25)
		path := filepath.Join(t.TempDir(), "j")
		w, err := Create(path, h)
		if err != nil {
			t.Fatal(err)
		}
		var locked *LockedError
		if _, err := Resume(t.Context(), path, h, nil); !errors.As(err, &locked) || !strings.Contains(err.Error(), fmt.Sprintf("process %d on ", os.Getpid())) || !strings.Contains(locked.Hint(), path+".lock") {
			t.Errorf("%v: Resume beside a writer: %v", missing, err)
		}
		if _, err := Open(t.Context(), []string{path}); !errors.As(err, &locked) {
			t.Errorf("%v: Open beside a writer: %v", missing, err)
		}
		mustClose(t, w)
		onlyHas(t, filepath.Dir(path), "j")

		dead := exec.Command("true")
		if err := dead.Run(); err != nil {
			t.Skip(err)
		}
		host, _ := os.Hostname()
		for _, c := range []struct {
			text string
			free bool
		}{
			{fmt.Sprintf("%d %s\n", dead.Process.Pid, host), true},
			{fmt.Sprintf("%d elsewhere\n", dead.Process.Pid), false},
			{fmt.Sprintf("1 %s\n", host), false},
			{"", false},
		} {
			if err := os.WriteFile(path+".lock", []byte(c.text), 0o666); err != nil {
				t.Fatal(err)
			}
			w, err := Resume(t.Context(), path, h, nil)
			if (err == nil) != c.free {
				t.Errorf("%v: beside %q: %v", missing, c.text, err)
			}
			if err == nil {
				mustClose(t, w)
			}
			os.Remove(path + ".lock")
		}
	}
}

// Two writers that do not see each other's locks notice each other, whoever writes, and
// neither overwrites the other's lines.
func TestTwoWritersNoticeEachOther(t *testing.T) {
	locks(t, nil)
	h := header(1000, 1)
	for _, both := range []bool{false, true} {
		path := filepath.Join(t.TempDir(), "j")
		first, err := Create(path, h)
		if err != nil {
			t.Fatal(err)
		}
		second, _ := mustResume(t, path, h)
		begin := time.Now()
		for i, w := range []*Writer{second, first} {
			if i == 0 || both {
				if err := w.Append(chunk(h, ipc.Interval{Start: h.Interval.Start + int64(i), End: h.Interval.Start + int64(i) + 1})); err != nil {
					t.Fatal(err)
				}
			}
		}
		for i, w := range []*Writer{first, second} {
			var shared *SharedError
			for {
				w.mu.Lock()
				err := w.err
				w.mu.Unlock()
				if errors.As(err, &shared) {
					break
				}
				if time.Since(begin) > time.Minute {
					t.Fatalf("writer %d noticed nothing", i)
				}
				time.Sleep(10 * time.Millisecond)
			}
		}
		t.Logf("both noticed within %v", time.Since(begin).Round(time.Millisecond))
		first.Close()
		second.Close()
		want := int64(1)
		if both {
			want = 2
		}
		if s, err := ReadCoverage(t.Context(), path); err != nil || s.Done != want {
			t.Errorf("%d chunks are left, not %d: %v", s.Done, want, err)
		}
	}
}

// A line is in the file when Append returns, so that no kill loses it.
func TestLinesAreWrittenAtOnce(t *testing.T) {
	h := header(100, 25)
	path := filepath.Join(t.TempDir(), "j")
	w, err := Create(path, h)
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	for i, iv := range parts(h) {
		if err := w.Append(chunk(h, iv)); err != nil {
			t.Fatal(err)
		}
		if s, err := ReadCoverage(t.Context(), path); err != nil || s.Done != int64(i)+1 {
			t.Fatalf("after %d lines the file has %d: %v", i+1, s.Done, err)
		}
	}
}
