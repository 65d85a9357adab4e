package rank

import (
	"math"
	"slices"
)

// looks are the numbers of pairs at which a trial may end. Each has about 1.4 times as
// many as the one before.
var looks = [...]int{10, 14, 19, 26, 36, 50, 70, 97, 135, 188, 260, 360, MaxPairs}

// IsLook reports whether n pairs are a look.
func IsLook(n int) bool { return slices.Contains(looks[:], n) }

// spendable is the share of the error that may be spent up to the look at n pairs:
// (1 + 2 + ... + j) / (1 + 2 + ... + 13) at the j-th look.
func spendable(n int) float64 {
	j := 0
	for j < len(looks) && looks[j] <= n {
		j++
	}
	return float64(j*(j+1)) / float64(len(looks)*(len(looks)+1))
}

// A Verdict says what the interval of a row shows.
type Verdict int

// The verdicts. The zero value is Open.
const (
	Open  Verdict = iota // none of the others
	Less                 // the whole interval is below 0
	More                 // the whole interval is above 0
	Equal                // the whole interval is within the margin
)

// A Row is one comparison of a trial.
type Row struct {
	Verdict  Verdict
	Interval // at the look that decided the row, or the last one
}

// A Trial decides several comparisons together. The probability that it reaches any
// wrong verdict is at most Alpha: that error is spent bit by bit over the looks, and
// divided by the number of rows that are still open. A row that is decided stays so. All
// rows that are open must have the same number of pairs at a look; only at the last one
// may they differ.
type Trial struct {
	Alpha  float64 // such as 0.05
	Margin float64 // log-ratio up to which a difference counts as none
	Rows   []Row

	spent float64
}

// NewTrial begins a trial. margin is relative: at 0.05, ratios from 1/1.05 to 1.05 are
// equal.
func NewTrial(rows int, alpha, margin float64) *Trial {
	return &Trial{Alpha: alpha, Margin: math.Log1p(margin), Rows: make([]Row, rows)}
}

// Open returns the number of rows that are not decided.
func (t *Trial) Open() (n int) {
	for _, r := range t.Rows {
		if r.Verdict == Open {
			n++
		}
	}
	return n
}

// Look looks at the first n log-ratios of each row that is open. Only numbers for which
// IsLook is true spend anything.
func (t *Trial) Look(samples [][]float64, n int) {
	t.look(samples, n, t.Alpha*spendable(n))
}

// Last looks at all samples of the rows that are open, and spends what is left. It is
// the last look, whatever ended the trial, provided that it was not the data.
func (t *Trial) Last(samples [][]float64) { t.look(samples, MaxPairs, t.Alpha) }

// look spends up to a total of spendable. A row that it decides leaves its share to the
// others (Holm's step-down rule). The test is discrete, so it may spend less than
// it could; the rest is kept for the next look.
func (t *Trial) look(samples [][]float64, n int, spendable float64) {
	available := spendable - t.spent
	spends := 0.0
	for {
		open := t.Open()
		if open == 0 || available <= 0 {
			break
		}
		for i := range t.Rows {
			r := &t.Rows[i]
			if r.Verdict != Open {
				continue
			}
			r.Interval = Estimate(samples[i][:min(len(samples[i]), n)], available/float64(open))
			r.Verdict = t.verdict(r.Interval)
			spends = max(spends, float64(open)*r.Missed)
		}
		if t.Open() == open {
			break
		}
	}
	t.spent += spends
}

func (t *Trial) verdict(e Interval) Verdict {
	switch {
	case e.Low > -t.Margin && e.High < t.Margin:
		return Equal
	case e.High < 0:
		return Less
	case e.Low > 0:
		return More
	}
	return Open
}

// Replay decides rows from all their samples, as a trial did that looked at them while
// they came.
func Replay(samples [][]float64, alpha, margin float64) *Trial {
	t := NewTrial(len(samples), alpha, margin)
	most := 0
	for _, s := range samples {
		most = max(most, len(s))
	}
	for _, n := range looks {
		if n <= most {
			t.Look(samples, n)
		}
	}
	t.Last(samples)
	return t
}
