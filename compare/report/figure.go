package report

import (
	"fmt"
	"strconv"
)

// A figure is one picture of the HTML report with the data it shows.
type figure struct {
	name    string // becomes the id
	title   string // short, shown above
	finding string // describes the picture, also for those who cannot see it
	wide    bool   // takes the whole width of the page
	draw    *canvas
	points  int // marks that stand for data; a figure without any is left out
	data    []table
}

// write renders the figure with its caption and its data.
func (f figure) write(p *page) {
	class := "figure"
	if f.wide {
		class += " wide"
	}
	id := escape(f.name)
	fmt.Fprintf(p, `<figure class="%s" id="%s" data-points="%d"><figcaption><h3>%s</h3><p>%s</p></figcaption>`,
		class, id, f.points, escape(f.title), escape(f.finding))
	fmt.Fprintf(p, `<div class="scroll"><svg viewBox="0 0 %s %s" width="%s" height="%s" role="img" aria-labelledby="%s-t %s-d"><title id="%s-t">%s</title><desc id="%s-d">%s</desc>`,
		num(f.draw.width), num(f.draw.height), num(f.draw.width), num(f.draw.height), id, id, id, escape(f.title), id, escape(f.finding))
	p.WriteString(f.draw.String())
	p.WriteString("</svg></div>")
	p.WriteString("<details><summary>Data</summary>")
	for _, tb := range f.data {
		p.table(tb)
	}
	p.WriteString("</details></figure>\n")
}

// slug makes an id of a name.
func slug(parts ...string) string {
	out := []byte("fig")
	for _, s := range parts {
		out = append(out, '-')
		for i := range len(s) {
			c := s[i]
			switch {
			case 'a' <= c && c <= 'z' || '0' <= c && c <= '9':
				out = append(out, c)
			default: // any other byte by its number, so that different names stay different
				out = append(out, '_')
				out = strconv.AppendUint(out, uint64(c), 16)
			}
		}
	}
	return string(out)
}
