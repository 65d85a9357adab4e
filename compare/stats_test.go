package compare

import (
	"math"
	"math/big"
	"math/rand/v2"
	"slices"
	"testing"
)

func TestBinomialTailIsExact(t *testing.T) {
	for n := range 120 {
		sum := new(big.Int)
		for k := -1; k <= n+1; k++ {
			if k >= 0 && k <= n {
				sum.Add(sum, new(big.Int).Binomial(int64(n), int64(k)))
			}
			want, _ := new(big.Rat).SetFrac(sum, new(big.Int).Lsh(big.NewInt(1), uint(n))).Float64()
			if got := binomialTail(n, k); math.Abs(got-want) > 1e-12*want+1e-300 {
				t.Fatalf("binomialTail(%d, %d) = %g, want %g", n, k, got, want)
			}
		}
	}
}

// The table values are those of Hoefler and Belli (2015), section 4.2.2, and of
// any table of the sign test: 6 samples are the fewest for 95 %.
func TestEstimateTakesTheRightOrderStatistics(t *testing.T) {
	for _, c := range []struct {
		n         int
		low, high float64 // the samples are 1, 2, ..., n
		coverage  float64
	}{
		{5, math.Inf(-1), math.Inf(1), 1}, {6, 1, 6, 0.96875}, {8, 1, 8, 0.9921875}, {9, 2, 8, 0.9609375},
		{10, 2, 9, 0.978515625}, {20, 6, 15, 0.958610534667969}, {0, math.Inf(-1), math.Inf(1), 1},
	} {
		x := make([]float64, c.n)
		for i := range x {
			x[i] = float64(c.n - i)
		}
		e := estimate(x, 0.95)
		if float64(e.Low) != c.low || float64(e.High) != c.high || math.Abs(float64(e.Coverage)-c.coverage) > 1e-12 || e.N != c.n {
			t.Errorf("n=%d: [%g, %g] at %g, want [%g, %g] at %g", c.n, e.Low, e.High, e.Coverage, c.low, c.high, c.coverage)
		}
		if c.n > 0 && float64(e.Median) != float64(c.n+1)/2 {
			t.Errorf("n=%d: median %g", c.n, e.Median)
		}
		if c.n > 0 && x[0] != float64(c.n) {
			t.Errorf("n=%d: estimate reordered its argument", c.n)
		}
	}
}

func TestMinRoundsIsTheFewestWithAFiniteInterval(t *testing.T) {
	for _, c := range []struct{ k, want int }{{0, 6}, {1, 6}, {18, 10}, {1000, 16}} {
		if got := minRounds(c.k, 0.95); got != c.want {
			t.Errorf("minRounds(%d) = %d, want %d", c.k, got, c.want)
		}
		finite := func(n int) bool {
			return !math.IsInf(float64(estimate(make([]float64, n), levelFor(c.k, 0.95)).Low), 0)
		}
		if !finite(c.want) || finite(c.want-1) {
			t.Errorf("k=%d: %d rounds give a finite interval: %v, one fewer: %v", c.k, c.want, finite(c.want), finite(c.want-1))
		}
	}
}

// atMost fails unless hits of n trials are compatible with a probability of at
// most p: five standard deviations, so with a fixed seed it is no lottery.
func atMost(t *testing.T, what string, hits, n int, p float64) {
	t.Helper()
	limit := p*float64(n) + 5*math.Sqrt(p*(1-p)*float64(n))
	t.Logf("%s: %d of %d, nominal at most %.1f", what, hits, n, p*float64(n))
	if float64(hits) > limit {
		t.Errorf("%s: %d of %d, more than nominal (%g)", what, hits, n, p)
	}
}

func TestIntervalCoversWhateverTheDistribution(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for name, draw := range map[string]func() float64{ // all with median 0
		"normal":    rng.NormFloat64,
		"cauchy":    func() float64 { return math.Tan(math.Pi * (rng.Float64() - 0.5)) },
		"one-sided": func() float64 { return rng.ExpFloat64() - math.Ln2 },
		"two modes": func() float64 { return math.Copysign(1+0.01*rng.Float64(), rng.Float64()-0.5) },
	} {
		for _, n := range []int{6, 11, 24} {
			const trials = 4000
			missed := 0
			x := make([]float64, n)
			for range trials {
				for i := range x {
					x[i] = draw()
				}
				if !estimate(x, 0.95).contains(0) {
					missed++
				}
			}
			atMost(t, name+" misses", missed, trials, 0.05)
			if missed == 0 {
				t.Errorf("%s, n=%d: never missed in %d trials, so the interval is not the one claimed", name, n, trials)
			}
		}
	}
}

func TestHolmStepsDown(t *testing.T) {
	for _, c := range []struct {
		ps   []float64
		want []bool
	}{
		{[]float64{0.04, 0.01, 0.02}, []bool{true, true, true}},    // 0.05/3, 0.05/2, 0.05/1
		{[]float64{0.01, 0.03, 0.026}, []bool{true, false, false}}, // 0.026 > 0.05/2 ends it
		{[]float64{0.017, 0.001, 0.9}, []bool{true, true, false}},  // Bonferroni would refuse 0.017
		{[]float64{0.02, 0.02, 0.02}, []bool{false, false, false}}, // nothing passes the first step
		{nil, []bool{}},
	} {
		if got := holm(c.ps, 0.05); !slices.Equal(got, c.want) {
			t.Errorf("holm(%v) = %v, want %v", c.ps, got, c.want)
		}
	}
}

func TestVerdictsTellSmallFromNone(t *testing.T) {
	got := verdicts([]test{
		{differ: 0.001, equivalent: 1, direction: Faster},
		{differ: 0.002, equivalent: 1, direction: Slower},
		{differ: 0.001, equivalent: 0.003, direction: Faster}, // real, and too small to matter
		{differ: 0.3, equivalent: 0.2, direction: Faster},
	}, 0.05)
	if want := []Verdict{Faster, Slower, Equivalent, Unresolved}; !slices.Equal(got, want) {
		t.Errorf("verdicts = %v, want %v", got, want)
	}
}

func TestSquareIsBalanced(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	for n := 1; n <= 9; n++ {
		s := newSquare(n, rng)
		var blocks [2][][]int
		for b := range blocks {
			for round := range n {
				order, last := s.next()
				if last != (round == n-1) {
					t.Fatalf("n=%d: round %d ends its block: %v", n, round, last)
				}
				blocks[b] = append(blocks[b], order)
			}
			balanced(t, n, blocks[b])
		}
		if n > 3 && slices.EqualFunc(blocks[0], blocks[1], slices.Equal) {
			t.Errorf("n=%d: two blocks are the same", n)
		}
	}
}

// balanced checks that each cell is once in each position and, for even n,
// follows each other one exactly once.
func balanced(t *testing.T, n int, rows [][]int) {
	t.Helper()
	at, after := map[[2]int]int{}, map[[2]int]int{}
	for _, row := range rows {
		for j, c := range row {
			at[[2]int{c, j}]++
			if j > 0 {
				after[[2]int{row[j-1], c}]++
			}
		}
	}
	if len(at) != n*n {
		t.Errorf("n=%d: %d different (cell, position) pairs, want %d: %v", n, len(at), n*n, rows)
	}
	if n%2 == 0 && len(after) != n*(n-1) {
		t.Errorf("n=%d: %d different neighbours, want %d: %v", n, len(after), n*(n-1), rows)
	}
}
