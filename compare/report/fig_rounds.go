package report

import (
	"fmt"
	"math"
	"strconv"

	"procpool/compare"
)

// A roundRatio is the ratio of the task's main comparison in one round.
type roundRatio struct {
	a, b, ratio float64 // seconds, seconds
	disturbed   bool
}

// ratios are the rounds of a comparison of t in the order in which they ran.
func (v view) ratios(t compare.TaskResult, c compare.Comparison) []roundRatio {
	out := make([]roundRatio, t.Rounds)
	for _, r := range v.Runs {
		if r.Round >= len(out) || v.Plan.Cells[r.Cell].Task != t.Task {
			continue
		}
		round := &out[r.Round]
		round.disturbed = round.disturbed || len(r.Flags) > 0
		switch r.Cell {
		case c.A:
			round.a = r.Wall
		case c.B:
			round.b = r.Wall
		}
	}
	for i := range out {
		out[i].ratio = out[i].a / out[i].b
	}
	return out
}

// rounds draws the ratios behind the task's main verdict in the order in which
// they were measured, to show drift and disturbed rounds.
func (v view) rounds(t compare.TaskResult) figure {
	f := figure{name: slug("rounds", t.Task), title: "Round by round", draw: &canvas{width: plotWidth, height: plotHeight}}
	main, ok := v.headline(t)
	if !ok {
		return f
	}
	median, backend := float64(main.Ratio.Median), v.Plan.Cells[main.A].Backend
	ratios, low, high := v.ratios(t, main), math.Min(1, median), math.Max(1, median)
	var xs []float64
	for i, r := range ratios {
		xs = append(xs, float64(i+1))
		low, high = math.Min(low, r.ratio), math.Max(high, r.ratio)
	}
	c, pad := f.draw, (high-low)*0.08+0.01
	x := scale{low: 0.4, high: float64(len(ratios)) + 0.6, from: plotLeft, to: plotRight}
	y := scale{low: low - pad, high: high + pad, from: plotBottom, to: plotTop}
	a, b := y.at(y.clamp(float64(main.Ratio.High))), y.at(y.clamp(float64(main.Ratio.Low)))
	c.rect("band", plotLeft, a, plotRight-plotLeft, b-a)
	frame(c, x, y, xs, "round", "ratio of times", digitsTrimmed)
	c.line("reference", plotLeft, y.at(1), plotRight, y.at(1))
	c.open(series(backend))
	c.line("line", plotLeft, y.at(median), plotRight, y.at(median))
	for i, r := range ratios {
		class := "mark"
		if r.disturbed {
			class = "mark disturbed"
		}
		c.mark(class, backend, x.at(float64(i+1)), y.at(r.ratio), 4)
	}
	c.close()
	tags(c, []tag{{series(backend), "median", y.at(median)}, {"series serial", "equal", y.at(1)}})
	f.points = len(ratios)
	f.finding = fmt.Sprintf("%s / %s in the order in which they ran, with the median and its interval; hollow marks are disturbed rounds. A trend here would be drift.", v.label(main.A), v.label(main.B))
	f.data = []table{v.roundsTable(main, ratios)}
	return f
}

func (v view) roundsTable(c compare.Comparison, ratios []roundRatio) table {
	tb := table{Caption: "Ratios by round", Align: "rrrrl", Head: []string{"round", v.label(c.A), v.label(c.B), "ratio", "disturbed"}}
	for i, r := range ratios {
		note := ""
		if r.disturbed {
			note = "yes"
		}
		tb.Rows = append(tb.Rows, []string{strconv.Itoa(i + 1), seconds(r.a), seconds(r.b), strconv.FormatFloat(r.ratio, 'f', 4, 64), note})
	}
	return tb
}
