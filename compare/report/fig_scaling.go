package report

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"procpool/compare"
	"procpool/pool"
)

// A curve is one backend over the worker counts.
type curve struct {
	backend pool.Backend
	cells   []compare.CellResult // plain, by worker count
	workers []float64
}

// curves lists the parallel backends of a task; serial is the task's base.
func (v view) curves(t compare.TaskResult) (out []curve, serial compare.CellResult) {
	for _, r := range t.Cells {
		c := v.Plan.Cells[r.Cell]
		switch {
		case !c.IsPlain():
		case c.Backend == pool.Serial:
			serial = r
		default:
			i := slices.IndexFunc(out, func(k curve) bool { return k.backend == c.Backend })
			if i < 0 {
				i = len(out)
				out = append(out, curve{backend: c.Backend})
			}
			out[i].cells = append(out[i].cells, r)
			out[i].workers = append(out[i].workers, float64(c.Workers))
		}
	}
	return out, serial
}

// counts are all worker counts of the curves, ascending.
func counts(curves []curve) []float64 {
	var out []float64
	for _, k := range curves {
		out = append(out, k.workers...)
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// The frame of the scaling figures and of the rounds.
const (
	plotWidth, plotHeight                    = 520.0, 340.0
	plotLeft, plotRight, plotTop, plotBottom = 58.0, 412.0, 14.0, 292.0
)

// frame draws the axes; yprint prints the labels of the upright one.
func frame(c *canvas, x, y scale, xs []float64, xlabel, ylabel string, yprint func(float64) string) {
	for _, tick := range y.ticks(5) {
		c.line("grid", plotLeft, y.at(tick), plotRight, y.at(tick))
		c.text("tick end", plotLeft-8, y.at(tick)+4, yprint(tick))
	}
	last := math.Inf(-1)
	for _, tick := range xs {
		if x.at(tick)-last < 22 {
			continue // too close to be read
		}
		last = x.at(tick)
		c.line("grid", last, plotTop, last, plotBottom)
		c.text("tick middle", last, plotBottom+18, strconv.FormatFloat(tick, 'f', -1, 64))
	}
	c.line("axis", plotLeft, plotBottom, plotRight, plotBottom)
	c.line("axis", plotLeft, plotTop, plotLeft, plotBottom)
	c.text("label middle", (plotLeft+plotRight)/2, plotBottom+38, xlabel)
	fmt.Fprintf(c, `<g transform="translate(14 %s) rotate(-90)">`, num((plotTop+plotBottom)/2))
	c.text("label middle", 0, 0, ylabel)
	c.close()
}

// A tag is the direct label of a line at its right end.
type tag struct {
	class, text string
	y           float64
}

func tags(c *canvas, ts []tag) {
	ys := make([]float64, len(ts))
	for i, t := range ts {
		ys[i] = t.y
	}
	for i, y := range spread(ys, 15, plotTop+4, plotBottom-2) {
		c.open(ts[i].class)
		c.line("leader", plotRight+2, ts[i].y, plotRight+12, y)
		c.text("tag", plotRight+15, y+4, ts[i].text)
		c.close()
	}
}

// time draws wall time against workers: every run, the medians with their
// intervals, serial, and serial divided by the number of workers.
func (v view) time(t compare.TaskResult) figure {
	curves, serial := v.curves(t)
	xs := counts(curves)
	f := figure{name: slug("time", t.Task), title: "Time against workers", draw: &canvas{width: plotWidth, height: plotHeight}}
	if len(xs) == 0 {
		return f
	}
	samples := map[int][]float64{}
	for _, r := range v.Runs {
		samples[r.Cell] = append(samples[r.Cell], r.Wall)
	}
	c, base, most := f.draw, float64(serial.Seconds.Median), slices.Max(xs)
	low, high := base/most, base
	for _, k := range curves {
		for _, r := range k.cells {
			low, high = math.Min(low, slices.Min(samples[r.Cell])), math.Max(high, slices.Max(samples[r.Cell]))
			f.points += len(samples[r.Cell])
		}
	}
	x := scale{low: xs[0] / 1.3, high: most * 1.3, from: plotLeft, to: plotRight, log: true}
	u, yprint := unitOf(low*1.5), digitsTrimmed
	ylabel := "wall time, " + u.name
	if high/low > 100 { // no one unit suits all ticks
		u, ylabel, yprint = unit{"s", 1}, "", seconds
	}
	y := scale{low: low / 1.12 * u.scale, high: high * 1.12 * u.scale, from: plotBottom, to: plotTop, log: true}
	at := func(s float64) float64 { return y.at(s * u.scale) }
	frame(c, x, y, xs, "workers", ylabel, yprint)

	c.open(series(pool.Serial))
	c.path("reference", plotLeft, at(base), plotRight, at(base))
	c.path("ideal", x.at(xs[0]), at(base/xs[0]), x.at(most), at(base/most))
	c.close()
	labels := []tag{{series(pool.Serial), "serial", at(base)}, {series(pool.Serial), "ideal", at(base / most)}}
	for i, k := range curves {
		dodge := 9 * (float64(i) - float64(len(curves)-1)/2)
		end := c.timeCurve(k, samples, func(n float64) float64 { return x.at(n) + dodge }, y, u)
		labels = append(labels, tag{series(k.backend), string(k.backend), end})
	}
	tags(c, labels)
	f.finding = fmt.Sprintf("%s. Serial takes %s; every dot is a run, markers are medians with their intervals; both axes are logarithmic.", v.fastest(t), seconds(base))
	f.data = []table{v.times(t)}
	return f
}

// timeCurve draws one backend and returns the height of its right end.
func (c *canvas) timeCurve(k curve, samples map[int][]float64, at func(workers float64) float64, y scale, u unit) float64 {
	c.open(series(k.backend))
	defer c.close()
	var line []float64
	for j, r := range k.cells {
		for _, s := range samples[r.Cell] {
			fmt.Fprintf(c, `<circle class="raw" cx="%s" cy="%s" r="2"/>`, num(at(k.workers[j])), num(y.at(s*u.scale)))
		}
		line = append(line, at(k.workers[j]), y.at(float64(r.Seconds.Median)*u.scale))
	}
	c.path("line", line...)
	for j, r := range k.cells {
		c.whisker(line[2*j], float64(r.Seconds.Low)*u.scale, float64(r.Seconds.High)*u.scale, y)
		c.mark("mark", k.backend, line[2*j], line[2*j+1], 4.5)
	}
	return line[len(line)-1]
}

// fastest names the plain cell with the smallest median.
func (v view) fastest(t compare.TaskResult) string {
	best, at := math.Inf(1), ""
	for _, r := range t.Cells {
		c := v.Plan.Cells[r.Cell]
		if m := float64(r.Seconds.Median); c.IsPlain() && m < best {
			best, at = m, c.Label()
		}
	}
	return "Shortest median: " + at + " with " + seconds(best)
}

// speedup draws the speed-up over serial with the ideal and the fitted Amdahl
// lines, the latter scaled to the backend's own time with one worker.
func (v view) speedup(t compare.TaskResult) figure {
	curves, _ := v.curves(t)
	xs := counts(curves)
	f := figure{name: slug("speedup", t.Task), title: "Speed-up over serial", draw: &canvas{width: plotWidth, height: plotHeight}}
	if len(xs) == 0 {
		return f
	}
	c, most := f.draw, slices.Max(xs)
	low, high := most, most
	for _, k := range curves {
		for _, r := range k.cells {
			if e, ok := r.VsSerial.Get(); ok {
				low, high = math.Min(low, float64(e.Median)), math.Max(high, float64(e.Median))
				f.points++
			}
		}
	}
	x := scale{low: 0, high: most * 1.06, from: plotLeft, to: plotRight}
	y := scale{low: 0, high: high * 1.06, from: plotBottom, to: plotTop}
	origin := 0.0
	if most/xs[0] >= 16 || high/most >= 16 { // a line would lie on the axis
		origin = xs[0]
		x = scale{low: xs[0] / 1.3, high: most * 1.3, from: plotLeft, to: plotRight, log: true}
		y = scale{low: math.Min(low, xs[0]) / 1.3, high: high * 1.3, from: plotBottom, to: plotTop, log: true}
	}
	frame(c, x, y, xs, "workers", "times faster than serial", digitsTrimmed)
	c.open(series(pool.Serial))
	c.path("ideal", x.at(origin), y.at(origin), x.at(most), y.at(most))
	c.close()
	labels := []tag{{series(pool.Serial), "ideal", y.at(most)}}
	for _, k := range curves {
		if end, ok := c.speedupCurve(t, k, x, y); ok {
			labels = append(labels, tag{series(k.backend), string(k.backend), end})
		}
	}
	tags(c, labels)
	f.finding = "Paired within rounds; the base is the serial median beside it. Dashed: Amdahl's law as fitted, " + fractions(t) + "."
	f.data = []table{v.times(t), amdahlTable(t)}
	return f
}

// speedupCurve draws one backend and returns the height of its right end, if it
// has any speed-up.
func (c *canvas) speedupCurve(t compare.TaskResult, k curve, x, y scale) (end float64, ok bool) {
	c.open(series(k.backend))
	defer c.close()
	c.amdahlLine(t, k, x, y)
	var line []float64
	for j, r := range k.cells {
		if e, ok := r.VsSerial.Get(); ok {
			line = append(line, x.at(k.workers[j]), y.at(float64(e.Median)))
			c.whisker(x.at(k.workers[j]), float64(e.Low), float64(e.High), y)
		}
	}
	c.path("line", line...)
	for j := 0; j+1 < len(line); j += 2 {
		c.mark("mark", k.backend, line[j], line[j+1], 4.5)
	}
	if len(line) == 0 {
		return 0, false
	}
	return line[len(line)-1], true
}

func (c *canvas) amdahlLine(t compare.TaskResult, k curve, x, y scale) {
	i := slices.IndexFunc(t.Amdahl, func(a compare.Amdahl) bool { return a.Backend == k.backend })
	if i < 0 || len(k.cells) == 0 || k.workers[0] != 1 {
		return
	}
	base, ok := k.cells[0].VsSerial.Get()
	if !ok {
		return
	}
	frac, most := t.Amdahl[i].Fraction, slices.Max(k.workers)
	var line []float64
	for step := range 41 {
		n := math.Pow(most, float64(step)/40)
		if s := float64(base.Median) / (frac + (1-frac)/n); y.holds(s) {
			line = append(line, x.at(n), y.at(s))
		}
	}
	c.path("fit", line...)
}

// fractions lists the fitted serial fractions in words.
func fractions(t compare.TaskResult) string {
	var out []string
	for _, a := range t.Amdahl {
		out = append(out, string(a.Backend)+" "+percent(a.Fraction)+" serial")
	}
	return cmp.Or(strings.Join(out, ", "), "which needs two worker counts")
}

func amdahlTable(t compare.TaskResult) table {
	tb := table{Caption: "Amdahl's law: T(N) = T(1) (f + (1 − f)/N)", Align: "lrrr", Head: []string{"backend", "serial fraction f", "worker counts above 1", "largest residual"}}
	for _, a := range t.Amdahl {
		tb.Rows = append(tb.Rows, []string{string(a.Backend), digits(a.Fraction), strconv.Itoa(a.Points), digits(a.Residual)})
	}
	return tb
}
