package report

import (
	_ "embed" // the style sheet and the script of the page
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"strings"

	"procpool/compare"
)

//go:embed page.css
var pageCSS string

//go:embed page.js
var pageJS string

// policy forbids the page every request, so that nothing in a record can load or
// send anything.
const policy = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"

// HTML writes the report as one self-contained page: inline SVG, no network, and
// complete without scripts; the one script only offers to save the record, which
// is embedded.
func HTML(w io.Writer, rec compare.Record) error {
	raw, err := json.Marshal(rec) // escapes <, > and &, so it cannot end the script element
	if err != nil {
		return err
	}
	p := &page{view: view{rec}}
	p.head()
	p.answers()
	for _, t := range p.compared() {
		p.task(t)
	}
	p.conditions()
	p.guide()
	fmt.Fprintf(p, "<script type=\"application/json\" id=\"record\">%s</script>\n<script>%s</script>\n</body>\n</html>\n", raw, pageJS)
	_, err = io.WriteString(w, p.String())
	return err
}

// A page collects the HTML.
type page struct {
	strings.Builder
	view
}

// put writes a format whose arguments are all text, escaped here.
func (p *page) put(format string, args ...string) {
	escaped := make([]any, len(args))
	for i, a := range args {
		escaped[i] = escape(a)
	}
	fmt.Fprintf(p, format, escaped...)
}

func (p *page) head() {
	p.put(`<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta http-equiv="Content-Security-Policy" content="%s">
<title>%s</title>
`, policy, p.title())
	p.WriteString("<style>\n" + pageCSS + "</style>\n")
	p.WriteString(patterns)
	p.put(`</head>
<body>
<header>
<p class="kicker">procpool compare</p>
<h1>%s</h1>
<p class="meta">%s</p>
</header>
<main>
`, p.verdictLine(), p.subtitle())
	if warnings := p.warnings(true); len(warnings) > 0 {
		p.WriteString(`<aside class="warnings"><h2>Before you quote this</h2><ul>`)
		for _, w := range warnings {
			p.put("<li>%s</li>", w)
		}
		p.WriteString("</ul></aside>\n")
	}
}

// patterns are fills that distinguish phases without colour. The body of the page
// has them once; every figure refers to them.
const patterns = `<svg width="0" height="0" class="defs" aria-hidden="true"><defs>
<pattern id="hatch" width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)"><rect class="pb" width="6" height="6"/><line class="pl" x1="0" y1="0" x2="0" y2="6"/></pattern>
<pattern id="dots" width="5" height="5" patternUnits="userSpaceOnUse"><rect class="pb" width="5" height="5"/><circle class="pd" cx="2.5" cy="2.5" r="0.9"/></pattern>
</defs></svg>
`

// verdictLine sums up the report in one sentence.
func (p *page) verdictLine() string {
	groups := map[compare.Verdict][]string{}
	subject, object := "", ""
	for _, t := range p.compared() {
		c, ok := p.headline(t)
		if !ok {
			continue
		}
		subject, object = p.label(c.A), p.label(c.B)
		groups[c.Verdict] = append(groups[c.Verdict], t.Task)
	}
	if subject == "" {
		return "Nothing was compared"
	}
	var parts []string
	for _, g := range []struct {
		verdict compare.Verdict
		words   string
	}{{compare.Faster, "faster on "}, {compare.Slower, "slower on "}, {compare.Equivalent, "equivalent on "}, {compare.Unresolved, "unresolved on "}} {
		if names := groups[g.verdict]; len(names) > 0 {
			parts = append(parts, g.words+strings.Join(names, ", "))
		}
	}
	return subject + " against " + object + ": " + strings.Join(parts, "; ")
}

// answers writes the cards, one a task, and the forest plot.
func (p *page) answers() {
	p.WriteString(`<section class="cards" aria-label="Verdicts">`)
	for _, t := range p.compared() {
		if c, ok := p.headline(t); ok {
			p.card(t, c)
		}
	}
	p.WriteString("</section>\n")
	p.put(`<p class="method">%s</p>`, p.method())
	if f := p.forest(); f.points > 0 {
		f.write(p)
	}
}

func (p *page) card(t compare.TaskResult, c compare.Comparison) {
	f := p.finding(c)
	a, b := result(t, c.A), result(t, c.B)
	p.put(`<article class="card %s"><h2>%s</h2><p class="chip">%s %s</p>`, string(c.Verdict), t.Task, icon(string(c.Verdict)), string(c.Verdict))
	p.put(`<p class="factor">%s <span>%s</span></p>`, f.Factor, f.Interval)
	p.put(`<p>%s: <b>%s</b></p><p>%s: <b>%s</b></p><p>difference <b>%s</b></p>`,
		f.Subject, seconds(a.Seconds.Median), f.Object, seconds(b.Seconds.Median), f.Delta)
	p.put(`<p class="small">%s</p>`, control(t))
	if f.Note != "" {
		p.put(`<p class="small">%s</p>`, f.Note)
	}
	p.WriteString("</article>")
}

