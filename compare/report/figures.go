package report

import (
	"math"
	"strconv"

	"procpool/compare"
	"procpool/internal/units"
	"procpool/pool"
)

// left and right are the edges of what figures plot.
const left, right = 22.0, figureWidth - 22

// forest draws all paired ratios with their intervals, the reference line at 1
// and the band that counts as none.
func (p *page) forest() *figure {
	f := &figure{name: "ratios", title: "Who is faster: paired ratios of times", data: p.tables["rows"],
		finding: "The ratio of times without starting, on a logarithmic axis, with its interval. Within the band, a difference counts as none.",
		x:       scale{low: 0.8, high: 1.25, from: left, to: right, log: true}}
	for _, r := range p.Results.Rows {
		for _, e := range []compare.Number{r.Ratio.Low, r.Ratio.Centre, r.Ratio.High} {
			if e := float64(e); e > 0 && !math.IsInf(e, 0) {
				reach := math.Min(math.Max(e, 1/e)*1.06, 1e4)
				f.x.low, f.x.high = math.Min(f.x.low, 1/reach), math.Max(f.x.high, reach)
			}
		}
	}
	f.begin(len(p.Results.Rows), "ratio of times")
	band, bottom := 1+p.Plan.Margin, f.bottom()
	f.rect("band", f.x.at(1/band), plotTop, f.x.at(band)-f.x.at(1/band), bottom-plotTop)
	f.line("reference", f.x.at(1), plotTop-8, f.x.at(1), bottom)
	f.text("label end", f.x.at(1)-8, 18, "← first wins")
	f.text("label", f.x.at(1)+8, 18, "second wins →")
	for i, r := range p.Results.Rows {
		if r.Ratio.N == 0 {
			continue
		}
		value := units.Ratio(r.Ratio.Centre)
		if r.Ratio.Bounded() {
			value += " " + units.RatioSpan(r.Ratio.Low, r.Ratio.High)
		}
		y, ok := f.row(i, p.RowName(r), value+" "+icon(r.Verdict)+" "+r.Winner())
		if !ok {
			break
		}
		f.open(series(r.A))
		if r.Ratio.Bounded() {
			f.interval("interval", "whisker", float64(r.Ratio.Low), float64(r.Ratio.High), y, 9, f.x)
		}
		f.mark("mark", r.A, f.x.at(f.x.clamp(float64(r.Ratio.Centre))), y, 5)
		f.close()
	}
	return f
}

// icon shows a verdict without colour.
func icon(v compare.Verdict) string {
	return map[compare.Verdict]string{compare.Faster: "▲", compare.Slower: "▼", compare.Same: "=", compare.Open: "?"}[v]
}

// where draws a stacked bar for each cell: the phases of the mean worker, which together
// with the time outside all spans make up the mean wall time.
func (p *page) where() *figure {
	f := &figure{name: "where", title: "Where the time went", data: p.tables["where"],
		finding: "A bar is as long as the mean wall time of a cell; its parts are where a worker spent it, on average.",
		x:       scale{from: left, to: right}}
	for _, c := range p.Results.Cells {
		f.x.high = math.Max(f.x.high, c.Mean())
	}
	phases := compare.PhasesOf(p.Record)
	if len(phases) == 0 || !(f.x.high > 0) { // the runner measured none
		return f
	}
	u := units.Of(f.x.high)
	f.x.high *= u.Scale
	f.begin(len(p.Results.Cells), "mean wall time, "+u.Name)
	f.legend(append(phases, "unaccounted"))
	for i, c := range p.Results.Cells {
		y, ok := f.row(i, p.Plan.Cells[c.Cell].String(), units.Seconds(c.Mean()))
		if !ok {
			break
		}
		at := left
		bar := func(class string, s float64) {
			w := f.x.at(s*u.Scale) - left
			f.rect("phase "+class, at, y-6, w, 12)
			at += w
		}
		for _, t := range c.Where {
			bar(string(t.Phase), t.Seconds)
		}
		if c.Unaccounted > 1e-4*c.Mean() {
			bar("unaccounted", c.Unaccounted)
		}
	}
	return f
}

// legend draws a swatch and a name for each phase, in two lines if need be.
func (f *figure) legend(phases []compare.Phase) {
	x, y := 2.0, 12.0
	for _, p := range phases {
		w := 20 + 6.6*float64(len(p))
		if x+w > figureWidth {
			x, y = 2, y+14
		}
		f.rect("phase "+string(p), x, y-8, 10, 10)
		f.text("label small", x+13, y, string(p))
		x += w
	}
}

// speedup draws how many times faster than serial each parallel cell computes, with a
// line at as many times as it has workers.
func (p *page) speedup() *figure {
	f := &figure{name: "speedup", title: "Speed-up over serial, starting not counted", data: p.tables["times"],
		finding: "How many times faster than serial a cell computes; the upright line is at its number of workers, which is ideal.",
		x:       scale{from: left, to: right}}
	var cells []compare.CellResult
	for _, c := range p.Results.Cells {
		if s, ok := c.Speedup.Get(); ok {
			f.x.high = math.Max(f.x.high, 1.05*math.Max(s, float64(p.Plan.Cells[c.Cell].Workers)))
			cells = append(cells, c)
		}
	}
	if len(cells) == 0 {
		return f
	}
	f.begin(len(cells), "times as fast as serial")
	for i, c := range cells {
		s, _ := c.Speedup.Get()
		cell := p.Plan.Cells[c.Cell]
		y, ok := f.row(i, cell.String(), units.Ratio(s)+"×")
		if !ok {
			break
		}
		f.open(series(cell.Backend))
		f.line("interval", left, y, f.x.at(s), y)
		f.mark("mark", cell.Backend, f.x.at(s), y, 5)
		f.close()
		f.line("tickmark", f.x.at(float64(cell.Workers)), y-8, f.x.at(float64(cell.Workers)), y+8)
	}
	return f
}

// cost draws the CPU time of each cell, user and system apart.
func (p *page) cost() *figure {
	f := &figure{name: "cost", title: "What it cost: CPU time", data: p.tables["cost"],
		finding: "CPU time of the median run, of parent and workers together: in the program, and hatched in the kernel.",
		x:       scale{from: left, to: right}}
	for _, c := range p.Results.Cells {
		cpu, _ := c.CPUSeconds().Get()
		f.x.high = math.Max(f.x.high, cpu)
	}
	if !(f.x.high > 0) {
		return f
	}
	u := units.Of(f.x.high)
	f.x.high *= u.Scale
	f.begin(len(p.Results.Cells), "CPU time, "+u.Name)
	for i, c := range p.Results.Cells {
		cpu, known := c.CPUSeconds().Get()
		if !known {
			continue
		}
		user, _ := c.UserSeconds.Get()
		memory := ""
		if peak, ok := c.PeakRSSBytes.Get(); ok {
			memory = ", " + strconv.FormatFloat(math.Ceil(peak/(1<<20)), 'f', 0, 64) + " MiB"
		}
		cell := p.Plan.Cells[c.Cell]
		y, ok := f.row(i, cell.String(), units.Seconds(cpu)+memory)
		if !ok {
			break
		}
		f.open(series(cell.Backend))
		w := f.x.at(user*u.Scale) - left
		f.rect("bar", left, y-6, w, 12)
		f.rect("kernel", left+w, y-6, f.x.at(cpu*u.Scale)-left-w, 12)
		f.close()
	}
	return f
}

// series is the class of what belongs to a backend.
func series(b pool.Backend) string { return "series " + string(b) }
