package rank

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// The critical values are those of Wilcoxon's tables (Hollander and Wolfe, A.4), and the
// sizes are counted: of the 2^n sign patterns, those with a rank sum up to c.
func TestCriticalValues(t *testing.T) {
	for _, c := range []struct {
		n     int
		alpha float64
		want  int
		size  float64
	}{
		{5, 0.05, -1, 0}, {6, 0.05, 0, 2.0 / 64}, {10, 0.05, 8, 50.0 / 1024}, {10, 0.002, 0, 2.0 / 1024}, {10, 0.0019, -1, 0},
		{12, 0.05, 13, 0}, {20, 0.05, 52, 0}, {25, 0.01, 68, 0}, {50, 0.05, 434, 0},
	} {
		got, size := critical(c.n, c.alpha)
		if got != c.want || c.size != 0 && math.Abs(size-c.size) > 1e-15 || size > c.alpha {
			t.Errorf("n %d, alpha %g: critical value %d of size %g, want %d of size %g", c.n, c.alpha, got, size, c.want, c.size)
		}
	}
	if c, size := critical(MaxPairs, 1e-6); c < 40000 || size > 1e-6 || size < 0.99e-6 {
		t.Errorf("n %d: critical value %d of size %g", MaxPairs, c, size)
	}
}

// An interval excludes a value exactly when the test rejects it.
func TestIntervalInvertsTheTest(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 1))
	for range 300 {
		x := make([]float64, 6+rng.IntN(20))
		for i := range x {
			x[i] = 0.1*rng.NormFloat64() + 0.05
		}
		alpha := []float64{0.05, 0.2, 0.9}[rng.IntN(3)]
		e := Estimate(x, alpha)
		c, _ := critical(len(x), alpha)
		for range 20 {
			at := 0.3 * rng.NormFloat64()
			shifted := make([]float64, len(x))
			for i, v := range x {
				shifted[i] = v - at
			}
			positive := rankSum(shifted)
			rejects := positive <= c || len(x)*(len(x)+1)/2-positive <= c
			if inside := e.Low <= at && at <= e.High; inside == rejects {
				t.Fatalf("alpha %g: %v: the interval [%g, %g] holds %g: %v; the test rejects it: %v", alpha, x, e.Low, e.High, at, inside, rejects)
			}
		}
		if !(e.Low <= e.Centre && e.Centre <= e.High) {
			t.Errorf("%+v", e)
		}
	}
}

// rankSum adds up the ranks by size of the positive values.
func rankSum(x []float64) (sum int) {
	x = slices.SortedFunc(slices.Values(x), func(a, b float64) int { return int(math.Copysign(1, math.Abs(a)-math.Abs(b))) })
	for i, v := range x {
		if v > 0 {
			sum += i + 1
		}
	}
	return sum
}

func TestTooFewPairs(t *testing.T) {
	if e := Estimate(nil, 0.05); !math.IsNaN(e.Centre) || e.N != 0 || !math.IsInf(e.High, 1) {
		t.Errorf("of nothing: %+v", e)
	}
	e := Estimate([]float64{1, 2, 6}, 0.05)
	if e.Centre != 2.75 || !math.IsInf(e.Low, -1) || !math.IsInf(e.High, 1) || e.N != 3 {
		t.Errorf("of three: %+v", e)
	}
	if e := Estimate(make([]float64, 2*MaxPairs), 0.05); e.N != MaxPairs || e.Low != 0 || e.High != 0 {
		t.Errorf("of more than are taken: %+v", e)
	}
}

func TestMedianAndSpread(t *testing.T) {
	if m := Median([]float64{3, 1, 2, 10}); m != 2.5 {
		t.Errorf("median %g", m)
	}
	if s := Spread([]float64{1, 2, 3, 4, 1000}); s != 1.4826 {
		t.Errorf("spread %g", s)
	}
	if !math.IsNaN(Median(nil)) || !math.IsNaN(Spread(nil)) {
		t.Error("of nothing")
	}
}

func TestLooksSpendAllOfTheError(t *testing.T) {
	before := 0.0
	for n := range MaxPairs + 1 {
		s := spendable(n)
		if (s > before) != IsLook(n) {
			t.Errorf("%d pairs: %g after %g, a look: %v", n, s, before, IsLook(n))
		}
		before = s
	}
	if before != 1 {
		t.Errorf("in the end %g is spent", before)
	}
}
