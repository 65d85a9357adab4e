package report

import (
	"fmt"

	"procpool/compare"
	"procpool/internal/text"
)

// A figure is one picture of the page with the data that it shows: a row for each
// thing, its name and value above its drawing, so that it is readable on the smallest
// screen at its own size.
type figure struct {
	name    string // becomes the id
	title   string // short, shown above
	finding string // describes the picture, also for those who cannot see it
	canvas
	x      scale
	points int // marks that stand for data; a figure without any is left out
	rows   int
	data   []compare.Table
}

const (
	figureWidth = 372.0
	plotTop     = 36.0 // room for a legend or a hint above the rows
	rowHeight   = 36.0
	mostRows    = 120
)

// begin draws the axis for n rows, with the name of what it measures.
func (f *figure) begin(n int, axis string) {
	f.rows = min(n, mostRows)
	f.width, f.height = figureWidth, plotTop+rowHeight*float64(f.rows)+38
	bottom := f.height - 36
	f.grid(f.x, 5, plotTop, bottom)
	f.text("label middle", figureWidth/2, bottom+33, axis)
}

// bottom is where the rows end.
func (f *figure) bottom() float64 { return f.height - 36 }

// row draws the name and the value of row i, and returns where its drawing goes, or
// false beyond the last row that a figure shows.
func (f *figure) row(i int, name, value string) (y float64, ok bool) {
	if i >= f.rows {
		return 0, false
	}
	y = plotTop + rowHeight*float64(i)
	f.text("label name", 2, y+14, name)
	f.text("value end", figureWidth-2, y+14, value)
	f.points++
	return y + 25, true
}

// write renders the figure with its caption and its data.
func (f *figure) write(p *page) {
	if f.points == 0 {
		return
	}
	id := escape(f.name)
	more := ""
	for _, tb := range f.data {
		if n := len(tb.Rows) - f.rows; f.rows == mostRows && n > 0 {
			more = fmt.Sprintf(" %s are in the data alone.", text.Plural(int64(n), "more row"))
		}
	}
	fmt.Fprintf(p, `<figure id="%s" data-points="%d"><figcaption><h3>%s</h3><p>%s</p></figcaption>`, id, f.points, escape(f.title), escape(f.finding+more))
	fmt.Fprintf(p, `<svg viewBox="0 0 %s %s" width="%s" height="%s" role="img" aria-labelledby="%s-t %s-d"><title id="%s-t">%s</title><desc id="%s-d">%s</desc>`,
		num(f.width), num(f.height), num(f.width), num(f.height), id, id, id, escape(f.title), id, escape(f.finding))
	p.WriteString(f.String())
	p.WriteString("</svg>")
	p.WriteString("<details><summary>Data</summary>")
	for _, tb := range f.data {
		p.table(tb)
	}
	p.WriteString("</details></figure>\n")
}
