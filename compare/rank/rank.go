// Package rank decides whether paired times differ. [Estimate] returns the centre of paired
// log-ratios with an interval that inverts Wilcoxon's signed rank test. A [Trial] looks at
// growing data and keeps the probability of any wrong verdict below a bound.
//
// The test needs no assumption about how times are distributed. Where two programs are
// the same, and a coin decided which of them ran first in each pair, every log-ratio is
// as likely to be positive as negative, whatever drift or bursts do to the pair. The
// test is then exact.
package rank

import (
	"math"
	"slices"
	"sort"
	"sync"
)

// MaxPairs is the largest number of pairs that the package uses: the last look has as many.
const MaxPairs = 500

// An Interval is an estimate of the centre of paired log-ratios. With too few pairs for
// its level, Low and High are infinite.
type Interval struct {
	Centre    float64 // by Hodges and Lehmann: the median of the means of all pairs of samples
	Low, High float64
	Missed    float64 // exact probability that the interval misses the centre of a symmetric distribution
	N         int
}

// Estimate computes the centre of x and its interval, which misses the true centre with
// a probability of at most alpha. It leaves x alone and uses its first MaxPairs values.
func Estimate(x []float64, alpha float64) Interval {
	x = x[:min(len(x), MaxPairs)]
	e := Interval{Centre: math.NaN(), Low: math.Inf(-1), High: math.Inf(1), N: len(x)}
	if len(x) == 0 {
		return e
	}
	means := walsh(x)
	last := len(means) - 1
	e.Centre = means[last/2]/2 + means[(last+1)/2]/2
	if c, missed := critical(len(x), alpha); c >= 0 {
		e.Low, e.High, e.Missed = means[c], means[last-c], missed
	}
	return e
}

// walsh returns the means of all pairs of x, each value with itself included, in order.
func walsh(x []float64) []float64 {
	means := make([]float64, 0, len(x)*(len(x)+1)/2)
	for i, a := range x {
		for _, b := range x[i:] {
			means = append(means, a/2+b/2)
		}
	}
	slices.Sort(means)
	return means
}

// critical returns the largest c for which the two-sided test that rejects at rank sums
// up to c, and from the opposite end, has a size of at most alpha, and that size. c is
// -1 if there is none.
func critical(n int, alpha float64) (c int, size float64) {
	tail := tails(n)
	c = sort.Search(len(tail), func(w int) bool { return 2*tail[w] > alpha }) - 1
	if c < 0 {
		return -1, 0
	}
	return c, 2 * tail[c]
}

var known sync.Map // number of values -> tails

// tails returns the probabilities that the rank sum of n values is at most 0, 1, 2 and
// so on, for the lower half of its distribution. It builds the distribution up value by
// value: the k-th adds k or nothing, with probability 1/2 each.
func tails(n int) []float64 {
	if t, ok := known.Load(n); ok {
		return t.([]float64)
	}
	p := make([]float64, n*(n+1)/2+1)
	p[0] = 1
	for k, top := 1, 0; k <= n; k++ {
		top += k
		for w := top; w >= 0; w-- {
			p[w] /= 2
			if w >= k {
				p[w] += p[w-k] / 2
			}
		}
	}
	p = p[:len(p)/2]
	for w := 1; w < len(p); w++ {
		p[w] += p[w-1]
	}
	known.Store(n, p)
	return p
}

// Spread returns how far one value of x typically is from the centre, as a standard
// deviation that outliers do not move: 1.4826 times the median distance from the median.
func Spread(x []float64) float64 {
	if len(x) == 0 {
		return math.NaN()
	}
	m := Median(x)
	away := make([]float64, len(x))
	for i, v := range x {
		away[i] = math.Abs(v - m)
	}
	return 1.4826 * Median(away)
}

// Median returns the median of x, NaN for none. It leaves x alone.
func Median(x []float64) float64 {
	if len(x) == 0 {
		return math.NaN()
	}
	s := slices.Sorted(slices.Values(x))
	return s[(len(s)-1)/2]/2 + s[len(s)/2]/2
}
