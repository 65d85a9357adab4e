package report

import (
	"fmt"
	"math"

	"procpool/compare"
	"procpool/internal/text"
	"procpool/pool"
)

// A forestRow is one comparison, or the A/A control of a task.
type forestRow struct {
	task, label string // task: in the first row of a task only
	verdict     string // the word shown
	class       string // the verdict, or "control"
	backend     pool.Backend
	ratio       compare.Estimate
}

func (v view) forestRows() []forestRow {
	var rows []forestRow
	for _, t := range v.compared() {
		name := t.Task
		for _, c := range t.Comparisons {
			rows = append(rows, forestRow{name, v.label(c.A) + " / " + v.label(c.B), marked(c), string(c.Verdict), v.Plan.Cells[c.A].Backend, c.Ratio})
			name = ""
		}
		if c, ok := t.Control.Get(); ok {
			rows = append(rows, forestRow{name, v.label(c.A) + " / itself", passes(c), "control", v.Plan.Cells[c.A].Backend, c.Ratio})
		}
	}
	return rows
}

const (
	forestRowHeight         = 26.0
	forestLeft, forestRight = 320.0, 740.0
	forestTop               = 34.0
)

// forest draws all paired ratios with their intervals, the reference line at 1
// and the band that counts as none.
func (v view) forest() figure {
	rows := v.forestRows()
	bottom := forestTop + forestRowHeight*float64(len(rows))
	c := &canvas{width: 1080, height: bottom + 48}
	x := scale{low: 0.8, high: 1.25, from: forestLeft, to: forestRight, log: true}
	for _, r := range rows {
		for _, e := range []compare.Number{r.ratio.Low, r.ratio.Median, r.ratio.High} {
			if e := float64(e); e > 0 && !math.IsInf(e, 0) {
				reach := math.Min(math.Max(e, 1/e)*1.06, 1e4)
				x.low, x.high = math.Min(x.low, 1/reach), math.Max(x.high, reach)
			}
		}
	}
	band := 1 + v.Plan.Margin
	c.rect("band", x.at(1/band), forestTop-6, x.at(band)-x.at(1/band), bottom-forestTop+6)
	c.grid(x, 6, forestTop-6, bottom)
	c.line("reference", x.at(1), forestTop-12, x.at(1), bottom)
	c.text("label end", x.at(1)-10, forestTop-14, "← first takes less time")
	c.text("label", x.at(1)+10, forestTop-14, "more time →")
	c.text("label middle", (forestLeft+forestRight)/2, bottom+36, "ratio of times, logarithmic; band: ±"+percentLevel(v.Plan.Margin)+" counts as none")
	for i, r := range rows {
		top := forestTop + forestRowHeight*float64(i)
		if r.task != "" && i > 0 {
			c.line("rule", 0, top, c.width, top)
		}
		c.forestRow(r, x, top+forestRowHeight/2)
	}
	return figure{name: slug("forest"), title: "Who is faster: paired ratios of times", wide: true, draw: c, points: len(rows),
		finding: fmt.Sprintf("One row a comparison: the median of the ratios of two times of the same round, and its %s interval; hollow marks are A/A controls, * marks verdicts held against a control that does not pass. %s",
			percentLevel(v.Results.Level), v.tally()),
		data: []table{v.comparisons()}}
}

// forestRow draws one row around the height y.
func (c *canvas) forestRow(r forestRow, x scale, y float64) {
	c.text("strong", 4, y+4, r.task)
	c.text("label end", forestLeft-14, y+4, r.label)
	class := series(r.backend)
	if r.class == "control" {
		class += " hollow"
	}
	c.open(class)
	c.interval("interval", "whisker", float64(r.ratio.Low), float64(r.ratio.High), y, 10, x)
	c.mark("mark", r.backend, x.at(x.clamp(float64(r.ratio.Median))), y, 5)
	c.close()
	c.text("value end", 806, y+4, ratio(r.ratio.Median))
	c.text("muted", 816, y+4, ratioSpan(r.ratio))
	c.text("verdict "+r.class, 945, y+4, icon(r.class)+" "+r.verdict)
}

// icon shows a verdict without colour.
func icon(verdict string) string {
	switch compare.Verdict(verdict) {
	case compare.Faster:
		return "▲"
	case compare.Slower:
		return "▼"
	case compare.Equivalent:
		return "="
	case compare.Unresolved:
		return "?"
	}
	return "○"
}

// tally counts the verdicts in words.
func (v view) tally() string {
	n := map[compare.Verdict]int{}
	for _, t := range v.compared() {
		for _, c := range t.Comparisons {
			n[c.Verdict]++
		}
	}
	return fmt.Sprintf("Of %s, the first is faster in %d, slower in %d, equivalent in %d, and %d are unresolved.",
		text.Plural(int64(v.Plan.Comparisons), "comparison"), n[compare.Faster], n[compare.Slower], n[compare.Equivalent], n[compare.Unresolved])
}
