package compare

import (
	"cmp"
	"math"
	"slices"
)

// Analyse computes the results of a record from its plan and raw runs alone, and
// does not change rec. Do calls it; call it again after removing runs or changing
// the confidence or the margin.
func Analyse(rec Record) Results {
	a := analysis{rec: &rec, p: &rec.Plan, s: newSamples(rec.Runs, len(rec.Plan.Cells))}
	a.level = levelFor(a.p.Comparisons, a.p.Confidence)
	a.flagged = map[string]map[int]bool{}
	for _, r := range rec.Runs {
		if len(r.Flags) > 0 {
			task := a.p.Cells[r.Cell].Task
			if a.flagged[task] == nil {
				a.flagged[task] = map[int]bool{}
			}
			a.flagged[task][r.Round] = true
		}
	}
	res := Results{Level: a.level, Tasks: []TaskResult{}}
	if len(rec.Runs) == 0 {
		return res
	}
	for _, t := range a.p.Tasks {
		res.Tasks = append(res.Tasks, a.task(t.Name))
	}
	a.judge(res.Tasks)
	return res
}

type analysis struct {
	rec     *Record
	p       *Plan
	s       samples
	level   float64
	flagged map[string]map[int]bool // task → rounds with a disturbed run
}

func (a *analysis) task(name string) TaskResult {
	cells := a.p.of(name)
	t := TaskResult{Task: name, Rounds: a.s.rounds(cells...), Stopped: StopCut, Flagged: len(a.flagged[name]),
		Identical: true, Cells: []CellResult{}, Comparisons: []Comparison{}, Amdahl: []Amdahl{}, BreakEven: []BreakEven{}}
	for _, i := range cells {
		t.Cells = append(t.Cells, a.cell(i))
	}
	first := true
	for _, r := range a.rec.Runs {
		if a.p.Cells[r.Cell].Task != name {
			continue
		}
		if first {
			t.Value, first = r.Value, false
		}
		t.Identical = t.Identical && r.Value.Bits == t.Value.Bits
	}
	if name == Null {
		return t
	}
	if twin, original, ok := a.p.control(name); ok {
		c := Control{A: twin, B: original, Ratio: estimate(a.s.logRatios(twin, original), a.level).exp()}
		c.judge(a.p.Margin)
		t.Control = Known(c)
	}
	for _, pair := range a.p.pairs(name) {
		t.Comparisons = append(t.Comparisons, a.comparison(name, pair[0], pair[1]))
	}
	t.Amdahl = append(t.Amdahl, a.amdahl(name)...)
	t.BreakEven = append(t.BreakEven, a.breakEven(name)...)
	t.Why = a.why(name)
	return t
}

func (a *analysis) comparison(task string, x, y int) Comparison {
	logs := a.s.logRatios(x, y)
	c := Comparison{A: x, B: y, Verdict: Unresolved,
		Ratio:      estimate(logs, a.level).exp(),
		Difference: estimate(a.s.differences(x, y), a.level)}
	if flagged := a.flagged[task]; len(flagged) > 0 {
		var quiet []float64
		for round, v := range logs {
			if !flagged[round] {
				quiet = append(quiet, v)
			}
		}
		if e := estimate(quiet, a.level).exp(); !math.IsInf(float64(e.High), 1) {
			c.Quiet = Known(e)
		}
	}
	return c
}

// judge computes the verdicts of all comparisons of all tasks together, and then
// weakens those whose control failed.
func (a *analysis) judge(tasks []TaskResult) {
	var tests []test
	for _, t := range tasks {
		for _, c := range t.Comparisons {
			tests = append(tests, newTest(a.s.logRatios(c.A, c.B), a.p.Margin))
		}
	}
	all := verdicts(tests, 1-a.p.Confidence)
	k := 0
	for _, t := range tasks {
		control, controlled := t.Control.Get()
		for i := range t.Comparisons {
			c := &t.Comparisons[i]
			c.Verdict, c.P = all[k], tests[k].p(all[k])
			if controlled {
				c.weaken(control)
			}
			k++
		}
	}
}

// cell summarises the runs of cell i.
func (a *analysis) cell(i int) CellResult {
	var runs []int
	for k, r := range a.rec.Runs {
		if r.Cell == i {
			runs = append(runs, k)
		}
	}
	wall := func(k int) float64 { return a.rec.Runs[k].Wall }
	slices.SortStableFunc(runs, func(x, y int) int { return cmp.Compare(wall(x), wall(y)) })
	sorted := make([]float64, len(runs))
	for k, r := range runs {
		sorted[k] = wall(r)
	}
	c := CellResult{Cell: i, Seconds: estimate(sorted, a.level),
		P90: quantileOf(sorted, 0.9), Max: sorted[len(sorted)-1], Skew: skew(sorted),
		MedianRun: runs[(len(runs)-1)/2], WorstRun: runs[len(runs)-1]}
	a.usage(&c, runs)
	a.where(&c, runs)
	c.Slowest = slowest(a.rec.Runs[c.MedianRun])
	a.scaling(&c)
	return c
}

// skew names a distribution whose centre alone misleads: an upper tail (90th
// percentile) more than three times as far from the median as the lower one, or
// the reverse. It is empty below ten samples.
func skew(sorted []float64) string {
	if len(sorted) < 10 {
		return ""
	}
	m := medianOf(sorted)
	below, above := m-quantileOf(sorted, 0.1), quantileOf(sorted, 0.9)-m
	switch {
	case above > 3*below && above > 0.02*m:
		return "long slow tail"
	case below > 3*above && below > 0.02*m:
		return "long fast tail"
	}
	return ""
}
