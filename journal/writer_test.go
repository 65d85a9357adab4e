package journal

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"procpool/ipc"
)

func TestCreateAppendResume(t *testing.T) {
	h := header(100, 7)
	path := filepath.Join(t.TempDir(), "j")
	w, err := Create(path, h)
	if err != nil {
		t.Fatal(err)
	}
	p := parts(h)
	mustAppend(t, w, h, p[3], p[0], p[1])
	if c := w.Coverage(); c != (Coverage{Total: h.Interval.Len(), Covered: 21, Done: 3, Chunks: 15}) || c.Percent() != 21 {
		t.Errorf("the coverage is %+v", c)
	}
	mustClose(t, w)
	if err := w.Append(chunk(h, p[5])); err == nil {
		t.Error("Append succeeds after Close")
	}
	mustClose(t, w)

	w, got := mustResume(t, path, h)
	if want := []ipc.Interval{p[3], p[0], p[1]}; !slices.Equal(got, want) {
		t.Errorf("Resume replays %v, want %v", got, want)
	}
	if w.Header().Created != h.Created {
		t.Errorf("the header became %+v", w.Header())
	}
	var ledger ipc.Ledger
	for _, iv := range got {
		ledger.Add(iv)
	}
	for gap := range ledger.Gaps(h.Interval) {
		for iv := range h.Parts(gap) {
			mustAppend(t, w, h, iv)
		}
	}
	mustClose(t, w)
	if s, err := ReadCoverage(t.Context(), path); err != nil || !s.Complete() || s.Percent() != 100 || s.Done != 15 {
		t.Errorf("at the end the coverage is %+v, %v", s, err)
	}
	if got, err := ReadHeader(path); err != nil || got.Key() != h.Key() || got.Build != h.Build {
		t.Errorf("ReadHeader: %+v, %v", got, err)
	}
}

func TestResumeCreates(t *testing.T) {
	h := header(100, 25)
	path := filepath.Join(t.TempDir(), "j")
	w, got := mustResume(t, path, h)
	if len(got) != 0 {
		t.Errorf("a new journal replays %v", got)
	}
	mustClose(t, w)
	h.Created = time.Time{}
	w, _ = mustResume(t, write(t, "empty", nil), h)
	if w.Header().Created.IsZero() {
		t.Error("Created is zero")
	}
}

func TestReplayCanRefuse(t *testing.T) {
	h := header(100, 25)
	path := write(t, "j", fileOf(t, h, parts(h)...))
	bad := errors.New("bad partial")
	if _, err := Resume(t.Context(), path, h, func(ipc.Interval, []byte) error { return bad }); err != bad {
		t.Errorf("Resume returns %v", err)
	}
	mustResume(t, path, h) // the journal is not locked any more
}

func TestCreateNeverOverwrites(t *testing.T) {
	h := header(100, 25)
	path := write(t, "j", []byte("dear diary"))
	_, err := Create(path, h)
	var e *ExistsError
	if !errors.As(err, &e) || !errors.Is(err, fs.ErrExist) || !strings.Contains(e.Hint(), "--resume") {
		t.Errorf("Create on a file returns %v", err)
	}
	if _, err = Resume(t.Context(), path, h, nil); err == nil {
		t.Error("Resume accepts a file that is not a journal")
	}
	if b, _ := os.ReadFile(path); string(b) != "dear diary" {
		t.Errorf("the file became %q", b)
	}
}

func TestResumeRefusesAnotherJob(t *testing.T) {
	good := header(100, 25)
	path := write(t, "j", fileOf(t, good))
	for _, c := range []struct {
		field, have, want string
		change            func(*Header)
	}{
		{"task", "harmonic", "pi", func(h *Header) { h.Task = "pi" }},
		{"task version", `"1"`, `""`, func(h *Header) { h.TaskVersion = "" }},
		{"interval", "[3, 103)", "[4, 103)", func(h *Header) { h.Interval.Start = 4 }},
		{"grain", "1", "5", func(h *Header) { h.Grain = 5 }},
		{"chunk grid", "4 chunks of 25", "2 chunks of 50", func(h *Header) { h.Chunks, h.ChunkSize = 2, 50 }},
		{"exactness", "false", "true", func(h *Header) { h.Exact = true }},
		{"share", "whole", "1/2", func(h *Header) { h.Share = Share{1, 2} }},
	} {
		h := good
		c.change(&h)
		_, err := Resume(t.Context(), path, h, nil)
		var m *MismatchError
		if !errors.As(err, &m) || *m != (MismatchError{path, c.field, c.have, c.want}) {
			t.Errorf("another %s: %+v", c.field, err)
		}
	}
	same := good
	same.Build, same.Grain, same.Procs, same.Created = "newer", 0, 9, time.Time{}
	mustResume(t, path, same)
}

