package compare

import (
	"math"
	"slices"
)

// scaling fills in the speed-ups of a cell and what follows from them.
func (a *analysis) scaling(c *CellResult) {
	cell := a.p.Cells[c.Cell]
	if cell.Backend == Serial || cell.Ablation != Plain || cell.Control {
		return
	}
	if base := a.p.find(cell.Task, Serial, 1, Plain, false); base >= 0 {
		s := estimate(a.s.logRatios(base, c.Cell), a.level).exp()
		c.VsSerial = Known(s)
		n := float64(cell.Workers)
		c.Efficiency = Known(float64(s.Median) / n)
		if cell.Workers > 1 {
			c.KarpFlatt = Known((1/float64(s.Median) - 1/n) / (1 - 1/n))
		}
	}
	if base := a.p.find(cell.Task, cell.Backend, 1, Plain, false); base >= 0 && base != c.Cell {
		c.VsSelf = Known(estimate(a.s.logRatios(base, c.Cell), a.level).exp())
	}
}

// amdahl fits the serial fraction of every parallel backend of a task. With
// x = 1 - 1/N the model is 1/S - 1/N = f x, a line through the origin.
func (a *analysis) amdahl(task string) []Amdahl {
	var out []Amdahl
	for _, b := range backends()[1:] {
		base := a.p.find(task, b, 1, Plain, false)
		if base < 0 {
			continue
		}
		type point struct{ x, y float64 }
		var points []point
		var xy, xx float64
		for _, i := range a.p.of(task) {
			cell := a.p.Cells[i]
			if cell.Backend != b || cell.Workers == 1 || cell.Ablation != Plain || cell.Control {
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
// serial and, where there is one, the less separated backends with as many workers.
func (a *analysis) breakEven(task string) []BreakEven {
	size := float64(a.p.task(task).Size)
	median := func(i int) float64 {
		return medianOf(slices.Sorted(slices.Values(a.s[i])))
	}
	line := func(i int) (floor, slope float64, ok bool) { // seconds, seconds a index
		c := a.p.Cells[i]
		null := a.p.find(Null, c.Backend, c.Workers, Plain, false)
		if null < 0 || len(a.s[null]) == 0 {
			return 0, 0, false
		}
		floor = median(null)
		return floor, (median(i) - floor) / size, true
	}
	var out []BreakEven
	for _, x := range a.p.of(task) {
		cx := a.p.Cells[x]
		for _, y := range a.p.of(task) {
			cy := a.p.Cells[y]
			plain := cx.Ablation == Plain && cy.Ablation == Plain && !cx.Control && !cy.Control
			if !plain || y >= x || cx.Backend == cy.Backend || (cy.Backend != Serial && cx.Workers != cy.Workers) {
				continue
			}
			fx, sx, okx := line(x)
			fy, sy, oky := line(y)
			if serial := a.p.find(task, Serial, 1, Plain, false); okx && oky && serial >= 0 {
				_, work, _ := line(serial)
				out = append(out, meet(BreakEven{Cell: x, Against: y}, fx-fy, sy-sx, work))
			}
		}
	}
	return out
}

// meet solves floor = gain * size for a cell that starts floor seconds later and
// gains gain seconds an index; work is the serial cost of an index.
func meet(b BreakEven, floor, gain, work float64) BreakEven {
	switch {
	case gain <= 0 && floor <= 0:
		b.Never = "ahead only below some size: its floor is lower, its cost a index is not"
	case gain <= 0:
		b.Never = "no size: neither its floor nor its cost a index is lower"
	default:
		n := math.Max(floor/gain, 0)
		b.Indices, b.SerialSeconds = Known(n), Known(math.Max(n*work, 0))
	}
	return b
}
