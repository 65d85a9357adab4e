package kernel

import (
	"math"
	"math/bits"
)

// An Accumulator is a sum of float64 values without any rounding, so Add and
// Merge are exactly associative and commutative: the same values give the same
// Accumulator (comparable with ==) in whatever order and grouping they come.
// It is a value without pointers, to be copied freely. The zero value is 0.
//
// It is a fixed-point number: a multiple of 2^-192 between -2^63 and 2^63. That
// is not enough for every float64, but for every part of the series of pi up
// to index 2^62: blocks there are above 2^-111, hence multiples of 2^-163, and
// single terms, which the ragged ends add up, are multiples of 2^-114.
//
// A value that does not fit (not a multiple of 2^-192, or 2^63 or more in
// magnitude, an infinity, a NaN) and a sum that leaves the range make it NaN,
// for good. So a result is exact or NaN, never silently wrong. Only where a sum
// on the way leaves the range can the order decide which of the two; the sums of
// pi stay within 8.
type Accumulator struct {
	nan   bool
	limbs [4]uint64 // two's complement, least significant first; 0 if nan
}

// fractionBits says that the unit of an Accumulator is 2^-192.
const fractionBits = 192

var notANumber = Accumulator{nan: true}

// Add adds x.
func (a *Accumulator) Add(x float64) { a.Merge(fixed(x)) }

// Merge adds b.
func (a *Accumulator) Merge(b Accumulator) {
	x, y := &a.limbs, &b.limbs
	s0, c := bits.Add64(x[0], y[0], 0)
	s1, c := bits.Add64(x[1], y[1], c)
	s2, c := bits.Add64(x[2], y[2], c)
	s3, _ := bits.Add64(x[3], y[3], c)
	overflow := int64((x[3]^s3)&(y[3]^s3)) < 0 // the sum has the sign of neither
	if a.nan || b.nan || overflow {
		*a = notANumber
		return
	}
	a.limbs = [4]uint64{s0, s1, s2, s3}
}

// Value is the float64 nearest to the sum, the even one of two. A NaN stays
// one; a sum of zero is +0.
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
	// The 64 bits from the first one that is set, the last of them set as well
	// if anything behind them is: eleven more than a float64 has, so that the
	// conversion rounds as it would with all of them.
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

// fixed is x as an Accumulator.
func fixed(x float64) Accumulator {
	const mantissaBits = 52
	b := math.Float64bits(x)
	mantissa := b & (1<<mantissaBits - 1)
	exponent := int(b >> mantissaBits & 0x7ff)
	if exponent == 0 && mantissa == 0 {
		return Accumulator{}
	}
	mantissa |= 1 << mantissaBits // a subnormal is too small anyway
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

// negated is -a; of the one value without a negation, -2^63, it is the
// magnitude, as an unsigned number.
func (a Accumulator) negated() Accumulator {
	s0, c := bits.Sub64(0, a.limbs[0], 0)
	s1, c := bits.Sub64(0, a.limbs[1], c)
	s2, c := bits.Sub64(0, a.limbs[2], c)
	s3, _ := bits.Sub64(0, a.limbs[3], c)
	return Accumulator{limbs: [4]uint64{s0, s1, s2, s3}}
}
