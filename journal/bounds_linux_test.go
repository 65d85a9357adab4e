package journal

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"syscall"
	"testing"
	"time"

	"procpool/ipc"
)

// A write that is cut short, here by the limit of file sizes, loses only the lines that
// did not fit.
func TestAShortWriteKeepsWhatFitted(t *testing.T) {
	h := header(20000, 1)
	path := filepath.Join(t.TempDir(), "j")
	w, err := Create(path, h)
	if err != nil {
		t.Fatal(err)
	}
	const limit = 200_001 // in the middle of a line
	limitFileSize(t, limit)
	for iv := range h.Parts(h.Interval) {
		if err = w.Append(chunk(h, iv)); err != nil {
			break
		}
	}
	if !errors.Is(err, syscall.EFBIG) {
		t.Fatalf("appending to a file that is too long: %v", err)
	}
	if again := w.Close(); again != err {
		t.Errorf("Close returns %v after %v", again, err)
	}
	b := read(t, path)
	r, got, err := readAll(b)
	if err != nil || int(r.offset) != len(b) {
		t.Fatalf("%d bytes of %d are valid, %v", r.offset, len(b), err)
	}
	if lost := limit - len(b); lost < 0 || lost > 1000 {
		t.Errorf("%d bytes of %d are there", len(b), limit)
	}
	limitFileSize(t, 1<<30)
	w, again := mustResume(t, path, h)
	if len(again) != len(got) {
		t.Errorf("resumed with %d chunks of %d", len(again), len(got))
	}
	mustClose(t, w)
}

func limitFileSize(t *testing.T, size uint64) {
	var old syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_FSIZE, &old); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &syscall.Rlimit{Cur: size, Max: old.Max}); err != nil {
		t.Skip(err)
	}
	t.Cleanup(func() { syscall.Setrlimit(syscall.RLIMIT_FSIZE, &old) })
}

// What follows the last line, here half a GiB of zeros, takes no memory. Nor does a line of
// zeros.
func TestLongTailsTakeNoMemory(t *testing.T) {
	h := header(100, 25)
	good := fileOf(t, h, parts(h)...)
	for name, c := range map[string]struct {
		zeros  int64
		tail   string
		intact bool
	}{"no newline": {512 << 20, "", true}, "a newline": {512 << 20, "\n", false}} {
		t.Run(name, func(t *testing.T) {
			path := write(t, "j", good)
			f, err := os.OpenFile(path, os.O_RDWR, 0)
			if err == nil {
				_, err = f.WriteAt([]byte(c.tail), int64(len(good))+c.zeros)
			}
			if err == nil && c.tail == "" {
				err = f.Truncate(int64(len(good)) + c.zeros)
			}
			if err != nil {
				t.Skip(err)
			}
			f.Close()
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			s, err := Open(t.Context(), []string{path})
			status, statusErr := ReadCoverage(t.Context(), path)
			runtime.ReadMemStats(&after)
			if used := after.TotalAlloc - before.TotalAlloc; used > 4<<20 {
				t.Errorf("reading took %d MiB", used>>20)
			}
			if err != nil || statusErr != nil || !status.Complete() || c.intact != (len(s.Damage()) == 0) || !c.intact && s.Damage()[0].Line != 6 {
				t.Errorf("%v, %v, %v", err, status, statusErr)
			}
			if !c.intact {
				return
			}
			w, _ := mustResume(t, path, h)
			mustClose(t, w)
			if b := read(t, path); string(b) != string(good) {
				t.Errorf("Resume left %d bytes of %d", len(b), len(good))
			}
		})
	}
}

// Whoever reads or writes journals ends soon after he was asked to.
func TestReadingEndsWhenAsked(t *testing.T) {
	h := header(1<<30, 1)
	dir := t.TempDir()
	path := filepath.Join(dir, "j")
	var all []ipc.Interval
	for i := range int64(100_000) {
		all = append(all, ipc.Interval{Start: h.Interval.Start + i, End: h.Interval.Start + i + 1})
	}
	if err := os.WriteFile(path, fileOf(t, h, all...), 0o666); err != nil {
		t.Fatal(err)
	}
	set, err := Open(t.Context(), []string{path})
	if err != nil {
		t.Fatal(err)
	}
	for name, read := range map[string]func(context.Context) error{
		"Open":         func(ctx context.Context) error { _, err := Open(ctx, []string{path}); return err },
		"ReadCoverage": func(ctx context.Context) error { _, err := ReadCoverage(ctx, path); return err },
		"Resume":       func(ctx context.Context) error { _, err := Resume(ctx, path, h, nil); return err },
		"Fold":         func(ctx context.Context) error { return set.Fold(ctx, func(ipc.Interval, []byte) error { return nil }) },
		"Write":        func(ctx context.Context) error { return set.Write(ctx, filepath.Join(dir, "k"), "", nil) },
	} {
		t.Run(name, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), 5*time.Millisecond)
			defer cancel()
			begin := time.Now()
			if err := read(ctx); !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("%v", err)
			}
			t.Logf("ended %v after it was asked", time.Since(begin)-5*time.Millisecond)
			onlyHas(t, dir, "j")
		})
	}
}
