package ipc

import (
	"errors"
	"math/rand/v2"
	"slices"
	"testing"
)

// A bitmap is a simple ledger with a bool for each index.
type bitmap []bool

// runs returns the maximal intervals in whole whose indices all have the value.
func (m bitmap) runs(whole Interval, value bool) []Interval {
	var out []Interval
	for i := whole.Start; i < whole.End; i++ {
		switch {
		case m[i] != value:
		case len(out) > 0 && out[len(out)-1].End == i:
			out[len(out)-1].End++
		default:
			out = append(out, Interval{i, i + 1})
		}
	}
	return out
}

// add covers iv, or returns the error that Ledger.Add must return.
func (m bitmap) add(iv Interval) *OverlapError {
	if covered := m.runs(iv, true); len(covered) > 0 {
		return &OverlapError{iv, covered[0]}
	}
	for i := iv.Start; i < iv.End; i++ {
		m[i] = true
	}
	return nil
}

func randomInterval(r *rand.Rand, size, longest int64) Interval {
	start := r.Int64N(size + 1)
	return Interval{start, min(start+r.Int64N(longest+1), size)}
}

func TestLedgerAgainstABitmap(t *testing.T) {
	for seed := range uint64(60) {
		r := rand.New(rand.NewPCG(seed, 1))
		size := []int64{40, 400, 6000}[seed%3]
		longest := []int64{1, 2, 30}[seed/3%3]
		var l Ledger
		m := make(bitmap, size)
		for step := range size {
			iv := randomInterval(r, size, longest)
			err, want := l.Add(iv), m.add(iv)
			var got *OverlapError
			if errors.As(err, &got) != (want != nil) || want != nil && *got != *want {
				t.Fatalf("seed %d: Add(%v) = %v, want %v", seed, iv, err, want)
			}
			if size > 400 && step%500 != 0 {
				continue // comparing reads the whole bitmap
			}
			compare(t, &l, m, randomInterval(r, size, size))
		}
	}
}

func compare(t *testing.T, l *Ledger, m bitmap, window Interval) {
	t.Helper()
	all := Interval{0, int64(len(m))}
	runs := m.runs(all, true)
	if got := slices.Collect(l.Runs()); !slices.Equal(got, runs) {
		t.Fatalf("Runs are %v, want %v", got, runs)
	}
	var total int64
	for _, run := range runs {
		total += run.Len()
	}
	if l.Total() != total {
		t.Fatalf("Total is %d, want %d", l.Total(), total)
	}
	for _, w := range []Interval{all, window} {
		gaps := m.runs(w, false)
		if got := slices.Collect(l.Gaps(w)); !slices.Equal(got, gaps) {
			t.Fatalf("Gaps(%v) are %v, want %v", w, got, gaps)
		}
		if l.Covers(w) != (len(gaps) == 0) {
			t.Fatalf("Covers(%v) is %v with gaps %v", w, l.Covers(w), gaps)
		}
	}
}

// Adding every second index makes as many runs as possible and splits blocks. Adding
// the others removes the blocks again.
func TestLedgerOfManyRuns(t *testing.T) {
	const n = 20000
	r := rand.New(rand.NewPCG(7, 7))
	var l Ledger
	for parity := range 2 {
		for _, i := range r.Perm(n / 2) {
			at := int64(2*i + parity)
			if err := l.Add(Interval{at, at + 1}); err != nil {
				t.Fatal(err)
			}
		}
		for _, block := range l.blocks {
			if len(block) == 0 || len(block) > maxBlock {
				t.Fatalf("a block of %d runs", len(block))
			}
		}
	}
	if got := slices.Collect(l.Runs()); !slices.Equal(got, []Interval{{0, n}}) {
		t.Fatalf("Runs are %v", got)
	}
}

func TestLedgerRefuses(t *testing.T) {
	var l Ledger
	if err := l.Add(Interval{0, MaxIndex}); err != nil || l.Total() != MaxIndex {
		t.Fatalf("Add of everything: %v, total %d", err, l.Total())
	}
	for _, iv := range []Interval{{-1, 0}, {2, 1}, {0, MaxIndex + 1}, {0, 1}, {MaxIndex - 1, MaxIndex}} {
		if l.Add(iv) == nil {
			t.Errorf("Add(%v) is accepted", iv)
		}
	}
	if l.Total() != MaxIndex || !l.Covers(Interval{0, MaxIndex}) {
		t.Error("a refused Add changed the ledger")
	}
}

func TestLedgerInOrderDoesNotAllocate(t *testing.T) {
	var l Ledger
	next := int64(0)
	add := func() {
		if err := l.Add(Interval{next, next + 3}); err != nil {
			t.Fatal(err)
		}
		next += 3
	}
	add()
	if n := testing.AllocsPerRun(1000, add); n != 0 {
		t.Errorf("%v allocations for an in-order Add", n)
	}
}

func BenchmarkLedger(b *testing.B) {
	order := rand.New(rand.NewPCG(1, 1)).Perm(1 << 20)
	b.Run("in order", func(b *testing.B) {
		var l Ledger
		for i := int64(0); b.Loop(); i++ {
			l.Add(Interval{i, i + 1})
		}
	})
	b.Run("any order", func(b *testing.B) { // up to 260,000 runs at once
		var l Ledger
		for i := 0; b.Loop(); i++ {
			if i == len(order) {
				l, i = Ledger{}, 0
			}
			l.Add(Interval{int64(order[i]), int64(order[i]) + 1})
		}
	})
}