func TestAppendRefuses(t *testing.T) {
	h := header(100, 25)
	h.Share = Share{1, 2} // [3, 53)
	path := filepath.Join(t.TempDir(), "j")
	w, _ := mustResume(t, path, h)
	good := chunk(h, ipc.Interval{Start: 3, End: 28})
	if err := w.Append(good); err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string]func(*Entry){
		"twice":           func(c *Entry) {},
		"off the grid":    func(c *Entry) { c.Interval = ipc.Interval{Start: 29, End: 53} },
		"two chunks":      func(c *Entry) { c.Interval = ipc.Interval{Start: 3, End: 53} },
		"another share":   func(c *Entry) { c.Interval = ipc.Interval{Start: 53, End: 78} },
		"no partial":      func(c *Entry) { c.Interval.Start, c.Interval.End, c.Partial = 28, 53, nil },
		"not JSON":        func(c *Entry) { c.Interval.Start, c.Interval.End, c.Value = 28, 53, []byte("NaN") },
		"JSON of 2 lines": func(c *Entry) { c.Interval.Start, c.Interval.End, c.Value = 28, 53, []byte("[1,\n2]") },
	} {
		c := good
		change(&c)
		if w.Append(c) == nil {
			t.Errorf("%s: %v is accepted", name, c.Interval)
		}
	}
	if err := w.Append(Entry{}); err != nil {
		t.Errorf("an empty interval: %v", err)
	}
	mustAppend(t, w, h, ipc.Interval{Start: 28, End: 53})
	mustClose(t, w)
	if _, got, err := readAll(read(t, path)); err != nil || len(got) != 2 {
		t.Errorf("the journal holds %v, %v", got, err)
	}
}

func read(t testing.TB, path string) []byte {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// A chunk is in the file a second after it was appended, even if no other is appended
// and the journal is not closed. The clock is fake.
func TestAppendReachesTheFileWithinASecond(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := header(100, 25)
		path := filepath.Join(t.TempDir(), "j")
		w, _ := mustResume(t, path, h)
		for i, iv := range parts(h) {
			mustAppend(t, w, h, iv)
			time.Sleep(time.Second)
			synctest.Wait()
			if _, got, err := readAll(read(t, path)); err != nil || len(got) != i+1 {
				t.Fatalf("after %d chunks and as many seconds the file has %v, %v", i+1, got, err)
			}
		}
		mustClose(t, w)
	})
}

func TestConcurrentAppends(t *testing.T) {
	h := header(4000, 1)
	path := filepath.Join(t.TempDir(), "j")
	w, _ := mustResume(t, path, h)
	var wg sync.WaitGroup
	for g := range 8 {
		wg.Go(func() {
			for i, iv := range parts(h) {
				if i%8 == g {
					mustAppend(t, w, h, iv)
				}
			}
		})
	}
	wg.Wait()
	mustClose(t, w)
	if _, got, err := readAll(read(t, path)); err != nil || len(got) != 4000 {
		t.Errorf("%d of 4000 chunks, %v", len(got), err)
	}
}

func TestRemovedJournal(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("an open file cannot be removed here")
	}
	h := header(100, 25)
	for name, act := range map[string]func(path string){
		"removed":  func(path string) { os.Remove(path) },
		"replaced": func(path string) { os.Rename(write(t, "other", nil), path) },
	} {
		path := filepath.Join(t.TempDir(), "j")
		w, _ := mustResume(t, path, h)
		mustAppend(t, w, h, parts(h)[0])
		act(path)
		if err := w.Close(); err == nil || !strings.Contains(err.Error(), "removed or replaced") {
			t.Errorf("%s: Close returns %v", name, err)
		}
	}
}

func TestImpossiblePaths(t *testing.T) {
	h := header(100, 25)
	dir := t.TempDir()
	file := write(t, "file", nil)
	for _, path := range []string{filepath.Join(dir, "missing", "j"), filepath.Join(file, "j"), dir, "", "\x00"} {
		for name, open := range map[string]func() (*Writer, error){
			"Create": func() (*Writer, error) { return Create(path, h) },
			"Resume": func() (*Writer, error) { return Resume(t.Context(), path, h, nil) },
		} {
			if w, err := open(); err == nil {
				w.Close()
				t.Errorf("%s(%q) succeeds", name, path)
			} else if !strings.Contains(err.Error(), path) {
				t.Errorf("%s(%q) does not name the path: %v", name, path, err)
			}
		}
	}
}

func TestDirectoryThatMayNotBeWrittenTo(t *testing.T) {
	if runtime.GOOS == "windows" || os.Getuid() == 0 {
		t.Skip("permissions of directories do not bind this user")
	}
	dir := t.TempDir()
	if err := os.Chmod(dir, 0o555); err != nil {
		t.Fatal(err)
	}
	if _, err := Create(filepath.Join(dir, "j"), header(100, 25)); !errors.Is(err, fs.ErrPermission) {
		t.Errorf("Create: %v", err)
	}
}

