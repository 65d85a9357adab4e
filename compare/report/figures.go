package report

import (
	"math"
	"strings"

	"procpool/compare"
	"procpool/internal/text"
	"procpool/internal/units"
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
		value := strings.TrimSpace(units.Ratio(r.Ratio.Centre) + " " + r.Ratio.Span())
		y, ok := f.row(i, p.RowName(r), value+" "+icon(r.Verdict)+" "+r.Winner())
		if !ok {
			break
		}
		f.open("series " + string(r.A))
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

// A bar is one row of a figure of bars.
type bar struct {
	cell  int // its name, and its colours
	value string
	parts []part
	ideal float64 // where a mark stands; 0: none
}

type part struct {
	class  string
	length float64
}

// bars fills a figure with bars, in the unit that is scale times the given lengths.
func (p *page) bars(f *figure, axis string, scaled float64, bars []bar) *figure {
	for _, b := range bars {
		length := 0.0
		for _, part := range b.parts {
			length += part.length
		}
		f.x.high = math.Max(f.x.high, math.Max(length, b.ideal*1.05)*scaled)
	}
	if !(f.x.high > 0) { // the runner measured nothing of this
		return f
	}
	f.x.from, f.x.to = left, right
	f.begin(len(bars), axis)
	for i, b := range bars {
		y, ok := f.row(i, p.Plan.Cells[b.cell].String(), b.value)
		if !ok {
			break
		}
		f.open("series " + string(p.Plan.Cells[b.cell].Backend))
		at := left
		for _, part := range b.parts {
			w := f.x.at(part.length*scaled) - left
			f.rect(part.class, at, y-6, w, 12)
			at += w
		}
		if b.ideal > 0 {
			f.line("tickmark", f.x.at(b.ideal*scaled), y-9, f.x.at(b.ideal*scaled), y+9)
		}
		f.close()
	}
	return f
}

// where shows the phases of the mean worker, which together with the time outside all
// spans make up the mean wall time.
func (p *page) where() *figure {
	f := &figure{name: "where", title: "Where the time went", data: p.tables["times"],
		finding: "A bar is as long as the mean wall time of a cell; its parts are where a worker spent it, on average."}
	var bars []bar
	longest := 0.0
	for _, c := range p.Results.Cells {
		b := bar{cell: c.Cell, value: units.Seconds(c.Mean())}
		for _, t := range c.Where {
			b.parts = append(b.parts, part{"phase " + string(t.Phase), t.Seconds})
		}
		if len(b.parts) > 0 {
			bars = append(bars, bar{b.cell, b.value, append(b.parts, part{"phase unaccounted", c.Unaccounted}), 0})
		}
		longest = math.Max(longest, c.Mean())
	}
	u := units.Of(longest)
	if p.bars(f, "mean wall time, "+u.Name, u.Scale, bars); f.points > 0 {
		f.legend(append(compare.PhasesOf(p.Record), "unaccounted"))
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

// speedup shows how many times faster than serial each parallel cell computes, with a
// mark at as many times as it has workers.
func (p *page) speedup() *figure {
	f := &figure{name: "speedup", title: "Speed-up over serial, starting not counted", data: p.tables["times"],
		finding: "How many times faster than serial a cell computes; the upright line is at its number of workers, which is ideal."}
	var bars []bar
	for _, c := range p.Results.Cells {
		if s, ok := c.Speedup.Get(); ok {
			bars = append(bars, bar{c.Cell, units.Ratio(s) + "×", []part{{"bar", s}}, float64(p.Plan.Cells[c.Cell].Workers)})
		}
	}
	return p.bars(f, "times as fast as serial", 1, bars)
}

// cost shows the CPU time of each cell, user and system apart.
func (p *page) cost() *figure {
	f := &figure{name: "cost", title: "What it cost: CPU time and memory", data: p.tables["cost"],
		finding: "CPU time of the median run, of parent and workers together: in the program, and hatched in the kernel."}
	var bars []bar
	most := 0.0
	for _, c := range p.Results.Cells {
		cpu, known := c.CPUSeconds().Get()
		if !known {
			continue
		}
		user, _ := c.UserSeconds.Get()
		value := units.Seconds(cpu)
		if peak, ok := c.PeakRSSBytes.Get(); ok {
			value += ", " + text.Bytes(peak)
		}
		bars = append(bars, bar{c.Cell, value, []part{{"bar", user}, {"kernel", math.Max(cpu-user, 0)}}, 0})
		most = math.Max(most, cpu)
	}
	u := units.Of(most)
	return p.bars(f, "CPU time, "+u.Name, u.Scale, bars)
}
