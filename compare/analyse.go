package compare

import (
	"math"
	"slices"

	"procpool/compare/rank"
	"procpool/internal/units"
	"procpool/pool"
)

// Analyse computes the results of a record from its plan and raw runs alone, and
// does not change rec. Do and Read call it; call it again after changing the confidence
// or the margin of the plan.
func Analyse(rec Record) Results {
	res := Results{Tasks: []TaskResult{}, Rows: []RowResult{}, Cells: []CellResult{}}
	a := analysis{Results: &res, rec: &rec, p: &rec.Plan, runs: make([][]int, len(rec.Plan.Cells))}
	for k, r := range rec.Runs {
		a.runs[r.Cell] = append(a.runs[r.Cell], k)
	}
	for _, t := range a.p.Tasks {
		res.Tasks = append(res.Tasks, a.task(t.Name))
	}
	for i := range a.p.Cells {
		if len(a.runs[i]) > 0 {
			res.Cells = append(res.Cells, a.cell(i))
		}
	}
	for i := range res.Cells {
		a.speedup(&res.Cells[i])
	}
	pairs, samples := make([][][2]Run, len(a.p.Rows)), make([][]float64, len(a.p.Rows))
	for i := range a.p.Rows {
		pairs[i] = a.pairs(i)
		samples[i] = logRatios(pairs[i])
	}
	trial := rank.Replay(samples, 1-a.p.Confidence, a.p.Margin)
	for i, r := range trial.Rows {
		res.Rounds = max(res.Rounds, len(samples[i]))
		res.Rows = append(res.Rows, a.row(i, r, pairs[i]))
	}
	res.Why = a.why()
	res.Unfair = a.unfair()
	return res
}

type analysis struct {
	*Results // as far as they are computed
	rec      *Record
	p        *Plan
	runs     [][]int // of each cell, as indices in rec.Runs
}

// logRatio is the paired sample of a row.
func logRatio(a, b Run) float64 { return math.Log(a.Computing() / b.Computing()) }

// pairs are the complete pairs of a row, by round: the run of A, and that of B.
func (a *analysis) pairs(row int) (out [][2]Run) {
	waits := map[int]int{} // for its partner: the run of a round
	for k, r := range a.rec.Runs {
		if r.Row != row {
			continue
		}
		other, ok := waits[r.Round]
		if !ok {
			waits[r.Round] = k
			continue
		}
		x, y := a.rec.Runs[other], r
		if x.Cell != a.p.Rows[row].A {
			x, y = y, x
		}
		out = append(out, [2]Run{x, y})
	}
	return out
}

func logRatios(pairs [][2]Run) (out []float64) {
	for _, p := range pairs {
		out = append(out, logRatio(p[0], p[1]))
	}
	return out
}

func (a *analysis) row(i int, r rank.Row, pairs [][2]Run) RowResult {
	row := a.p.Rows[i]
	x, y := a.p.Cells[row.A], a.p.Cells[row.B]
	out := RowResult{Row: i, Task: x.Task, Workers: x.Workers, A: x.Backend, B: y.Backend, Pairs: len(pairs),
		Verdict: map[rank.Verdict]Verdict{rank.Less: Faster, rank.More: Slower, rank.Equal: Same, rank.Open: Open}[r.Verdict],
		Ratio:   estimate(r.Interval).exp(), Spread: Number(math.Expm1(rank.Spread(logRatios(pairs))))}
	ca, cb := a.result(row.A), a.result(row.B)
	if ca == nil || cb == nil {
		out.Why = "it did not run"
		return out
	}
	out.Why, out.Borne = a.because(out, pairs)
	later, gain := ca.Starting-cb.Starting, cb.Computing-ca.Computing
	if later < 0 {
		later, gain = -later, -gain
	}
	if size := a.p.task(out.Task).SerialSeconds; out.Verdict != Open && out.Verdict != Same && gain > 0 && size > 0 {
		out.FromSeconds = Known(later / gain * size)
	}
	return out
}

// result returns the summary of cell i, or nil if it did not run.
func (r *Results) result(i int) *CellResult {
	k := slices.IndexFunc(r.Cells, func(c CellResult) bool { return c.Cell == i })
	if k < 0 {
		return nil
	}
	return &r.Cells[k]
}

func (a *analysis) task(name string) TaskResult {
	t := TaskResult{Task: name, Identical: true}
	for _, r := range a.rec.Runs {
		if a.p.Cells[r.Cell].Task != name {
			continue
		}
		if t.Value.Bits == "" {
			t.Value = r.Value
		}
		t.Identical = t.Identical && r.Value.Bits == t.Value.Bits
	}
	return t
}

// cell summarises the runs of cell i.
func (a *analysis) cell(i int) CellResult {
	runs := a.runs[i]
	c := CellResult{Cell: i, Runs: len(runs),
		Seconds: a.medianOf(runs, func(r Run) float64 { return r.Wall }), Starting: a.medianOf(runs, Run.Starting), Computing: a.medianOf(runs, Run.Computing)}
	a.usage(&c, runs)
	a.where(&c, runs)
	return c
}

func (a *analysis) medianOf(runs []int, figure func(Run) float64) float64 {
	x := make([]float64, len(runs))
	for i, k := range runs {
		x[i] = figure(a.rec.Runs[k])
	}
	return rank.Median(x)
}

func (a *analysis) speedup(c *CellResult) {
	cell := a.p.Cells[c.Cell]
	serial := a.result(a.p.find(cell.Task, pool.Serial, 1))
	if cell.Backend != pool.Serial && serial != nil {
		c.Speedup = Known(serial.Computing / c.Computing)
	}
}

func estimate(i rank.Interval) Estimate {
	return Estimate{Number(i.Centre), Number(i.Low), Number(i.High), i.Missed, i.N}
}

// exp turns an estimate of log-ratios into one of ratios.
func (e Estimate) exp() Estimate {
	exp := func(n Number) Number { return Number(math.Exp(float64(n))) }
	e.Centre, e.Low, e.High = exp(e.Centre), exp(e.Low), exp(e.High)
	return e
}

// Turned is the estimate of the ratio the other way round.
func (e Estimate) Turned() Estimate {
	e.Centre, e.Low, e.High = 1/e.Centre, 1/e.High, 1/e.Low
	return e
}

// Bounded reports whether the interval is finite.
func (e Estimate) Bounded() bool {
	return !math.IsInf(float64(e.High), 0) && !math.IsNaN(float64(e.High))
}

// Span prints the interval of a ratio, or nothing if it is not finite.
func (e Estimate) Span() string {
	if !e.Bounded() {
		return ""
	}
	return units.RatioSpan(e.Low, e.High)
}
