package report

import (
	"math"
	"strconv"

	"procpool/compare"
)

// whereFigure draws a stacked bar for each cell: the phases of the mean worker,
// which together with the time outside all spans make up the mean wall time.
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
	if len(v.phasesOf(t)) == 0 { // the runner measured none
		return f
	}
	u := unitOf(longest)
	x := scale{low: 0, high: longest * u.scale, from: left, to: right}
	c.grid(x, 8, top-4, bottom)
	c.text("label middle", (left+right)/2, bottom+36, "mean wall time, "+u.name)
	c.legend(left, 18, append(v.phasesOf(t), "unaccounted")...)
	for i, r := range t.Cells {
		y := top + rowHeight*float64(i)
		c.text("label end", left-12, y+17, v.label(r.Cell))
		at := left
		bar := func(class string, s float64) {
			w := x.at(s*u.scale) - left
			c.rect("phase "+class, at, y+4, w, rowHeight-8)
			share := strconv.FormatFloat(100*(s/wallOf(r)), 'f', 0, 64) + " %"
			if w > 8*float64(len(share)) {
				c.text("inbar middle on-"+class, at+w/2, y+17, share)
			}
			at += w
			f.points++
		}
		for _, w := range r.Where {
			bar(string(w.Phase), w.Seconds)
		}
		if r.Unaccounted > 1e-4*wallOf(r) {
			bar("unaccounted", r.Unaccounted)
		}
		c.text("value", at+8, y+17, seconds(wallOf(r)))
	}
	f.finding = "For each cell the mean over runs and workers; a bar is as long as the mean wall time, and its parts are where a worker spent it."
	return f
}

// wallOf is the mean wall time of a cell, the sum of its parts.
func wallOf(r compare.CellResult) float64 {
	sum := r.Unaccounted
	for _, w := range r.Where {
		sum += w.Seconds
	}
	return sum
}

// legend draws a swatch and a name for each phase.
func (c *canvas) legend(x, y float64, phases ...compare.Phase) {
	for _, p := range phases {
		c.rect("phase "+string(p), x, y-10, 14, 12)
		c.text("label", x+19, y, string(p))
		x += 40 + 7.2*float64(len(p))
	}
}
