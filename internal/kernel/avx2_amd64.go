//go:build !purego

package kernel

var avx2 = implementation{name: "avx2", strict: strictAVX2, block: blockAVX2}

// strictAVX2 calls the assembly for groups of four terms that start at an even index,
// and the generic code for the rest.
func strictAVX2(acc float64, start, end int64) float64 {
	if start%2 != 0 && start < end {
		acc = strictGeneric(acc, start, start+1)
		start++
	}
	// Go cannot preempt assembly, so call it for at most a quarter of a million terms,
	// which take about a quarter of a millisecond.
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
// + 4/(odd+4) - ... n must be at least 1, and the last denominator below 2^63.
//
//go:noescape
func strictFours(acc float64, odd, n int64) float64

// blockLanes is blockGeneric without its first line, which computes end.
//
//go:noescape
func blockLanes(end float64) float64
