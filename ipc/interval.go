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

// A Grid divides an interval into N parts without storing them. Part p is
// [Start+p*Size, Start+(p+1)*Size), except that the last one ends where Whole ends, and
// so may be longer or shorter. The zero value has no parts.
type Grid struct {
	Whole Interval
	Size  int64 // number of indices in every part but the last
	N     int64 // number of parts
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

// At returns part p, with 0 <= p < N.
func (g Grid) At(p int64) Interval {
	start := g.Whole.Start + p*g.Size
	if p == g.N-1 {
		return Interval{start, g.Whole.End}
	}
	return Interval{start, start + g.Size}
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
