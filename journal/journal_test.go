package journal

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"procpool/ipc"
)

// The task of these tests sums 1/(i+1), so its bits depend on the cuts and on the order
// of additions. If the header is exact, it sums the indices i modulo 2^64 instead.

func harmonic(iv ipc.Interval) []byte {
	sum := 0.0
	for i := iv.Start; i < iv.End; i++ {
		sum += 1 / float64(i+1)
	}
	return binary.BigEndian.AppendUint64(nil, math.Float64bits(sum))
}

func indices(iv ipc.Interval) []byte {
	sum := uint64(0)
	for i := iv.Start; i < iv.End; i++ {
		sum += uint64(i)
	}
	return binary.BigEndian.AppendUint64(nil, sum)
}

func compute(h Header, iv ipc.Interval) []byte {
	if h.Exact {
		return indices(iv)
	}
	return harmonic(iv)
}

// A total adds up partials of the task.
type total struct {
	exact bool
	bits  uint64
}

func (t *total) Add(partial []byte) error {
	if len(partial) != 8 {
		return fmt.Errorf("a partial of %d bytes", len(partial))
	}
	p := binary.BigEndian.Uint64(partial)
	if t.exact {
		t.bits += p
	} else {
		t.bits = math.Float64bits(math.Float64frombits(t.bits) + math.Float64frombits(p))
	}
	return nil
}

func (t *total) Take() ([]byte, json.RawMessage, error) {
	p, value := binary.BigEndian.AppendUint64(nil, t.bits), fmt.Sprint(t.bits)
	t.bits = 0
	return p, json.RawMessage(value), nil
}

// undivided returns the result of a run that is not interrupted or shared.
func undivided(h Header) uint64 {
	t := total{exact: h.Exact}
	for iv := range h.Grid().All() {
		t.Add(compute(h, iv))
	}
	return t.bits
}

// header returns the header of a job over [3, 3+n) with chunks of size.
func header(n, size int64) Header {
	g := ipc.ChunkGrid(ipc.Interval{Start: 3, End: 3 + n}, size)
	return Header{Task: "harmonic", TaskVersion: "1", Interval: g.Whole, Grain: 1, ChunkSize: g.Size, Chunks: g.N,
		Build: "test", Created: time.Date(2026, 1, 2, 3, 4, 5, 600e6, time.UTC)}
}

func chunk(h Header, iv ipc.Interval) Entry {
	return Entry{Interval: iv, Partial: compute(h, iv), Value: json.RawMessage("3.25"), Worker: 1, PID: 4711, Host: "n1",
		Started: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC), Elapsed: 250 * time.Millisecond, Attempts: 1}
}

// fileOf returns a journal with these chunks in this order. It does not use a Writer.
func fileOf(t testing.TB, h Header, intervals ...ipc.Interval) []byte {
	t.Helper()
	b, err := appendHeader(nil, h)
	if err != nil {
		t.Fatal(err)
	}
	key := h.Key()
	for _, iv := range intervals {
		c := chunk(h, iv)
		b = appendLine(b, &c, `"n1"`, key)
	}
	return b
}

func parts(h Header) (all []ipc.Interval) {
	for run := range h.Covers().Runs() {
		all = slices.AppendSeq(all, h.Parts(run))
	}
	return all
}

func ledgerOf(ivs ...ipc.Interval) *ipc.Ledger {
	l := &ipc.Ledger{}
	for _, iv := range ivs {
		mustAdd(l, iv)
	}
	return l
}

func write(t testing.TB, name string, b []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, b, 0o666); err != nil {
		t.Fatal(err)
	}
	return path
}

func shuffled(r *rand.Rand, in []ipc.Interval) []ipc.Interval {
	out := slices.Clone(in)
	r.Shuffle(len(out), func(i, j int) { out[i], out[j] = out[j], out[i] })
	return out
}

// mustResume continues a journal and returns what it replayed, in file order.
func mustResume(t testing.TB, path string, h Header) (*Writer, []ipc.Interval) {
	t.Helper()
	var replayed []ipc.Interval
	w, err := Resume(t.Context(), path, h, func(iv ipc.Interval, partial []byte) error {
		if string(partial) != string(compute(h, iv)) {
			t.Fatalf("%v comes back with another partial: %x", iv, partial)
		}
		replayed = append(replayed, iv)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { w.Close() })
	return w, replayed
}

func mustAppend(t testing.TB, w *Writer, h Header, intervals ...ipc.Interval) {
	t.Helper()
	for _, iv := range intervals {
		if err := w.Append(chunk(h, iv)); err != nil {
			t.Fatal(err)
		}
	}
}

func mustClose(t testing.TB, w *Writer) {
	t.Helper()
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
}
