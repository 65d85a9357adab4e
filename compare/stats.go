package compare

import (
	"math"
	"slices"
)

// binomialTail is P(X <= k) for X ~ Binomial(n, 1/2), exact but for rounding.
func binomialTail(n, k int) float64 {
	switch {
	case k < 0:
		return 0
	case k >= n:
		return 1
	case k > n/2: // sum the shorter, smaller tail
		return 1 - binomialTail(n, n-k-1)
	}
	lg := func(x int) float64 { v, _ := math.Lgamma(float64(x) + 1); return v }
	sum := 0.0
	for i := range k + 1 {
		sum += math.Exp(lg(n) - lg(i) - lg(n-i) - float64(n)*math.Ln2)
	}
	return sum
}

// medianOf is the median of sorted, which must not be empty.
func medianOf(sorted []float64) float64 {
	n := len(sorted)
	if n%2 == 1 {
		return sorted[n/2]
	}
	return sorted[n/2-1] + (sorted[n/2]-sorted[n/2-1])/2
}

// quantileOf is the smallest element of sorted that is at least as large as the
// share q of all (the inverse of the empirical distribution). It does not
// interpolate, so the result is a time that was measured.
func quantileOf(sorted []float64, q float64) float64 {
	i := int(math.Ceil(q*float64(len(sorted)))) - 1
	return sorted[min(max(i, 0), len(sorted)-1)]
}

// estimate is the median of x and its order-statistic interval: the j-th
// smallest and j-th largest sample, for the largest j at which
// 1 - 2 P(Binomial(n, 1/2) < j) >= level. It assumes independence and nothing
// about the distribution; ties only raise its coverage (Conover, Practical
// Nonparametric Statistics, 3.2). It leaves x alone.
func estimate(x []float64, level float64) Estimate {
	n := len(x)
	if n == 0 {
		return Estimate{Median: Number(math.NaN()), Low: Number(math.Inf(-1)), High: Number(math.Inf(1)), Coverage: 1}
	}
	s := slices.Sorted(slices.Values(x))
	e := Estimate{Median: Number(medianOf(s)), Low: Number(math.Inf(-1)), High: Number(math.Inf(1)), Coverage: 1, N: n}
	for j := 1; 2*j <= n; j++ {
		coverage := 1 - 2*binomialTail(n, j-1)
		if coverage < level {
			break
		}
		e.Low, e.High, e.Coverage = Number(s[j-1]), Number(s[n-j]), Number(coverage)
	}
	return e
}

// exp turns an estimate of log-ratios into one of ratios; the median and order
// statistics of a monotone function are the function's of them.
func (e Estimate) exp() Estimate {
	e.Median = Number(math.Exp(float64(e.Median)))
	e.Low, e.High = Number(math.Exp(float64(e.Low))), Number(math.Exp(float64(e.High)))
	return e
}

// halfWidth is half the width of a ratio's interval, relative: exp(w) - 1 for
// the interval [m/exp(w), m*exp(w)].
func (e Estimate) halfWidth() float64 {
	return math.Sqrt(float64(e.High/e.Low)) - 1
}

// contains reports whether v lies in the interval.
func (e Estimate) contains(v float64) bool { return float64(e.Low) <= v && v <= float64(e.High) }

// signP is the one-sided p of the sign test for "the median of x is below c":
// the probability of at least as many samples below c as there are, were it the
// median. A tie with c counts against.
func signP(x []float64, c float64) float64 {
	against := 0
	for _, v := range x {
		if !(v < c) {
			against++
		}
	}
	return binomialTail(len(x), against)
}

// negated is x with every sign turned.
func negated(x []float64) []float64 {
	out := make([]float64, len(x))
	for i, v := range x {
		out[i] = -v
	}
	return out
}

// minRounds is the fewest rounds at which an interval for one of k comparisons
// can be finite: the widest, from the smallest to the largest of n samples,
// misses the median with probability 2^(1-n), which must not exceed
// (1-confidence)/k.
func minRounds(k int, confidence float64) int {
	return int(math.Ceil(1 + math.Log2(float64(max(k, 1))/(1-confidence))))
}

// levelFor is the coverage that each of k intervals needs so that all hold
// together at confidence (Bonferroni, which allows any dependence).
func levelFor(k int, confidence float64) float64 {
	return 1 - (1-confidence)/float64(max(k, 1))
}