// task is the section of one task.
func (p *page) task(t compare.TaskResult) {
	p.put(`<section class="task"><h2>%s</h2>`, t.Task)
	p.WriteString(`<ul class="findings">`)
	for _, c := range t.Comparisons {
		p.put(`<li class="%s"><span class="icon" aria-hidden="true">%s</span> %s</li>`, string(c.Verdict), icon(string(c.Verdict)), p.sentence(p.finding(c)))
	}
	p.put(`</ul><p class="meta">%s; %s.</p>`, control(t), identical(t))
	figures := []figure{p.time(t), p.speedup(t), p.whereFigure(t), p.timeline(t)}
	for _, w := range t.Why {
		figures = append(figures, p.whyFigure(t, w))
	}
	figures = append(figures, p.rounds(t))
	p.WriteString(`<div class="figures">`)
	for _, f := range figures {
		if f.points > 0 {
			f.write(p)
		}
	}
	p.WriteString("</div>")
	p.block(p.costs(t))
	p.block(p.breakEven(t))
	p.list(p.hints(t))
	p.WriteString("</section>\n")
}

// list writes remarks, if there are any.
func (p *page) list(items []string) {
	if len(items) == 0 {
		return
	}
	p.WriteString(`<ul class="hints">`)
	for _, s := range items {
		p.put("<li>%s</li>", s)
	}
	p.WriteString("</ul>")
}

// block writes a table that belongs to no figure.
func (p *page) block(tb table) {
	if len(tb.Rows) == 0 {
		return
	}
	p.WriteString(`<div class="block">`)
	p.table(tb)
	p.WriteString("</div>")
}

func (p *page) table(tb table) {
	if len(tb.Rows) == 0 {
		return
	}
	p.put(`<div class="scroll"><table><caption>%s</caption><thead><tr>`, tb.Caption)
	for i, h := range tb.Head {
		p.put(`<th scope="col"`+alignment(tb, i)+`>%s</th>`, h)
	}
	p.WriteString("</tr></thead><tbody>")
	for _, row := range tb.Rows {
		p.WriteString("<tr>")
		for i, cell := range row {
			if i == 0 {
				p.put(`<th scope="row"`+alignment(tb, i)+`>%s</th>`, cell)
			} else {
				p.put(`<td`+alignment(tb, i)+`>%s</td>`, cell)
			}
		}
		p.WriteString("</tr>")
	}
	p.WriteString("</tbody></table></div>")
}

func alignment(tb table, column int) string {
	if tb.left(column) {
		return ` class="l"`
	}
	return ""
}

// conditions shows what the numbers depend on.
func (p *page) conditions() {
	p.WriteString(`<section class="task"><h2>Conditions</h2>`)
	p.block(p.fairness())
	p.block(p.plan())
	p.block(p.environment())
	if notes := p.warnings(false); len(notes) > 0 {
		p.WriteString("<h3>Notes</h3>")
		p.list(notes)
	}
	p.WriteString("</section>\n")
}

// guide explains how to read the page.
func (p *page) guide() {
	p.WriteString(`<section class="task guide"><h2>How to read this</h2><dl>`)
	for _, g := range [][2]string{
		{"Ratio", "Every round runs every cell once. A ratio divides the times of two cells of the same round, so what slows a whole round down cancels. Shown is the median of the ratios, never a ratio of means."},
		{"Interval", "Order statistics of the ratios with exact binomial coverage; nothing is assumed about how times are distributed. It is widened for the number of comparisons on this page: all of them hold together at " + percentLevel(p.Plan.Confidence) + "."},
		{"Verdict", "Faster and slower come from sign tests with Holm's correction. Equivalent means shown to lie within ±" + percentLevel(p.Plan.Margin) + ". Unresolved means that the runs do not tell; it does not mean equal."},
		{"A/A control", "The same cell runs a second time in every round under another label. Where the report calls identical code different, or cannot resolve it to the margin, verdicts are held against that: a difference stands only beyond it."},
		{"Speed-up", "Over serial, which has no pool at all; \"vs self\" is over the same backend with one worker. Karp-Flatt near a constant is serial work, growing with workers it is overhead."},
		{"Why", "Each part is measured by taking one cause away and running again: the collector off, the pool already warm, workers bound. Parts overlap and need not add up; what no part explains is shown."},
		{"From which size it pays", "The null task measures what a backend costs without work, this task what an index costs. Where the costs of an index differ beyond noise, the two lines meet at that size."},
		{"Memory", "Peak resident set (VmHWM) of the parent plus that of every worker process. Pages that processes share count in each."},
	} {
		p.put("<dt>%s</dt><dd>%s</dd>", g[0], g[1])
	}
	p.put(`</dl><p class="meta">Schema version %s. The raw record of all %s runs is embedded in this file.</p><p id="save"></p></section></main>`,
		strconv.Itoa(p.Version), strconv.Itoa(len(p.Runs)))
	p.WriteString("\n")
}
