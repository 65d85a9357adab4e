package report

import (
	"fmt"
	"math"
	"strconv"

	"procpool/compare"
)

// whyFigure draws the gap between processes and goroutines and its parts as bars
// from 0, each with its interval.
func (v view) whyFigure(t compare.TaskResult, w compare.Why) figure {
	type row struct {
		name, class string
		e           compare.Estimate
	}
	rows := []row{{"gap", "gap", w.Gap}}
	for _, p := range w.Parts {
		if p.Within == "" {
			rows = append(rows, row{p.Name, "part", p.Seconds})
		} else {
			rows = append(rows, row{"of " + p.Within + ": " + p.Name, "within", p.Seconds})
		}
	}
	rows = append(rows, row{"unexplained", "rest", w.Unexplained})

	const left, right, rowHeight, top = 158.0, 440.0, 26.0, 26.0
	bottom := top + rowHeight*float64(len(rows))
	n := strconv.Itoa(w.Workers)
	f := figure{name: slug("why", t.Task, n), title: "Why: processes×" + n + " minus goroutines×" + n, points: len(rows),
		draw: &canvas{width: 520, height: bottom + 42}, data: []table{v.why(t, w)}}
	c := f.draw
	reach := 1e-12
	for _, r := range rows {
		reach = math.Max(reach, math.Abs(float64(r.e.Median)))
		for _, end := range []float64{float64(r.e.Low), float64(r.e.High)} {
			if !math.IsInf(end, 0) {
				reach = math.Max(reach, math.Abs(end))
			}
		}
	}
	u := unitOf(reach)
	x := scale{low: -reach * 1.05 * u.scale, high: reach * 1.05 * u.scale, from: left, to: right}
	c.grid(x, 5, top-6, bottom)
	c.line("reference", x.at(0), top-10, x.at(0), bottom)
	c.text("label end", x.at(0)-8, top-12, "← for processes")
	c.text("label", x.at(0)+8, top-12, "for goroutines →")
	c.text("label middle", (left+right)/2, bottom+36, u.name+" of wall time")
	for i, r := range rows {
		y := top + rowHeight*float64(i)
		m := float64(r.e.Median) * u.scale
		c.text("label end", left-10, y+17, r.name)
		c.rect("bar "+r.class, math.Min(x.at(0), x.at(m)), y+6, math.Abs(x.at(m)-x.at(0)), rowHeight-12)
		c.interval("error", "error", float64(r.e.Low)*u.scale, float64(r.e.High)*u.scale, y+13, 8, x)
		c.text("value", right+10, y+17, signed(r.e.Median))
	}
	f.finding = fmt.Sprintf("Each part is how much the gap of %s changes when one cause is taken away. Parts are measured one at a time and need not add up; %s stay unexplained.",
		signed(w.Gap.Median), signed(w.Unexplained.Median))
	return f
}
