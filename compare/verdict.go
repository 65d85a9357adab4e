package compare

import (
	"cmp"
	"fmt"
	"math"
	"slices"
)

// A test holds the two exact sign tests of one comparison, over its paired
// log-ratios.
type test struct {
	differ     float64 // p of "the median ratio is 1", two-sided
	equivalent float64 // p of "the median ratio is outside the margin": the larger of two one-sided tests
	direction  Verdict // what a difference would mean
}

func newTest(logs []float64, margin float64) test {
	below, above := signP(logs, 0), signP(negated(logs), 0)
	m := math.Log1p(margin)
	t := test{
		differ:     min(1, 2*min(below, above)),
		equivalent: max(signP(logs, m), signP(negated(logs), m)),
		direction:  Faster,
	}
	if above < below {
		t.direction = Slower
	}
	return t
}

// holm decides which of several hypotheses to reject, such that the probability of
// a single wrong rejection among them is at most alpha (Holm 1979): it compares the
// smallest p with alpha/k, the next one with alpha/(k-1), and stops at the first
// that is larger.
func holm(ps []float64, alpha float64) []bool {
	order := make([]int, len(ps))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(ps[a], ps[b]) })
	rejected := make([]bool, len(ps))
	for step, i := range order {
		if ps[i] > alpha/float64(len(ps)-step) {
			break
		}
		rejected[i] = true
	}
	return rejected
}

// verdicts decides all comparisons together. The claims "different" and
// "equivalent" are two families: each is right as a whole with 1 - alpha. A
// difference that is real and too small to matter is equivalent.
func verdicts(tests []test, alpha float64) []Verdict {
	differ, equivalent := make([]float64, len(tests)), make([]float64, len(tests))
	for i, t := range tests {
		differ[i], equivalent[i] = t.differ, t.equivalent
	}
	different, same := holm(differ, alpha), holm(equivalent, alpha)
	out := make([]Verdict, len(tests))
	for i, t := range tests {
		switch {
		case same[i]:
			out[i] = Equivalent
		case different[i]:
			out[i] = t.direction
		default:
			out[i] = Unresolved
		}
	}
	return out
}

// p is the p-value behind v.
func (t test) p(v Verdict) float64 {
	switch v {
	case Equivalent:
		return t.equivalent
	case Unresolved:
		return min(t.differ, t.equivalent)
	}
	return t.differ
}

// judge decides whether the A/A control passes: its interval must contain 1 and
// lie within the margin.
func (c *Control) judge(margin float64) {
	low, high := float64(c.Ratio.Low), float64(c.Ratio.High)
	switch {
	case math.IsInf(high, 1):
		c.Why = "too few rounds to resolve identical code"
	case !c.Ratio.contains(1):
		c.Why = fmt.Sprintf("identical code differs: the A/A interval [%.3f .. %.3f] excludes 1", low, high)
	case high > 1+margin || low < 1/(1+margin):
		c.Why = fmt.Sprintf("identical code is resolved only to [%.3f .. %.3f], wider than the margin of ±%.3g %%", low, high, 100*margin)
	default:
		c.Pass = true
	}
}

// reach is the largest relative difference that the control's interval admits
// for identical code, as a factor of at least 1.
func (c Control) reach() float64 {
	return math.Max(float64(c.Ratio.High), 1/float64(c.Ratio.Low))
}

// weaken weakens a comparison whose task has a failed control: it keeps a
// difference only where the whole interval is beyond the ratios that identical code
// shows, and no equivalence.
func (c *Comparison) weaken(aa Control) {
	if aa.Pass || c.Verdict == Unresolved {
		return
	}
	reach := aa.reach()
	beyond := float64(c.Ratio.High) < 1/reach || float64(c.Ratio.Low) > reach
	if c.Verdict != Equivalent && beyond {
		c.Downgraded = "stands beyond the A/A control, which does not pass"
		return
	}
	c.Downgraded = fmt.Sprintf("was %s, but the A/A control does not pass", c.Verdict)
	c.Verdict = Unresolved
}
