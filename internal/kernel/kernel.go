package kernel

// PiGrain is the number of terms in a block of PiFast. Blocks start at multiples of
// PiGrain, so an interval that is cut at such multiples only has the same blocks
// however it is cut.
const PiGrain = 16384

// Pi adds the terms [start, end) of the Leibniz series for pi, 4/1 - 4/3 + 4/5 - ..., to
// acc, one rounded addition after the other. It gives the same bits as
//
//	for i := start; i < end; i++ {
//		acc += float64(4-8*(i%2)) / float64(2*i+1)
//	}
//
// for 0 <= start and end <= 2^62. It returns acc for an empty interval.
func Pi(acc float64, start, end int64) float64 {
	return current().use.strict(acc, start, end)
}

// PiFast sums the same terms as Pi, many times as fast. The result does not depend on
// how [start, end) is cut at multiples of PiGrain, nor on the order in which the parts
// are merged: each block is a float64 that is the same on every CPU, and the
// Accumulator adds them without rounding. If start or end is not a multiple of
// PiGrain, the terms up to the nearest multiple inside are a shorter block. It
// requires 0 <= start and end <= 2^62. It returns zero for an empty interval.
func PiFast(start, end int64) Accumulator {
	return current().use.fast(start, end)
}

// fast cuts [start, end) at the multiples of PiGrain. The loop is in Go and each call in
// it takes a microsecond, so the scheduler and the garbage collector can stop it.
func (im implementation) fast(start, end int64) Accumulator {
	var sum Accumulator
	for start < end {
		// The next multiple may not fit in an int64, so count from start.
		n := min(end-start, PiGrain-start%PiGrain)
		if n == PiGrain {
			sum.Add(im.block(start))
		} else {
			sum.Add(ragged(start, start+n))
		}
		start += n
	}
	return sum
}

// ragged sums a shorter block, the smallest terms first. All implementations use this
// Go code, since there is at most one such block at either end.
func ragged(start, end int64) float64 {
	sum := 0.0
	for i := end - 1; i >= start; i-- {
		sum += float64(4-8*(i%2)) / float64(2*i+1)
	}
	return sum
}
