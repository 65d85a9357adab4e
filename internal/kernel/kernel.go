package kernel

// PiGrain is the number of terms of a block of PiFast. Blocks begin at its
// multiples, so a computation that is cut there, and only there, has the same
// blocks however it is cut.
const PiGrain = 16384

// Pi continues the sum acc with the terms [start, end) of the Leibniz series
// for pi, 4/1 - 4/3 + 4/5 - ..., one rounded addition after the other. It is
//
//	for i := start; i < end; i++ {
//		acc += float64(4-8*(i%2)) / float64(2*i+1)
//	}
//
// to the last bit, for 0 <= start and end <= 2^62. An empty interval gives acc.
func Pi(acc float64, start, end int64) float64 {
	return current().use.strict(acc, start, end)
}

// PiFast sums the same terms as Pi, many times as fast, and its result is the
// same however [start, end) is cut at multiples of PiGrain and in whichever
// order the parts are merged: each whole block is one float64, the same on
// every CPU, and the accumulator adds them without rounding. A start or end
// that is no multiple of PiGrain makes a shorter block of the terms between it
// and the nearest multiple inside. 0 <= start and end <= 2^62; an empty
// interval gives zero.
func PiFast(start, end int64) Accumulator {
	return current().use.fast(start, end)
}

// fast cuts [start, end) at the multiples of PiGrain. It is a Go loop around
// calls of a microsecond, so that the scheduler and the garbage collector can
// stop it.
func (im implementation) fast(start, end int64) Accumulator {
	var sum Accumulator
	for start < end {
		// Counted from start, since the next multiple may be beyond int64.
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

// ragged sums less than a block, the smallest terms first. It is the same Go
// code on every path: there is at most one at either end of a computation.
func ragged(start, end int64) float64 {
	sum := 0.0
	for i := end - 1; i >= start; i-- {
		sum += float64(4-8*(i%2)) / float64(2*i+1)
	}
	return sum
}