// After a failed write, every Append and Close return its error. A failed fsync takes
// its place, since it says more. (On a device each fsync fails.)
func TestFailuresAreSticky(t *testing.T) {
	full, err := os.OpenFile("/dev/full", os.O_RDWR, 0)
	if err != nil {
		t.Skip("there is no /dev/full here")
	}
	h := header(1<<20, 1)
	w := &Writer{path: "/dev/full", at: "/dev/full", file: full, header: h, unlock: func() {}}
	if w, err = w.start(); err != nil {
		t.Fatal(err)
	}
	n := 0
	for iv := range h.Parts(h.Interval) {
		if err = w.Append(chunk(h, iv)); err != nil {
			break
		}
		n++
	}
	if err == nil || n > 2*writeAbove/100 {
		t.Fatalf("after %d appends to a full disk: %v", n, err)
	}
	if again := w.Append(chunk(h, ipc.Interval{Start: 9, End: 10})); again != err {
		t.Errorf("the next Append returns %v", again)
	}
	var unsynced *SyncError
	if err := w.Close(); !errors.As(err, &unsynced) || err != w.Close() || unsynced.Path != "/dev/full" {
		t.Errorf("Close returns %v", err)
	}
	if _, err := Resume(t.Context(), "/dev/full", h, nil); err == nil || !strings.Contains(err.Error(), "not a regular file") {
		t.Errorf("Resume of /dev/full: %v", err)
	}
}

// Two runs that begin one journal at once: one has it, and the other is told.
func TestTwoRunsBeginAtOnce(t *testing.T) {
	h := header(100, 25)
	for _, resume := range []bool{false, true} {
		path := filepath.Join(t.TempDir(), "j")
		var won atomic.Int32
		var all sync.WaitGroup
		for range 16 {
			all.Go(func() {
				open := func() (*Writer, error) { return Create(path, h) }
				if resume {
					open = func() (*Writer, error) { return Resume(t.Context(), path, h, nil) }
				}
				w, err := open()
				var exists *ExistsError
				var locked *LockedError
				switch {
				case err == nil:
					won.Add(1)
					t.Cleanup(func() { w.Close() })
				case !errors.As(err, &exists) && !errors.As(err, &locked):
					t.Error(err)
				}
			})
		}
		all.Wait()
		if won.Load() != 1 {
			t.Errorf("resume=%t: %d runs have the journal", resume, won.Load())
		}
		onlyHas(t, filepath.Dir(path), "j")
	}
}

// A symbolic link to nothing is refused. One to a journal is followed.
func TestLinks(t *testing.T) {
	h := header(100, 25)
	dir := t.TempDir()
	link := filepath.Join(dir, "link")
	if err := os.Symlink("nowhere", link); err != nil {
		t.Skip(err)
	}
	if _, err := Resume(t.Context(), link, h, nil); err == nil || !strings.Contains(err.Error(), "link to a file that does not exist") {
		t.Errorf("Resume: %v", err)
	}
	var e *ExistsError
	if _, err := Create(link, h); !errors.As(err, &e) {
		t.Errorf("Create: %v", err)
	}
	onlyHas(t, dir, "link")
	if err := os.Rename(write(t, "j", fileOf(t, h, parts(h)[0])), filepath.Join(dir, "nowhere")); err != nil {
		t.Fatal(err)
	}
	w, got := mustResume(t, link, h)
	mustAppend(t, w, h, parts(h)[1:]...)
	mustClose(t, w)
	if len(got) != 1 || fold(t, h, filepath.Join(dir, "nowhere")) != undivided(h) {
		t.Errorf("Resume reads %v", got)
	}
}

func TestAppendDoesNotAllocate(t *testing.T) {
	h := header(1<<20, 1)
	w, _ := mustResume(t, filepath.Join(t.TempDir(), "j"), h)
	c := chunk(h, ipc.Interval{Start: 3, End: 4})
	add := func() {
		if err := w.Append(c); err != nil {
			t.Fatal(err)
		}
		c.Interval.Start, c.Interval.End = c.Interval.End, c.Interval.End+1
	}
	for range 1000 { // until the buffer has its final size
		add()
	}
	if n := testing.AllocsPerRun(1000, add); n != 0 {
		t.Errorf("%v allocations for an Append", n)
	}
}

func BenchmarkAppend(b *testing.B) {
	h := header(1<<40, 1)
	w, _ := mustResume(b, filepath.Join(b.TempDir(), "j"), h)
	c := chunk(h, ipc.Interval{Start: 3, End: 4})
	b.ReportAllocs()
	for b.Loop() {
		if err := w.Append(c); err != nil {
			b.Fatal(err)
		}
		c.Interval.Start, c.Interval.End = c.Interval.End, c.Interval.End+1
	}
	mustClose(b, w)
}

func BenchmarkResume(b *testing.B) {
	h := header(10000, 1)
	path := write(b, "j", fileOf(b, h, parts(h)...))
	lines := 0
	for b.Loop() {
		w, err := Resume(b.Context(), path, h, func(ipc.Interval, []byte) error { lines++; return nil })
		if err != nil {
			b.Fatal(err)
		}
		w.file.Close() // without the fsync of Close
		close(w.quit)
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(lines), "ns/line")
}

func ExampleCoverage_Percent() {
	fmt.Println(Coverage{Total: 32000, Covered: 12000}.Percent())
	fmt.Println(Coverage{Total: 1 << 40, Covered: 1<<40 - 1}.Percent())
	// Output:
	// 37.5
	// 99.9
}
