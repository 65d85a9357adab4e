package report

import (
	_ "embed" // the style sheet of the page
	"fmt"
	"io"
	"slices"
	"strings"

	"procpool/compare"
	"procpool/internal/text"
	"procpool/internal/units"
	"procpool/pool"
)

//go:embed page.css
var pageCSS string

// policy forbids the page every request and every script, so that nothing in a record
// can load or send anything.
const policy = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"

// HTML writes the report as one self-contained page: inline SVG, no network, no script.
// The raw runs are not in it: they are in the record, which compare.Write writes.
func HTML(w io.Writer, rec compare.Record) error {
	p := &page{Record: rec, tables: map[string][]compare.Table{}}
	for _, tb := range compare.Tables(rec) {
		p.tables[tb.Kind] = append(p.tables[tb.Kind], tb)
	}
	p.head()
	p.answers()
	p.pictures()
	p.details()
	p.guide()
	p.WriteString("</main>\n</body>\n</html>\n")
	_, err := io.WriteString(w, p.String())
	return err
}

// A page collects the HTML.
type page struct {
	strings.Builder
	compare.Record
	tables map[string][]compare.Table
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
	p.WriteString("<style>\n" + pageCSS + "</style>\n</head>\n<body>\n" + patterns)
	p.put(`<header>
<p class="kicker">procpool compare</p>
<h1>%s</h1>
<p class="meta">%s</p>
<nav aria-label="Contents"><a href="#answers">Answers</a> <a href="#pictures">Pictures</a> <a href="#details">Details</a> <a href="#guide">How to read this</a></nav>
</header>
<main>
`, p.verdictLine(), fmt.Sprintf("%s, %s of %s, %s in %s, seed %d", p.Created.Format("2006-01-02 15:04 UTC"),
		text.Plural(int64(p.Results.Rounds), "round"), text.Plural(int64(len(p.Plan.Rows)), "comparison"), p.Status, units.Seconds(p.Seconds), p.Plan.Seed))
}

// patterns are fills that distinguish phases without colour. The page has them once;
// every figure refers to them.
const patterns = `<svg width="0" height="0" class="defs" aria-hidden="true"><defs>
<pattern id="hatch" width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)"><rect class="pb" width="6" height="6"/><line class="pl" x1="0" y1="0" x2="0" y2="6"/></pattern>
<pattern id="dots" width="5" height="5" patternUnits="userSpaceOnUse"><rect class="pb" width="5" height="5"/><circle class="pd" cx="2.5" cy="2.5" r="0.9"/></pattern>
</defs></svg>
`

func (p *page) title() string {
	var names []string
	for _, t := range p.Plan.Tasks {
		names = append(names, t.Name)
	}
	return "procpool compare: " + strings.Join(names, ", ")
}

// verdictLine sums up the report in one sentence.
func (p *page) verdictLine() string {
	var winners []string
	won := map[string][]string{}
	for _, r := range p.Results.Rows {
		if won[r.Winner()] == nil {
			winners = append(winners, r.Winner())
		}
		won[r.Winner()] = append(won[r.Winner()], p.RowName(r))
	}
	slices.SortStableFunc(winners, func(a, b string) int { // what is open comes last
		open := map[string]int{string(compare.Open): 1}
		return open[a] - open[b]
	})
	if len(winners) == 0 {
		return "Nothing was compared"
	}
	var parts []string
	for _, winner := range winners {
		verb := map[string]string{string(compare.Same): "no difference on ", string(compare.Open): "open: "}[winner]
		if verb == "" {
			verb = winner + " win on "
		}
		parts = append(parts, verb+strings.Join(won[winner], ", "))
	}
	line := strings.Join(parts, "; ")
	return strings.ToUpper(line[:1]) + line[1:]
}

// answers writes the cards, one a row, and the sentences.
func (p *page) answers() {
	p.WriteString(`<section id="answers" aria-label="Answers"><div class="cards">`)
	rows := p.Results.Rows
	for _, r := range rows[:min(len(rows), mostRows)] {
		p.card(r)
	}
	p.WriteString("</div>\n")
	if n := len(rows) - mostRows; n > 0 {
		p.put("<p>And %s, which compare --from FILE prints.</p>", text.Plural(int64(n), "more answer"))
	}
	for _, s := range compare.Sentences(p.Record) {
		p.put("<p>%s</p>\n", s)
	}
	p.WriteString("</section>\n")
}

