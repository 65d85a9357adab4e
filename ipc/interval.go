package ipc

import (
	"fmt"
	"iter"
)

// MaxIndex is the largest bound of an Interval: 2^62. For smaller indices, 2*i+1 and
// sums of two bounds do not overflow.
const MaxIndex = int64(1) << 62

// An Interval is the half-open range of indices [Start, End), with
// 0 <= Start <= End <= MaxIndex. The zero value is the empty interval [0, 0).
type Interval struct {
	Start int64 `msgpack:"start" json:"start"`
	End   int64 `msgpack:"end" json:"end"`
}

// Len returns the number of indices in iv.
func (iv Interval) Len() int64 { return iv.End - iv.Start }

// String returns iv in mathematical notation: [Start, End).
func (iv Interval) String() string { return fmt.Sprintf("[%d, %d)", iv.Start, iv.End) }

// Validate returns an error if the bounds of iv are not those of an interval.
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

// A Grid divides an interval into N parts without storing them. All but the last have
// Size indices, except that the first Longer of them have Grain more. The last part ends
// where Whole ends, and so may be longer or shorter. The zero value has no parts.
type Grid struct {
	Whole  Interval
	Size   int64 // number of indices in every part but the last and the first Longer
	N      int64 // number of parts
	Longer int64 // number of parts that have Grain more indices, below N; only if Size is not 0
	Grain  int64 // 0 if Longer is
}

// SplitGrid divides whole into parts of equal size, by the rule of the tutorial: the
// last part takes the remainder as well. It cuts only at multiples of grain indices
// from the start of whole, so every part but the last has
// (len/grain)/parts*grain indices. If there are more parts than grains, all but the
// last are empty. A grain below 1 means 1. With parts below 1 the Grid is zero.
func SplitGrid(whole Interval, parts int, grain int64) Grid {
	if parts < 1 {
		return Grid{}
	}
	grain = max(grain, 1)
	return Grid{Whole: whole, Size: whole.Len() / grain / int64(parts) * grain, N: int64(parts)}
}

// ChunkGrid divides whole into parts of size indices. The last part may be shorter.
// There are no parts if whole is empty or size is below 1.
func ChunkGrid(whole Interval, size int64) Grid {
	if size < 1 || whole.Len() <= 0 {
		return Grid{Whole: whole}
	}
	return Grid{Whole: whole, Size: size, N: (whole.Len()-1)/size + 1}
}

// EvenGrid divides whole into parts whose sizes are within one grain of each other. It
// cuts only at multiples of grain indices from the start of whole; what is left at the
// end belongs to the last part. There are fewer parts if there are fewer grains, and
// none if whole is empty. A grain or parts below 1 mean 1.
func EvenGrid(whole Interval, parts, grain int64) Grid {
	if whole.Len() <= 0 {
		return Grid{Whole: whole}
	}
	grain = max(grain, 1)
	grains := whole.Len() / grain
	n := max(min(parts, grains), 1)
	g := Grid{Whole: whole, Size: grains / n * grain, N: n, Longer: grains % n}
	if g.Longer > 0 {
		g.Grain = grain
	}
	return g
}

// start returns where part p starts, with 0 <= p < N.
func (g Grid) start(p int64) int64 { return g.Whole.Start + p*g.Size + min(p, g.Longer)*g.Grain }

// At returns part p, with 0 <= p < N.
func (g Grid) At(p int64) Interval {
	if p == g.N-1 {
		return Interval{g.start(p), g.Whole.End}
	}
	return Interval{g.start(p), g.start(p + 1)}
}

// Find returns the number of the part that holds index x, which must lie in Whole, or is
// its end: then, and beyond the start of the last part, Find returns N-1. In a grid of
// size 0 all parts but the last are empty.
func (g Grid) Find(x int64) int64 {
	x -= g.Whole.Start
	long := g.Longer * (g.Size + g.Grain)
	switch {
	case g.Size == 0:
		return g.N - 1
	case x < long:
		return x / (g.Size + g.Grain)
	}
	return min(g.Longer+(x-long)/g.Size, g.N-1)
}

// Within is the range [first, end) of the parts that are not empty and lie wholly
// in iv.
func (g Grid) Within(iv Interval) (first, end int64) {
	iv.Start, iv.End = max(iv.Start, g.Whole.Start), min(iv.End, g.Whole.End)
	if iv.Start >= iv.End || g.N == 0 {
		return 0, 0
	}
	first, end = g.Find(iv.Start), g.Find(iv.End)
	if first < g.N-1 && g.start(first) < iv.Start {
		first++
	}
	last := g.At(g.N - 1)
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
