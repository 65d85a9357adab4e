//go:build !purego

package kernel

var avx2 = implementation{name: "avx2", strict: strictAVX2, block: blockAVX2}

// strictAVX2 leaves to the assembly what it can do: terms in fours, from an
// even index on.
func strictAVX2(acc float64, start, end int64) float64 {
	if start%2 != 0 && start < end {
		acc = strictGeneric(acc, start, start+1)
		start++
	}
	// Go cannot preempt assembly, and a quarter of a million terms take about
	// a quarter of a millisecond.
	const most = 1 << 18
	for end-start >= 4 {
		n := min(end-start, most) &^ 3
		acc = strictFours(acc, 2*start+1, n/4)
		start += n
	}
	return strictGeneric(acc, start, end)
}

func blockAVX2(start int64) float64 { return blockLanes(2 * float64(start+PiGrain)) }

// strictFours adds 4*n terms of the series to acc, in order: 4/odd - 4/(odd+2)
// + 4/(odd+4) - ... n is at least 1, and the last denominator below 2^63.
//
//go:noescape
func strictFours(acc float64, odd, n int64) float64

// blockLanes is blockGeneric from its second line on, with end given.
//
//go:noescape
func blockLanes(end float64) float64
