package journal

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"procpool/ipc"
)

// fold opens journals and adds them up.
func fold(t testing.TB, h Header, paths ...string) uint64 {
	t.Helper()
	s, err := Open(t.Context(), paths)
	if err == nil {
		err = s.Complete()
	}
	if err != nil {
		t.Fatal(err)
	}
	sum := total{exact: h.Exact}
	next := h.Interval.Start
	err = s.Fold(t.Context(), func(iv ipc.Interval, partial []byte) error {
		if iv.Start != next {
			return fmt.Errorf("%v comes after %d", iv, next)
		}
		next = iv.End
		return sum.Add(partial)
	})
	if err != nil || next != h.Interval.End {
		t.Fatalf("folded up to %d: %v", next, err)
	}
	return sum.bits
}

// The bits of a merge do not depend on the number of shares, the order of their lines,
// the order of the journals, and the tree of merges.
func TestMergeGivesTheSameBits(t *testing.T) {
	for seed := range uint64(60) {
		r := rand.New(rand.NewPCG(seed, 3))
		h := header(50+r.Int64N(3000), 1+r.Int64N(40))
		h.Exact = seed%2 == 0
		want := undivided(h)
		dir := t.TempDir()
		var paths []string
		n := 2 + r.Int64N(20)
		for k := int64(1); k <= n; k++ {
			share := h
			share.Share = Share{k, n}
			lines := parts(share)
			if r.IntN(2) == 0 {
				lines = shuffled(r, lines)
			}
			path := filepath.Join(dir, fmt.Sprint("share", k))
			// Some journals end with an incomplete line.
			torn := fileOf(t, share, lines...)[:r.IntN(2)*20]
			if err := os.WriteFile(path, append(fileOf(t, share, lines...), torn...), 0o666); err != nil {
				t.Fatal(err)
			}
			paths = append(paths, path)
		}
		for level := 0; ; level++ {
			r.Shuffle(len(paths), func(i, j int) { paths[i], paths[j] = paths[j], paths[i] })
			if got := fold(t, h, paths...); got != want {
				t.Fatalf("seed %d, level %d: %d journals give %x, want %x", seed, level, len(paths), got, want)
			}
			if len(paths) == 1 {
				break
			}
			paths = mergeSome(t, r, dir, level, paths)
		}
		checkMerged(t, h, paths[0], n)
	}
}

// mergeSome merges the journals in groups of a random size. A group may have gaps,
// which others fill.
func mergeSome(t *testing.T, r *rand.Rand, dir string, level int, paths []string) []string {
	t.Helper()
	var merged []string
	for group := range slices.Chunk(paths, 2+r.IntN(4)) {
		s, err := Open(t.Context(), group)
		if err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(dir, fmt.Sprint("merged", level, ".", len(merged)))
		if err := s.Write(t.Context(), path, "test", &total{exact: s.Header().Exact}); err != nil {
			t.Fatal(err)
		}
		merged = append(merged, path)
	}
	return merged
}

func checkMerged(t *testing.T, h Header, path string, shares int64) {
	t.Helper()
	got, err := ReadHeader(path)
	if err != nil || got.Key() != h.Key() || got.Share != (Share{}) || int64(got.Merged) != shares {
		t.Fatalf("the last merge has the header %+v, %v", got, err)
	}
	if c, err := ReadCoverage(t.Context(), path); err != nil || !c.Complete() {
		t.Fatalf("the last merge has %v, %v", c, err)
	}
	lines := int64(bytes.Count(read(t, path), []byte("\n"))) - 1
	if h.Exact && lines != 1 || !h.Exact && lines != h.Chunks {
		t.Fatalf("the last merge of %d shares has %d lines for %d chunks", shares, lines, h.Chunks)
	}
}

// The chunks of these journals interleave out of order, unlike those of any run.
func TestMergeOfInterleavedJournals(t *testing.T) {
	r := rand.New(rand.NewPCG(4, 4))
	h := header(2000, 3)
	lines := shuffled(r, parts(h))
	var paths []string
	for piece := range slices.Chunk(lines, 100) {
		paths = append(paths, write(t, "j", fileOf(t, h, piece...)))
	}
	if got := fold(t, h, paths...); got != undivided(h) {
		t.Errorf("%d journals give %x, want %x", len(paths), got, undivided(h))
	}
}

func TestMergeOfNothing(t *testing.T) {
	h := header(0, 1)
	if got := fold(t, h, write(t, "j", fileOf(t, h))); got != 0 {
		t.Errorf("an empty input gives %x", got)
	}
	if _, err := Open(t.Context(), nil); err == nil {
		t.Error("Open without journals returns no error")
	}
}

