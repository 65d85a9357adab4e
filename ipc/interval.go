package ipc

import (
	"fmt"
	"iter"
)

// MaxIndex is the largest bound an Interval may have: 2^62. It leaves room to
// compute 2*i+1 and sums of two bounds without overflow.
const MaxIndex = int64(1) << 62

// An Interval is the half-open range of indices [Start, End), with
// 0 <= Start <= End <= MaxIndex. The zero value is the empty interval [0, 0).
type Interval struct {
	Start int64 `msgpack:"start" json:"start"`
	End   int64 `msgpack:"end" json:"end"`
}

// Len is the number of indices in iv.
func (iv Interval) Len() int64 { return iv.End - iv.Start }

// String prints iv in mathematical notation: [Start, End).
func (iv Interval) String() string { return fmt.Sprintf("[%d, %d)", iv.Start, iv.End) }

// Validate reports why iv is not an interval, or nil.
func (iv Interval) Validate() error {
	switch {
	case iv.Start < 0:
		return fmt.Errorf("interval %v starts below 0", iv)
	case iv.End > MaxIndex:
		return fmt.Errorf("interval %v ends beyond 2^62", iv)
	case iv.Start > iv.End:
		return fmt.Errorf("interval %v starts beyond its end", iv)
	}
	return nil
}

// A Grid is a way to cut an interval into N parts without storing them: part p
// is [Start+p*Size, Start+(p+1)*Size), and the last one ends where the whole
// does, longer or shorter than the others. Both rules that procpool knows are
// grids. The zero value has no parts.
type Grid struct {
	Whole Interval
	Size  int64 // of every part but the last, in indices
	N     int64 // number of parts
}

// SplitGrid is the tutorial's rule over blocks of grain indices: every part
// has (len/grain)/parts*grain indices and the last one takes the remainder as
// well. Parts are empty where there are more parts than blocks. A grain below
// 1 means 1; parts below 1 gives the zero Grid.
func SplitGrid(whole Interval, parts int, grain int64) Grid {
	if parts < 1 {
		return Grid{}
	}
	grain = max(grain, 1)
	return Grid{Whole: whole, Size: whole.Len() / grain / int64(parts) * grain, N: int64(parts)}
}

// ChunkGrid cuts whole every size indices; the last part is the shorter one.
// An empty interval has no parts, and neither has a size below 1.
func ChunkGrid(whole Interval, size int64) Grid {
	if size < 1 || whole.Len() <= 0 {
		return Grid{Whole: whole}
	}
	return Grid{Whole: whole, Size: size, N: (whole.Len()-1)/size + 1}
}

// At is part p of the grid, 0 <= p < N.
func (g Grid) At(p int64) Interval {
	start := g.Whole.Start + p*g.Size
	if p == g.N-1 {
		return Interval{start, g.Whole.End}
	}
	return Interval{start, start + g.Size}
}

// Within is the range [first, end) of the parts that are not empty and lie wholly
// in iv.
func (g Grid) Within(iv Interval) (first, end int64) {
	iv.Start, iv.End = max(iv.Start, g.Whole.Start), min(iv.End, g.Whole.End)
	if iv.Start >= iv.End || g.N == 0 {
		return 0, 0
	}
	last := g.At(g.N - 1)
	if g.Size > 0 {
		first = min((iv.Start-g.Whole.Start+g.Size-1)/g.Size, g.N-1)
		end = min((iv.End-g.Whole.Start)/g.Size, g.N-1)
	} else {
		first, end = g.N-1, g.N-1 // all others are empty
	}
	if iv.Start <= last.Start && iv.End == last.End && last.Len() > 0 {
		return first, g.N
	}
	return first, max(first, end)
}

// All yields the parts in order.
func (g Grid) All() iter.Seq[Interval] {
	return func(yield func(Interval) bool) {
		for p := range g.N {
			if !yield(g.At(p)) {
				return
			}
		}
	}
}

// Split cuts whole by the tutorial's rule: with chunk = len/parts, part p is
// [Start+p*chunk, Start+(p+1)*chunk), and the last one takes the remainder.
func Split(whole Interval, parts int) []Interval {
	g := SplitGrid(whole, parts, 1)
	out := make([]Interval, 0, g.N)
	for iv := range g.All() {
		out = append(out, iv)
	}
	return out
}

// Chunks yields the parts of a fixed grid of size indices, in order; only the
// last may be shorter.
func Chunks(whole Interval, size int64) iter.Seq[Interval] {
	return ChunkGrid(whole, size).All()
}