func (p *page) card(r compare.RowResult) {
	p.put(`<article class="card %s"><h2>%s</h2><p class="chip">%s %s</p>`, string(r.Verdict), p.RowName(r), icon(r.Verdict), r.Winner())
	if r.Ratio.N > 0 {
		p.put(`<p class="small">time of %s by that of %s</p><p class="factor">%s <span>%s</span></p>`, string(r.A), string(r.B), units.Ratio(r.Ratio.Centre), r.Ratio.Span())
	}
	row := p.Plan.Rows[r.Row]
	for _, c := range p.Results.Cells {
		if c.Cell != row.A && c.Cell != row.B {
			continue
		}
		starts := ""
		if p.Plan.Cells[c.Cell].Backend == pool.Processes && c.Starting > 0 {
			starts = ", after " + units.Seconds(c.Starting) + " of starting"
		}
		p.put(`<p>%s: <b>%s</b>%s</p>`, p.Plan.Cells[c.Cell].Label(), units.Seconds(c.Computing), starts)
	}
	p.put(`<p class="why">%s</p></article>`, r.Why)
}

func (p *page) pictures() {
	p.WriteString(`<section id="pictures"><h2>Pictures</h2><div class="figures">`)
	for _, f := range []*figure{p.forest(), p.where(), p.speedup(), p.cost()} {
		f.write(p)
	}
	p.WriteString("</div></section>\n")
}

// details shows what the numbers depend on.
func (p *page) details() {
	p.WriteString(`<section id="details"><h2>Details</h2>`)
	for _, kind := range []string{"why", "sizes", "environment"} {
		for _, tb := range p.tables[kind] {
			p.table(tb)
		}
	}
	p.WriteString("</section>\n")
}

// table writes a table in a box that scrolls, by keys too.
func (p *page) table(tb compare.Table) {
	p.put(`<div class="scroll" tabindex="0" role="region" aria-label="%s"><table><caption>%s</caption><thead><tr>`, tb.Caption, tb.Caption)
	class := func(column int) string {
		if tb.Align[column] == 'l' {
			return ` class="l"`
		}
		return ""
	}
	for i, h := range tb.Head {
		p.put(`<th scope="col"`+class(i)+`>%s</th>`, h)
	}
	p.WriteString("</tr></thead><tbody>")
	for i, row := range tb.Rows {
		if i == mostRows {
			p.put(`<tr><th scope="row" class="l">and %s, which compare --from FILE --verbose prints</th></tr>`, text.Plural(int64(len(tb.Rows)-i), "more row"))
			break
		}
		p.WriteString("<tr>")
		for i, cell := range row {
			if i == 0 {
				p.put(`<th scope="row"`+class(i)+`>%s</th>`, cell)
			} else {
				p.put(`<td`+class(i)+`>%s</td>`, cell)
			}
		}
		p.WriteString("</tr>")
	}
	p.WriteString("</tbody></table></div>\n")
}

// guide explains how to read the page.
func (p *page) guide() {
	p.WriteString(`<section id="guide"><h2>How to read this</h2><dl>`)
	for _, g := range [][2]string{
		{"Ratio", "The two sides of a comparison run in pairs, one directly after the other; a coin decides each time which goes first. Each pair gives one ratio of times, without starting. Shown is their Hodges-Lehmann centre. 1/1.8 means that the first takes 1/1.8 of the time of the second."},
		{"Interval and winner", "Both come from one test, Wilcoxon's signed rank test, so they cannot disagree. Looks at 10, 14, 19, 26 and so on pairs share the error that " + units.Level(p.Plan.Confidence) + " leaves, over all comparisons together. A comparison that is decided is not run again."},
		{"Same and open", "Same: the whole interval is within ±" + units.Level(p.Plan.Margin) + ". Open: the interval shows what is still possible."},
		{"Starting", "Until the mean worker said hello, and what its first call takes longer than the others, if that is a lot. It comes once, whatever the size of the task."},
		{"Why", "The task's own cause, where CPU times bear it out: the slower side used more than 1.3 times the CPU time of serial. Otherwise the largest parts of the difference."},
		{"Memory", "Peak resident set (VmHWM) of the parent plus that of every worker process. Pages that processes share count in each."},
	} {
		p.put("<dt>%s</dt><dd>%s</dd>", g[0], g[1])
	}
	p.put(`</dl><p class="meta">The record of all %s is apart: compare --export-json writes it, and --from reads it.</p></section>`, text.Plural(int64(len(p.Runs)), "run"))
}
