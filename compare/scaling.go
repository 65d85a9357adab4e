package compare

import (
	"math"

	"procpool/pool"
)

// scaling fills in the speed-ups of a cell and what follows from them.
func (a *analysis) scaling(c *CellResult) {
	cell := a.p.Cells[c.Cell]
	if cell.Backend == pool.Serial || !cell.IsPlain() {
		return
	}
	if base := a.p.plain(cell.Task, pool.Serial, 1); base >= 0 {
		s := estimate(a.s.logRatios(base, c.Cell), a.level).exp()
		c.VsSerial = Known(s)
		n := float64(cell.Workers)
		c.Efficiency = Known(float64(s.Median) / n)
		if cell.Workers > 1 {
			c.KarpFlatt = Known((1/float64(s.Median) - 1/n) / (1 - 1/n))
		}
	}
	if base := a.p.plain(cell.Task, cell.Backend, 1); base >= 0 && base != c.Cell {
		c.VsSelf = Known(estimate(a.s.logRatios(base, c.Cell), a.level).exp())
	}
}

// amdahl fits the serial fraction of every parallel backend of a task. With
// x = 1 - 1/N the model is 1/S - 1/N = f x, a line through the origin.
func (a *analysis) amdahl(task string) []Amdahl {
	var out []Amdahl
	for _, b := range Backends()[1:] {
		base := a.p.plain(task, b, 1)
		if base < 0 {
			continue
		}
		type point struct{ x, y float64 }
		var points []point
		var xy, xx float64
		for _, i := range a.p.of(task) {
			cell := a.p.Cells[i]
			if cell.Backend != b || cell.Workers == 1 || !cell.IsPlain() {
				continue
			}
			n := float64(cell.Workers)
			s := math.Exp(float64(estimate(a.s.logRatios(base, i), a.level).Median))
			q := point{1 - 1/n, 1/s - 1/n}
			points = append(points, q)
			xy += q.x * q.y
			xx += q.x * q.x
		}
		if len(points) == 0 {
			continue
		}
		fit := Amdahl{Backend: b, Fraction: xy / xx, Points: len(points)}
		for _, q := range points {
			fit.Residual = math.Max(fit.Residual, math.Abs(q.y-fit.Fraction*q.x))
		}
		out = append(out, fit)
	}
	return out
}

// breakEven computes, for every plain parallel cell, the size from which it beats
// serial and the less separated backends with as many workers.
func (a *analysis) breakEven(task string) []BreakEven {
	var out []BreakEven
	for _, x := range a.p.of(task) {
		for _, y := range a.p.of(task) {
			cx, cy := a.p.Cells[x], a.p.Cells[y]
			rivals := cy.Backend == pool.Serial || cx.Workers == cy.Workers && rank(cx.Backend) > rank(cy.Backend)
			if !cx.IsPlain() || !cy.IsPlain() || cx.Backend == pool.Serial || !rivals {
				continue
			}
			if b, ok := a.meet(x, y); ok {
				out = append(out, b)
			}
		}
	}
	return out
}

// meet solves floor = gain * size, where x starts floor seconds later than y and
// gains gain seconds an index. Both are medians of paired differences: of the null
// cells, and of the cells after taking the null cells away. There is no size where
// the interval of the gain holds 0, because it could be any.
func (a *analysis) meet(x, y int) (BreakEven, bool) {
	null := func(i int) int {
		return a.p.plain(Null, a.p.Cells[i].Backend, a.p.Cells[i].Workers)
	}
	serial := a.p.plain(a.p.Cells[x].Task, pool.Serial, 1)
	if null(x) < 0 || null(y) < 0 || serial < 0 {
		return BreakEven{}, false
	}
	b := BreakEven{Cell: x, Against: y}
	size := float64(a.p.Cells[x].Interval.Len())
	later := a.s.differences(null(x), null(y))
	floor := float64(estimate(later, a.level).Median)
	gain := estimate(minus(a.s.differences(y, x), negated(later)), a.level)
	work := float64(estimate(a.s[serial], a.level).Median-estimate(a.s[null(serial)], a.level).Median) / size
	switch {
	case gain.contains(0):
		b.Never = "unresolved: the costs of an index do not differ beyond noise"
	case gain.Median < 0 && floor < 0:
		b.Never = "never: ahead only while the input is small"
	case gain.Median < 0:
		b.Never = "never: it starts later and an index costs more"
	default:
		n := math.Max(floor/(float64(gain.Median)/size), 0)
		b.Indices, b.SerialSeconds = Known(n), Known(math.Max(n*work, 0))
	}
	return b, true
}
