package report

import (
	"fmt"
	"math"

	"procpool/compare"
)

// forest draws all paired ratios with their intervals, the reference line at 1
// and the band that counts as none.
func (v view) forest() figure {
	type row struct {
		task, label, verdict, class string
		backend                     compare.Backend
		ratio                       compare.Estimate
	}
	var rows []row
	for _, t := range v.compared() {
		name := t.Task
		for _, c := range t.Comparisons {
			word := string(c.Verdict)
			if c.Downgraded != "" {
				word += " *"
			}
			rows = append(rows, row{name, v.label(c.A) + " / " + v.label(c.B), word, string(c.Verdict), v.Plan.Cells[c.A].Backend, c.Ratio})
			name = ""
		}
		if c, ok := t.Control.Get(); ok {
			word := "control passes"
			if !c.Pass {
				word = "control does not pass"
			}
			rows = append(rows, row{name, v.label(c.A) + " / itself", word, "control", v.Plan.Cells[c.A].Backend, c.Ratio})
		}
	}
	const rowHeight, left, right, top = 26.0, 320.0, 740.0, 34.0
	bottom := top + rowHeight*float64(len(rows))
	c := &canvas{width: 1080, height: bottom + 48}
	x := scale{low: 0.8, high: 1.25, from: left, to: right, log: true}
	for _, r := range rows {
		for _, e := range []float64{float64(r.ratio.Low), float64(r.ratio.Median), float64(r.ratio.High)} {
			if e > 0 && !math.IsInf(e, 0) {
				reach := math.Min(math.Max(e, 1/e)*1.06, 50)
				x.low, x.high = math.Min(x.low, 1/reach), math.Max(x.high, reach)
			}
		}
	}
	band := 1 + v.Plan.Margin
	c.rect("band", x.at(1/band), top-6, x.at(band)-x.at(1/band), bottom-top+6)
	for _, tick := range x.ticks(6) {
		c.line("grid", x.at(tick), top-6, x.at(tick), bottom)
		c.text("tick middle", x.at(tick), bottom+16, digitsTrimmed(tick))
	}
	c.line("reference", x.at(1), top-12, x.at(1), bottom)
	c.text("label end", x.at(1)-10, top-14, "← first takes less time")
	c.text("label", x.at(1)+10, top-14, "more time →")
	c.text("label middle", (left+right)/2, bottom+36, "ratio of times, logarithmic; band: ±"+percentLevel(v.Plan.Margin)+" counts as none")
	for i, r := range rows {
		y := top + rowHeight*(float64(i)+0.5)
		if r.task != "" && i > 0 {
			c.line("rule", 0, y-rowHeight/2, c.width, y-rowHeight/2)
		}
		c.text("strong", 4, y+4, r.task)
		c.text("label end", left-14, y+4, r.label)
		c.open("series " + string(r.backend))
		if r.class == "control" {
			c.open("hollow")
		}
		low, high := float64(r.ratio.Low), float64(r.ratio.High)
		c.line("interval", x.at(x.clamp(low)), y, x.at(x.clamp(high)), y)
		for _, end := range []float64{low, high} {
			if x.holds(end) {
				c.line("whisker", x.at(end), y-5, x.at(end), y+5)
			}
		}
		c.mark("mark", r.backend, x.at(x.clamp(float64(r.ratio.Median))), y, 5)
		if r.class == "control" {
			c.close()
		}
		c.close()
		c.text("value end", 806, y+4, ratio(float64(r.ratio.Median)))
		c.text("muted", 816, y+4, ratioSpan(r.ratio))
		c.text("verdict "+r.class, 930, y+4, icon(r.class)+" "+r.verdict)
	}
	return figure{name: slug("forest"), title: "Who is faster: paired ratios of times", wide: true, draw: c, points: len(rows),
		finding: fmt.Sprintf("One row a comparison: the median of the ratios of %s of the same rounds, and its %s interval. %s",
			"two cells' times", percentLevel(v.Results.Level), v.tally()),
		data: []table{v.comparisons()}}
}

// icon tells a verdict without colour.
func icon(verdict string) string {
	switch compare.Verdict(verdict) {
	case compare.Faster:
		return "▲"
	case compare.Slower:
		return "▼"
	case compare.Equivalent:
		return "＝"
	case compare.Unresolved:
		return "？"
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
		plural(v.Plan.Comparisons, "comparison"), n[compare.Faster], n[compare.Slower], n[compare.Equivalent], n[compare.Unresolved])
}
