package report

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"procpool/internal/units"
	"procpool/pool"
)

// A canvas collects one inline SVG. Colours are CSS variables of the page, so that
// one drawing serves light, dark and print. It escapes text.
type canvas struct {
	strings.Builder
	width, height float64
}

// num prints a coordinate with a tenth of a pixel.
func num(x float64) string {
	return strings.TrimSuffix(strconv.FormatFloat(x, 'f', 1, 64), ".0")
}

func (c *canvas) line(class string, x1, y1, x2, y2 float64) {
	fmt.Fprintf(c, `<line class="%s" x1="%s" y1="%s" x2="%s" y2="%s"/>`, class, num(x1), num(y1), num(x2), num(y2))
}

func (c *canvas) rect(class string, x, y, w, h float64) {
	fmt.Fprintf(c, `<rect class="%s" x="%s" y="%s" width="%s" height="%s"/>`, class, num(x), num(y), num(math.Max(w, 0)), num(h))
}

func (c *canvas) text(class string, x, y float64, s string) {
	fmt.Fprintf(c, `<text class="%s" x="%s" y="%s">%s</text>`, class, num(x), num(y), escape(s))
}

func (c *canvas) open(class string) { fmt.Fprintf(c, `<g class="%s">`, escape(class)) }
func (c *canvas) close()            { c.WriteString("</g>") }

// mark draws the marker of a backend, whose shape differs without colour.
func (c *canvas) mark(class string, b pool.Backend, x, y, r float64) {
	p := func(dx, dy float64) string { return num(x+dx*r) + " " + num(y+dy*r) }
	switch b {
	case pool.Processes:
		fmt.Fprintf(c, `<path class="%s" d="M%sH%sV%sH%sZ"/>`, class, p(-0.9, -0.9), num(x+0.9*r), num(y+0.9*r), num(x-0.9*r))
	case pool.Threads:
		fmt.Fprintf(c, `<path class="%s" d="M%sL%sL%sZ"/>`, class, p(0, -1.15), p(1.1, 0.8), p(-1.1, 0.8))
	case pool.Serial:
		fmt.Fprintf(c, `<path class="%s" d="M%sL%sL%sL%sZ"/>`, class, p(0, -1.2), p(1.2, 0), p(0, 1.2), p(-1.2, 0))
	default:
		fmt.Fprintf(c, `<circle class="%s" cx="%s" cy="%s" r="%s"/>`, class, num(x), num(y), num(r))
	}
}

// grid draws the ticks of a horizontal axis.
func (c *canvas) grid(x scale, ticks int, top, bottom float64) {
	for _, tick := range x.ticks(ticks) {
		c.line("grid", x.at(tick), top, x.at(tick), bottom)
		c.text("tick middle", x.at(tick), bottom+16, units.Tick(tick))
	}
}

// interval draws a horizontal interval with caps of the given class and height. An
// end that is beyond the plot, or infinite, has no cap.
func (c *canvas) interval(class, ends string, low, high, y, height float64, x scale) {
	c.line(class, x.at(x.clamp(low)), y, x.at(x.clamp(high)), y)
	for _, end := range []float64{low, high} {
		if x.holds(end) {
			c.line(ends, x.at(end), y-height/2, x.at(end), y+height/2)
		}
	}
}

// A scale maps values to pixels.
type scale struct {
	low, high float64 // values
	from, to  float64 // pixels
	log       bool
}

func (s scale) at(v float64) float64 {
	low, high := s.low, s.high
	if s.log {
		low, high, v = math.Log(low), math.Log(high), math.Log(v)
	}
	return s.from + (v-low)/(high-low)*(s.to-s.from)
}

func (s scale) holds(v float64) bool    { return s.low <= v && v <= s.high }
func (s scale) clamp(v float64) float64 { return math.Min(math.Max(v, s.low), s.high) }

// ticks are round values within the scale, about n of them.
func (s scale) ticks(n int) []float64 {
	if s.log && s.high/s.low >= 8 {
		var out []float64
		steps := []float64{1, 2, 5}
		if s.high/s.low > 300 {
			steps = []float64{1}
		}
		for e := math.Floor(math.Log10(s.low)); e <= math.Log10(s.high); e++ {
			for _, m := range steps {
				if v := m * math.Pow(10, e); s.holds(v) {
					out = append(out, v)
				}
			}
		}
		return out
	}
	raw := (s.high - s.low) / float64(n)
	step := math.Pow(10, math.Floor(math.Log10(raw)))
	for _, m := range []float64{1, 2, 5, 10} {
		if m*step >= raw {
			step *= m
			break
		}
	}
	var out []float64
	for k := math.Ceil(s.low/step - 1e-9); k*step <= s.high*(1+1e-12); k++ {
		out = append(out, k*step)
	}
	return out
}

// escape makes text of s for HTML and SVG. Package html would bring its table of all
// named characters into every worker.
func escape(s string) string {
	return strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", `"`, "&#34;", "'", "&#39;").Replace(units.Printable(s))
}
