package kernel

import (
	"math/big"
	"sync"
	"testing"
)

// precision gives blocks at 2^62, which are about 2^-111, more than 300 bits.
const precision = 512

func newFloat() *big.Float { return new(big.Float).SetPrec(precision) }

// first has the sums of the first 0 to 2000 terms.
var first = sync.OnceValue(func() []*big.Float {
	sums := []*big.Float{newFloat()}
	for i := range int64(2000) {
		sums = append(sums, newFloat().Add(sums[i], term(i)))
	}
	return sums
})

func term(i int64) *big.Float {
	return newFloat().Quo(newFloat().SetInt64(4-8*(i%2)), newFloat().SetInt64(2*i+1))
}

// tail returns pi minus the sum of the first n terms, by the asymptotic series
//
//	(-1)^n * 2 * (E0/(2n) + E2/(2n)^3 + E4/(2n)^5 + ...)
//
// with the Euler numbers E (Borwein, Borwein, Dilcher: Pi, Euler numbers and
// asymptotic expansions, 1989). For n >= 2000 the terms left out are below 2^-230.
func tail(n int64) *big.Float {
	euler := []int64{1, -1, 5, -61, 1385, -50521, 2702765, -199360981,
		19391512145, -2404879675441, 370371188237525, -69348874393137901}
	inverse := newFloat().Quo(big.NewFloat(0.5), newFloat().SetInt64(n))
	square := newFloat().Mul(inverse, inverse)
	sum := newFloat()
	for i := len(euler) - 1; i >= 0; i-- {
		sum.Mul(sum, square).Add(sum, newFloat().SetInt64(euler[i]))
	}
	sum.Mul(sum, inverse).Mul(sum, big.NewFloat(2))
	if n%2 != 0 {
		sum.Neg(sum)
	}
	return sum
}

// exactSum returns the sum of the terms [start, end).
func exactSum(start, end int64) *big.Float {
	return newFloat().Sub(upTo(end), upTo(start))
}

func upTo(n int64) *big.Float {
	sums := first()
	last := int64(len(sums) - 1)
	if n <= last {
		return sums[n]
	}
	pi := newFloat().Add(sums[last], tail(last))
	return pi.Sub(pi, tail(n))
}

// distance returns got - want in units of 2^-53.
func distance(got float64, want *big.Float) float64 {
	d := newFloat().Sub(newFloat().SetFloat64(got), want)
	f, _ := d.SetMantExp(d, 53).Float64()
	return f
}

func TestReference(t *testing.T) {
	sum := newFloat().Set(upTo(1000))
	for i := int64(1000); i < 5000; i++ {
		sum.Add(sum, term(i))
		if d := newFloat().Sub(sum, upTo(i+1)); d.Sign() != 0 && d.MantExp(nil) > -230 {
			t.Fatalf("sum of %d terms differs by %g", i+1, d)
		}
	}
	const pi = "3.14159265358979323846264338327950288419716939937510582097494459230781640628620899"
	if got := newFloat().Add(sum, tail(5000)).Text('f', 80); got[:70] != pi[:70] {
		t.Errorf("sum and tail make %s", got)
	}
}
