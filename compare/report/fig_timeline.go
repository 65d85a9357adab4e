package report

import (
	"fmt"
	"math"
	"strings"

	"procpool/compare"
)

// A panel is one run of the timeline.
type panel struct {
	name, caption string
	run           compare.Run
}

// panels are the median and the worst run of every parallel backend at its
// largest worker count.
func (v view) panels(t compare.TaskResult) []panel {
	var out []panel
	curves, _ := v.curves(t)
	for _, k := range curves {
		r := k.cells[len(k.cells)-1]
		for _, one := range []struct {
			word string
			run  int
		}{{"median run", r.MedianRun}, {"worst run", r.WorstRun}} {
			run := v.Runs[one.run]
			name := v.label(r.Cell) + ", " + one.word
			out = append(out, panel{name, fmt.Sprintf("%s (round %d): %s", name, run.Round+1, seconds(run.Wall)), run})
		}
	}
	return out
}

// timeline draws the panels of a task: a row a worker, all on one clock and one
// scale.
func (v view) timeline(t compare.TaskResult) figure {
	f := figure{name: slug("timeline", t.Task), title: "What each worker did: the median and the worst run", wide: true,
		finding: "One lane a worker, all on one clock that starts with the run; all panels have the same scale. A run ends when its slowest worker does. Pauses for GC within worker processes are known as sums only and are not drawn; the data has them."}
	const left, right = 96.0, 1060.0
	panels, longest, height := v.panels(t), 0.0, 56.0
	for _, p := range panels {
		longest = math.Max(longest, p.run.Wall)
		height += 30 + rowsHeight(p.run)
		f.data = append(f.data, workersTable(p.name, p.run))
	}
	c := &canvas{width: 1080, height: height}
	f.draw = c
	if len(panels) == 0 {
		return f
	}
	u := unitOf(longest)
	x := scale{low: 0, high: longest * u.scale, from: left, to: right}
	c.legend(left, 14, v.phasesOf(t)...)
	y := 24.0
	for _, p := range panels {
		f.points += c.panel(p, x, u, y)
		y += 30 + rowsHeight(p.run)
	}
	for _, tick := range x.ticks(8) {
		c.line("tickmark", x.at(tick), y, x.at(tick), y+5)
		c.text("tick middle", x.at(tick), y+18, digitsTrimmed(tick))
	}
	c.line("axis", left, y, right, y)
	c.text("label end", left-8, y+18, u.name)
	return f
}

// panel draws one run below the height y and returns the number of its spans.
func (c *canvas) panel(p panel, x scale, u unit, y float64) (spans int) {
	c.text("strong", x.from, y+15, p.caption)
	y += 20
	h := rowHeight(p.run)
	for _, w := range lanes(p.run) {
		if h >= 9 { // room for a name
			c.text("small end", x.from-8, y+h-2, w.name)
		}
		c.rect("lane", x.from, y, x.to-x.from, h-2)
		spans += c.spans(w.Spans, x, u, y, h-2)
		y += h
	}
	c.line("end", x.at(p.run.Wall*u.scale), y-rowsHeight(p.run)-2, x.at(p.run.Wall*u.scale), y)
	return spans
}

// rowHeight makes many workers fit: 16 pixels down to 3.
func rowHeight(r compare.Run) float64 {
	return math.Min(16, math.Max(3, math.Floor(480/float64(len(r.Workers)+1))))
}

func rowsHeight(r compare.Run) float64 { return rowHeight(r) * float64(len(r.Workers)+1) }

// spans draws the spans of one worker, one path for each phase and depth: a run may
// have thousands. Spans are in order, an enclosing one before those within it, so
// inner phases are drawn over outer ones.
func (c *canvas) spans(spans []compare.Span, x scale, u unit, y, h float64) int {
	paths := map[compare.Phase][]byte{}
	var order []compare.Phase
	for _, s := range spans {
		if _, ok := paths[s.Phase]; !ok {
			order = append(order, s.Phase)
		}
		from, to := x.at(s.Start*u.scale), x.at(s.End*u.scale)
		paths[s.Phase] = fmt.Appendf(paths[s.Phase], "M%.2f %sh%.2fv%sH%.2fz", from, num(y), math.Max(to-from, 0.1), num(h), from)
	}
	for _, p := range order {
		fmt.Fprintf(c, `<path class="phase %s" d="%s"/>`, p, paths[p])
	}
	return len(spans)
}

// workersTable is the data of one panel.
func workersTable(name string, r compare.Run) table {
	tb := table{Caption: name, Align: "l", Head: []string{"worker"}}
	for _, p := range compare.Phases() {
		tb.Head = append(tb.Head, string(p))
		tb.Align += "r"
	}
	for _, w := range lanes(r) {
		row := []string{strings.TrimPrefix(w.name, "worker ")}
		for _, p := range compare.Phases() {
			row = append(row, blank(w.Seconds(p), seconds))
		}
		tb.Rows = append(tb.Rows, row)
	}
	return tb
}