func TestMergeNamesEveryProblem(t *testing.T) {
	h := header(100, 5) // shares of 4: [3, 28) [28, 53) [53, 78) [78, 103)
	dir := t.TempDir()
	put := func(name string, k, n int64, lines int, change func(*Header)) {
		h := h
		if n > 0 {
			h.Share = Share{k, n}
		}
		if change != nil {
			change(&h)
		}
		if err := os.WriteFile(filepath.Join(dir, name), fileOf(t, h, parts(h)[:lines]...), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	for k := range int64(4) {
		put(fmt.Sprintf("s%d", k+1), k+1, 4, 5, nil)
	}
	put("s2cut", 2, 4, 3, nil)
	put("s2copy", 2, 4, 2, nil)
	put("s2none", 2, 4, 0, nil)
	put("half", 1, 2, 10, nil)
	put("third", 2, 3, 6, nil)
	put("whole", 0, 0, 1, nil)
	put("pi", 2, 4, 5, func(h *Header) { h.Task = "pi" })
	put("old", 2, 4, 5, func(h *Header) { h.TaskVersion = "0" })
	for _, c := range []struct {
		paths string
		want  string // problems, whatever the order of the paths
	}{
		{"s1 s2 s3 s4", ""},
		{"s1 s2 s4", "gap [53, 78): no journal covers [53, 78) (share 3/4)"},
		{"s1 s4", "gap [28, 78): no journal covers [28, 78) (shares 2-3 of 4)"},
		{"s2 s3", "gap [3, 28): no journal covers [3, 28) (share 1/4); gap [78, 103): no journal covers [78, 103) (share 4/4)"},
		{"s1 s2cut s3 s4", "unfinished [43, 53): s2cut lacks [43, 53) of its share 2/4"},
		{"s1 s2none s3 s4", "unfinished [28, 53): s2none lacks [28, 53) of its share 2/4"},
		{"s1 s2cut s3", "unfinished [43, 53): s2cut lacks [43, 53) of its share 2/4; gap [78, 103): no journal covers [78, 103) (share 4/4)"},
		{"s1 s2 s2none s3 s4", ""},
		{"s1 s2cut s2copy s3 s4", "overlap [28, 38): s2copy and s2cut both are share 2/4"},
		{"s1 s2 s2 s3 s4", "overlap [28, 53): s2 is given twice"},
		{"half s3 s4", ""},
		{"half s4", "gap [53, 78): no journal covers [53, 78)"},
		{"half s2 s3 s4", "overlap [28, 53): half and s2 both cover [28, 53)"},
		{"s1 s2 third s3 s4", "overlap [38, 53): s2 and third both cover [38, 53); overlap [53, 68): third and s3 both cover [53, 68)"},
		{"whole s2 s3 s4", "gap [8, 28): no journal covers [8, 28) (share 1/4)"},
		{"s1 pi s3 s4 s2", "foreign [3, 103): pi belongs to another job: its task is pi, that of the others is harmonic"},
		{"s1 pi s3 s3 old", `overlap [53, 78): s3 is given twice; foreign [3, 103): old belongs to another job: its task version is "0", that of the others is "1"; foreign [3, 103): pi belongs to another job: its task is pi, that of the others is harmonic`},
	} {
		names := strings.Fields(c.paths)
		for range 4 {
			rand.Shuffle(len(names), func(i, j int) { names[i], names[j] = names[j], names[i] })
			if got := problems(t, dir, names); !sameProblems(got, c.want) {
				t.Fatalf("%v:\n%s\nwant\n%s", names, strings.Join(got, "; "), c.want)
			}
		}
	}
}

// problems merges these files and returns the problems as text.
func problems(t *testing.T, dir string, names []string) []string {
	t.Helper()
	t.Chdir(dir)
	s, err := Open(t.Context(), names)
	if err == nil {
		err = s.Complete()
	}
	var m *MergeError
	if err != nil && !errors.As(err, &m) {
		t.Fatal(err)
	}
	var out []string
	if m != nil {
		for _, p := range m.Problems {
			out = append(out, fmt.Sprintf("%s %v: %s", p.Kind, p.Interval, p.Text))
		}
		if first := m.Problems[0].Text; !strings.Contains(m.Error(), first) || strings.Contains(m.Error(), "\n") {
			t.Errorf("the error is %q", m.Error())
		}
	}
	return out
}

func sameProblems(got []string, want string) bool {
	w := strings.Split(want, "; ")
	if want == "" {
		w = nil
	}
	slices.Sort(w)
	return slices.Equal(slices.Sorted(slices.Values(got)), w)
}

func TestWriteNeverOverwrites(t *testing.T) {
	h := header(100, 25)
	path := write(t, "j", fileOf(t, h, parts(h)...))
	s, err := Open(t.Context(), []string{path})
	if err != nil {
		t.Fatal(err)
	}
	var e *ExistsError
	if err := s.Write(t.Context(), path, "test", nil); !errors.As(err, &e) {
		t.Errorf("Write over its own source: %v", err)
	}
	target := filepath.Join(t.TempDir(), "merged")
	if err := s.Write(t.Context(), target, "test", nil); err != nil {
		t.Fatal(err)
	}
	if got := fold(t, h, target); got != undivided(h) {
		t.Errorf("the merge gives %x", got)
	}
	onlyHas(t, filepath.Dir(target), "merged")
}

// onlyHas fails the test unless these names are all that the directory has.
func onlyHas(t *testing.T, dir string, want ...string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	if !slices.Equal(names, want) {
		t.Errorf("the directory has %q, not %q", names, want)
	}
}

// A name that appears while a merge writes is not replaced, and of two merges to one
// name one writes it.
func TestTheTargetOfAMergeAppears(t *testing.T) {
	h := header(100, 25)
	source := write(t, "j", fileOf(t, h, parts(h)...))
	for name, appear := range map[string]func(path string) error{
		"file":        func(path string) error { return os.WriteFile(path, []byte("dear diary"), 0o666) },
		"hard link":   func(path string) error { return os.Link(source, path) },
		"dead link":   func(path string) error { return os.Symlink("nowhere", path) },
		"other merge": nil,
	} {
		t.Run(name, func(t *testing.T) {
			s, err := Open(t.Context(), []string{source})
			if err != nil {
				t.Fatal(err)
			}
			before := read(t, source)
			dir := t.TempDir()
			target := filepath.Join(dir, "merged")
			file, w, err := createUnnamed(target, s.header)
			if err == nil {
				w, err = w.start()
			}
			if err == nil {
				err = s.visitLines(t.Context(), w.appendRaw)
			}
			if err == nil {
				err = w.finish()
			}
			if err == nil && appear != nil {
				err = appear(target)
			} else if err == nil {
				err = s.Write(t.Context(), target, "test", nil)
			}
			if err != nil {
				t.Fatal(err)
			}
			var e *ExistsError
			if err := publish(file); !errors.As(err, &e) || e.Path != target {
				t.Errorf("the merge ends with %v", err)
			}
			file.Discard()
			onlyHas(t, dir, "merged")
			if !bytes.Equal(read(t, source), before) {
				t.Error("the source was changed")
			}
			if appear == nil && fold(t, h, target) != undivided(h) {
				t.Error("the other merge was disturbed")
			}
		})
	}
}

// Write notices that a source changed after Open, and leaves no file.
func TestWriteOfADamagedSource(t *testing.T) {
	h := header(100, 25)
	path := write(t, "j", fileOf(t, h, parts(h)...))
	s, err := Open(t.Context(), []string{path})
	if err != nil {
		t.Fatal(err)
	}
	b := read(t, path)
	b[len(b)-20] ^= 1
	if err := os.WriteFile(path, b, 0o666); err != nil {
		t.Fatal(err)
	}
	target := filepath.Join(t.TempDir(), "merged")
	if err := s.Write(t.Context(), target, "test", nil); err == nil || !strings.Contains(err.Error(), "changed while it was read") {
		t.Errorf("Write returns %v", err)
	}
	onlyHas(t, filepath.Dir(target))
}

var manyShares = flag.Int64("shares", 2000, "how many shares TestManyShares merges")

// TestManyShares merges the shares of a large job array with
// go test -run TestManyShares -v -args -shares 100000
func TestManyShares(t *testing.T) {
	n := *manyShares
	r := rand.New(rand.NewPCG(5, 5))
	h := header(n*40, 10) // four chunks each
	dir := t.TempDir()
	paths := make([]string, n)
	for k := range n {
		share := h
		share.Share = Share{k + 1, n}
		paths[k] = filepath.Join(dir, fmt.Sprint(k+1))
		if err := os.WriteFile(paths[k], fileOf(t, share, shuffled(r, parts(share))...), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	r.Shuffle(len(paths), func(i, j int) { paths[i], paths[j] = paths[j], paths[i] })
	start := time.Now()
	s, err := Open(t.Context(), paths)
	if err == nil {
		err = s.Complete()
	}
	if err != nil {
		t.Fatal(err)
	}
	opened := time.Since(start)
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	sum := total{}
	if err := s.Fold(t.Context(), func(_ ipc.Interval, p []byte) error { return sum.Add(p) }); err != nil || sum.bits != undivided(h) {
		t.Fatalf("%d shares give %x, want %x, %v", n, sum.bits, undivided(h), err)
	}
	folded := time.Since(start)
	if err := s.Write(t.Context(), filepath.Join(dir, "merged"), "test", nil); err != nil {
		t.Fatal(err)
	}
	t.Logf("%d shares of 4 chunks: opened in %v, folded in %v more, written in %v more; heap %d MB",
		n, opened, folded-opened, time.Since(start)-folded, m.HeapAlloc>>20)
}
