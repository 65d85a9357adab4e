package kernel

import (
	"math"
	"math/bits"
)

// An Accumulator is a sum of float64 values without rounding. Add and Merge are
// exactly associative and commutative: the same values give the same Accumulator
// (comparable with ==) in any order and grouping. An Accumulator has no pointers and
// can be copied. The zero value is 0.
//
// It is a fixed-point number: a multiple of 2^-192 between -2^63 and 2^63. This does
// not fit every float64, but every part of the series of pi up to index 2^62. Blocks
// there are above 2^-111, so they are multiples of 2^-163, and single terms, which the
// shorter blocks at the ends add up, are multiples of 2^-114.
//
// An Accumulator becomes NaN, and stays NaN, if a value does not fit (because it is not
// a multiple of 2^-192, at least 2^63 in magnitude, infinite or NaN) or if a sum leaves
// the range. So a result is exact or NaN, but never silently wrong. If an intermediate
// sum leaves the range, the order can decide which of the two. The sums of pi stay
// within 8.
type Accumulator struct {
	nan   bool
	limbs [4]uint64 // two's complement, least significant first; 0 if nan
}

// fractionBits is the number of fractional bits: the unit of an Accumulator is 2^-192.
const fractionBits = 192

var notANumber = Accumulator{nan: true}

// Add adds x to a.
func (a *Accumulator) Add(x float64) { a.Merge(fixed(x)) }

// Merge adds b to a.
func (a *Accumulator) Merge(b Accumulator) {
	x, y := &a.limbs, &b.limbs
	s0, c := bits.Add64(x[0], y[0], 0)
	s1, c := bits.Add64(x[1], y[1], c)
	s2, c := bits.Add64(x[2], y[2], c)
	s3, _ := bits.Add64(x[3], y[3], c)
	overflow := int64((x[3]^s3)&(y[3]^s3)) < 0 // the sign of the sum differs from both
	if a.nan || b.nan || overflow {
		*a = notANumber
		return
	}
	a.limbs = [4]uint64{s0, s1, s2, s3}
}

// Value returns the float64 nearest to the sum; of two that are equally near, the even
// one. It returns NaN for NaN, and +0 for a sum of zero.
func (a Accumulator) Value() float64 {
	if a.nan {
		return math.NaN()
	}
	mag := a
	if a.negative() {
		mag = a.negated()
	}
	top := 3
	for top > 0 && mag.limbs[top] == 0 {
		top--
	}
	// head gets the 64 bits from the first one that is set. Its last bit is also set if
	// any bit after them is. It has 11 bits more than a float64, so the conversion rounds
	// as it would with all bits.
	head, exponent := mag.limbs[top], 64*top-fractionBits
	if top > 0 {
		shift := bits.LeadingZeros64(head)
		head, exponent = head<<shift|mag.limbs[top-1]>>(64-shift), exponent-shift
		rest := mag.limbs[top-1] << shift
		for _, limb := range mag.limbs[:top-1] {
			rest |= limb
		}
		if rest != 0 {
			head |= 1
		}
	}
	return math.Copysign(math.Ldexp(float64(head), exponent), a.sign())
}

// fixed returns x as an Accumulator.
func fixed(x float64) Accumulator {
	const mantissaBits = 52
	b := math.Float64bits(x)
	mantissa := b & (1<<mantissaBits - 1)
	exponent := int(b >> mantissaBits & 0x7ff)
	if exponent == 0 && mantissa == 0 {
		return Accumulator{}
	}
	mantissa |= 1 << mantissaBits // wrong for subnormals, which do not fit anyway
	shift := exponent - 1023 - mantissaBits + fractionBits
	if shift < 0 {
		lost := min(-shift, 63)
		if mantissa&(1<<lost-1) != 0 {
			return notANumber
		}
		mantissa, shift = mantissa>>lost, 0
	}
	if shift+mantissaBits >= 255 {
		return notANumber
	}
	var a Accumulator
	limb, bit := shift/64, shift%64
	a.limbs[limb] = mantissa << bit
	if limb+1 < len(a.limbs) {
		a.limbs[limb+1] = mantissa >> (64 - bit)
	}
	if x < 0 {
		a = a.negated()
	}
	return a
}

func (a Accumulator) negative() bool { return int64(a.limbs[3]) < 0 }

func (a Accumulator) sign() float64 {
	if a.negative() {
		return -1
	}
	return 1
}

// negated returns -a. For -2^63, whose negation does not fit, it returns the magnitude
// as an unsigned number.
func (a Accumulator) negated() Accumulator {
	s0, c := bits.Sub64(0, a.limbs[0], 0)
	s1, c := bits.Sub64(0, a.limbs[1], c)
	s2, c := bits.Sub64(0, a.limbs[2], c)
	s3, _ := bits.Sub64(0, a.limbs[3], c)
	return Accumulator{limbs: [4]uint64{s0, s1, s2, s3}}
}
