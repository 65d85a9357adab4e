package kernel

import "math"

var generic = implementation{name: "generic", strict: strictGeneric, block: blockGeneric}

// strictGeneric is the loop in the comment of Pi.
func strictGeneric(acc float64, start, end int64) float64 {
	for i := start; i < end; i++ {
		acc += float64(4-8*(i%2)) / float64(2*i+1)
	}
	return acc
}

// blockGeneric sums the PiGrain terms from start, which is a multiple of PiGrain.
//
// It adds groups of eight terms to four lanes in turn, from the end of the block to its
// beginning. Small terms come first, which matters in the first block, where the last
// group is 3.02 of 3.14. The bits depend on this order, so all implementations use it.
func blockGeneric(start int64) float64 {
	end := 2 * float64(start+PiGrain) // exact: a multiple of 2^15, at most 2^63
	var s0, s1, s2, s3 float64
	for below := 0.0; below < 2*PiGrain; below += 64 {
		s0 += group(end - (below + 56))
		s1 += group(end - (below + 40))
		s2 += group(end - (below + 24))
		s3 += group(end - (below + 8))
	}
	return 32 * ((s0 + s2) + (s1 + s3))
}

// group is 1/32 of the eight terms around z, the even number in the middle of
// their denominators:
//
//	4/(z-7) - 4/(z-5) + 4/(z-3) - 4/(z-1) + 4/(z+1) - 4/(z+3) + 4/(z+5) - 4/(z+7)
//
// Terms at the same distance from z make pairs, with t = z*z
//
//	56/(t-49) - 40/(t-25) + 24/(t-9) - 8/(t-1)
//
// and over their common denominator this is 32 n/d, with
//
//	n = t³ - 23t² + 331t + 1995
//	d = t⁴ - 84t³ + 1974t² - 12916t + 11025
//
// so one division serves eight terms. Nothing overflows or underflows: z is at most
// 2^63, so d is below 2^505 and n/d above 2^-127. There is no cancellation in either
// polynomial: t is at least 64, where both are exact, and 576 in the next group.
//
// Every operation is rounded once, as written. math.FMA rounds a product and a sum
// together, and the conversion keeps the compiler from fusing.
func group(z float64) float64 {
	t := float64(z * z)
	n := math.FMA(math.FMA(t-23, t, 331), t, 1995)
	d := math.FMA(math.FMA(math.FMA(t-84, t, 1974), t, -12916), t, 11025)
	return n / d
}
