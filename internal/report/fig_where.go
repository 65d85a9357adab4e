package report

import (
	"fmt"
	"math"
	"strconv"

	"procpool/compare"
)

// where draws a stacked bar for each cell: the phases of the mean worker, which
// together with what no span covers make up the mean wall time.
func (v view) whereFigure(t compare.TaskResult) figure {
	const left, right, rowHeight, top = 190.0, 990.0, 26.0, 40.0
	bottom := top + rowHeight*float64(len(t.Cells))
	f := figure{name: slug("where", t.Task), title: "Where the time went", wide: true,
		draw: &canvas{width: 1080, height: bottom + 42}, data: []table{v.where(t)}}
	c := f.draw
	longest := 0.0
	for _, r := range t.Cells {
		longest = math.Max(longest, wallOf(r))
	}
	if longest == 0 {
		return f
	}
	u := unitOf(longest)
	x := scale{low: 0, high: longest * u.scale, from: left, to: right}
	for _, tick := range x.ticks(8) {
		c.line("grid", x.at(tick), top-4, x.at(tick), bottom)
		c.text("tick middle", x.at(tick), bottom+16, digitsTrimmed(tick))
	}
	c.text("label middle", (left+right)/2, bottom+36, "mean wall time, "+u.name)
	c.legend(v.phasesOf(t), left, 18)
	for i, r := range t.Cells {
		y := top + rowHeight*float64(i)
		c.text("label end", left-12, y+17, v.label(r.Cell))
		at := left
		bar := func(class, name string, s float64) {
			w := x.at(s*u.scale) - left
			c.rect("phase "+class, at, y+4, w, rowHeight-8)
			share := percentShort(s / wallOf(r))
			if w > 8*float64(len(share)) {
				c.text("inbar middle on-"+class, at+w/2, y+17, share)
			}
			at += w
			f.points++
		}
		for _, w := range r.Where {
			bar(string(w.Phase), string(w.Phase), w.Seconds)
		}
		if r.Unaccounted > 1e-4*wallOf(r) {
			bar("unaccounted", "unaccounted", r.Unaccounted)
		}
		c.text("value", at+8, y+17, seconds(wallOf(r)))
	}
	f.finding = "For each cell the mean over runs and workers; a bar is as long as the mean wall time, and its parts are where a worker spent it."
	return f
}

// wallOf is the mean wall time that the parts of a cell make up.
func wallOf(r compare.CellResult) float64 {
	sum := r.Unaccounted
	for _, w := range r.Where {
		sum += w.Seconds
	}
	return sum
}

// percentShort prints a share without decimals.
func percentShort(x float64) string { return strconv.FormatFloat(100*x, 'f', 0, 64) + " %" }

// legend draws a swatch and a name for each phase.
func (c *canvas) legend(phases []compare.Phase, x, y float64) {
	for _, name := range append(phaseNames(phases), "unaccounted") {
		c.rect("phase "+name, x, y-10, 14, 12)
		c.text("label", x+19, y, name)
		x += 34 + 6.6*float64(len(name))
	}
}

func phaseNames(phases []compare.Phase) []string {
	out := make([]string, len(phases))
	for i, p := range phases {
		out[i] = string(p)
	}
	return out
}

// timeline draws the median and the worst run of every parallel backend at its
// largest worker count: a row a worker, all on one clock and one scale.
func (v view) timeline(t compare.TaskResult) figure {
	f := figure{name: slug("timeline", t.Task), title: "What each worker did: the median and the worst run", wide: true}
	type panel struct {
		name string
		run  compare.Run
	}
	var panels []panel
	longest, height := 0.0, 56.0
	curves, _ := v.curves(t)
	for _, k := range curves {
		if len(k.cells) == 0 {
			continue
		}
		r := k.cells[len(k.cells)-1]
		for _, one := range []struct {
			word string
			run  int
		}{{"median run", r.MedianRun}, {"worst run", r.WorstRun}} {
			run := v.Runs[one.run]
			panels = append(panels, panel{fmt.Sprintf("%s, %s (round %d): %s", v.label(r.Cell), one.word, run.Round+1, seconds(run.Wall)), run})
			longest = math.Max(longest, run.Wall)
			height += 30 + rowsHeight(run)
			f.data = append(f.data, workersTable(v.label(r.Cell)+", "+one.word, run))
		}
	}
	c := &canvas{width: 1080, height: height}
	f.draw = c
	if len(panels) == 0 {
		return f
	}
	const left, right = 96.0, 1060.0
	u := unitOf(longest)
	x := scale{low: 0, high: longest * u.scale, from: left, to: right}
	c.legend(compare.Phases(), left, 14)
	y := 24.0
	for _, p := range panels {
		y += 20
		c.text("strong", left, y-5, p.name)
		for i, w := range append([]compare.Worker{p.run.Parent}, p.run.Workers...) {
			h := rowHeight(p.run)
			if h >= 9 {
				name := "parent"
				if i > 0 {
					name = "worker " + strconv.Itoa(w.Index)
				}
				c.text("small end", left-8, y+h-2, name)
			}
			c.rect("lane", left, y, right-left, h-2)
			f.points += c.spans(w.Spans, x, u, y, h-2)
			y += h
		}
		c.line("end", x.at(p.run.Wall*u.scale), y-rowsHeight(p.run)-2, x.at(p.run.Wall*u.scale), y)
		y += 10
	}
	for _, tick := range x.ticks(8) {
		c.line("tickmark", x.at(tick), y, x.at(tick), y+5)
		c.text("tick middle", x.at(tick), y+18, digitsTrimmed(tick))
	}
	c.line("axis", left, y, right, y)
	c.text("label end", left-8, y+18, u.name)
	f.finding = "One lane a worker, all on one clock that starts with the run; all panels have the same scale. A run ends when its slowest worker does."
	return f
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
	for i, w := range append([]compare.Worker{r.Parent}, r.Workers...) {
		row := []string{"parent"}
		if i > 0 {
			row[0] = strconv.Itoa(w.Index)
		}
		for _, p := range compare.Phases() {
			s := ""
			for _, t := range w.Phases {
				if t.Phase == p {
					s = seconds(t.Seconds)
				}
			}
			row = append(row, s)
		}
		tb.Rows = append(tb.Rows, row)
	}
	return tb
}
