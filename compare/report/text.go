package report

import (
	"bufio"
	"io"
	"strings"
	"unicode/utf8"

	"procpool/compare"
	"procpool/internal/text"
)

// TextOptions describe a terminal. The zero value is 80 columns without colour.
type TextOptions struct {
	Width int  // columns; 0: 80, at least 40
	Color bool // ANSI colours for verdicts and headings; see [WantColor]
}

// WantColor reports whether to use colour: on a terminal, unless NO_COLOR is set to
// anything (no-color.org) or TERM is dumb.
func WantColor(terminal bool, getenv func(string) string) bool {
	return terminal && getenv("NO_COLOR") == "" && getenv("TERM") != "dumb"
}

// Text writes the report for a terminal: for each task the verdict first, then
// the table of cells, then why. Tables drop their last columns rather than
// exceed the width.
func Text(w io.Writer, rec compare.Record, o TextOptions) error {
	t := &textWriter{w: bufio.NewWriter(w), width: max(40, o.Width), color: o.Color}
	if o.Width == 0 {
		t.width = 80
	}
	v := view{rec}
	t.wrapColored("", v.title(), bold)
	t.wrap("", v.subtitle())
	t.wrap("", v.method())
	for _, warning := range v.warnings(true) {
		t.wrap("warning: ", warning)
	}
	for _, r := range v.compared() {
		t.task(v, r)
	}
	t.table(v.fairness(), "")
	t.table(v.environment(), "")
	for _, note := range v.warnings(false) {
		t.wrap("note: ", note)
	}
	return t.w.Flush()
}

type textWriter struct {
	w     *bufio.Writer
	width int
	color bool
}

func (t *textWriter) task(v view, r compare.TaskResult) {
	t.line("")
	t.line(t.bold(printable(r.Task)))
	for _, c := range r.Comparisons {
		f := v.finding(c)
		mark := map[compare.Verdict]string{compare.Faster: "+", compare.Slower: "-", compare.Equivalent: "="}[c.Verdict]
		if mark == "" {
			mark = "?"
		}
		t.wrapColored("  "+mark+" ", v.sentence(f), t.verdictColor(c.Verdict))
		if q, ok := c.Quiet.Get(); ok {
			t.wrap("      ", "without the disturbed rounds: ratio "+ratio(q.Median)+" "+ratioSpan(q))
		}
	}
	t.wrap("    ", control(r)+"; "+identical(r))
	t.table(v.times(r), "  ")
	if len(v.phasesOf(r)) > 0 {
		t.table(v.where(r), "  ")
	}
	t.table(v.costs(r), "  ")
	for _, w := range r.Why {
		t.table(v.why(r, w), "  ")
	}
	for _, a := range r.Amdahl {
		t.wrap("  ", "Amdahl: serial fraction of "+string(a.Backend)+" "+digits(a.Fraction)+" from "+text.Plural(int64(a.Points), "worker count")+", largest residual "+digits(a.Residual))
	}
	for _, b := range r.BreakEven {
		if n, ok := b.SerialSeconds.Get(); ok {
			t.wrap("  ", v.label(b.Cell)+" beats "+v.label(b.Against)+" from "+seconds(n)+" of serial work")
		}
	}
	for _, hint := range v.hints(r) {
		t.wrap("  ", hint)
	}
}

func (t *textWriter) line(s string) {
	t.w.WriteString(strings.TrimRight(s, " "))
	t.w.WriteByte('\n')
}

const (
	bold   = "\x1b[1m"
	green  = "\x1b[32m"
	red    = "\x1b[31m"
	yellow = "\x1b[33m"
	cyan   = "\x1b[36m"
	reset  = "\x1b[0m"
)

func (t *textWriter) bold(s string) string {
	if !t.color {
		return s
	}
	return bold + s + reset
}

func (t *textWriter) verdictColor(v compare.Verdict) string {
	switch v {
	case compare.Faster:
		return green
	case compare.Slower:
		return red
	case compare.Equivalent:
		return cyan
	}
	return yellow
}

// wrap writes s in lines of at most the width, the first after prefix, the
// others indented as deep.
func (t *textWriter) wrap(prefix, s string) { t.wrapColored(prefix, s, "") }

func (t *textWriter) wrapColored(prefix, s, color string) {
	indent := strings.Repeat(" ", utf8.RuneCountInString(prefix))
	line, length := prefix, len(indent)
	flush := func() {
		if t.color && color != "" {
			line = color + line + reset
		}
		t.line(line)
	}
	for i, word := range strings.Fields(s) {
		word = printable(word)
		n := utf8.RuneCountInString(word)
		if i > 0 && length+1+n > t.width {
			flush()
			line, length = indent, len(indent)
		} else if i > 0 {
			line, length = line+" ", length+1
		}
		line, length = line+word, length+n
	}
	flush()
}

// table writes tb with as many columns as fit; a last column of text may be cut.
func (t *textWriter) table(tb table, indent string) {
	if len(tb.Rows) == 0 {
		return
	}
	widths := make([]int, len(tb.Head))
	for _, row := range append([][]string{tb.Head}, tb.Rows...) {
		for i, cell := range row {
			widths[i] = max(widths[i], utf8.RuneCountInString(cell))
		}
	}
	columns, left := 0, t.width-len(indent)
	for i, n := range widths {
		if i > 0 {
			left -= 2
		}
		if n > left && (i == 0 || tb.left(i) && left >= 12) {
			widths[i], n = left, left
		}
		if n > left {
			break
		}
		columns, left = i+1, left-n
	}
	t.line("")
	t.wrap(indent, tb.Caption)
	t.line(t.bold(t.row(tb, tb.Head, widths[:columns], indent)))
	for _, row := range tb.Rows {
		t.line(t.row(tb, row, widths[:columns], indent))
	}
}

func (t *textWriter) row(tb table, row []string, widths []int, indent string) string {
	var b strings.Builder
	b.WriteString(indent)
	for i, n := range widths {
		cell := []rune(printable(row[i]))
		if len(cell) > n {
			cell = append(cell[:n-1], '…')
		}
		pad := strings.Repeat(" ", n-len(cell))
		if i > 0 {
			b.WriteString("  ")
		}
		if tb.left(i) {
			b.WriteString(string(cell) + pad)
		} else {
			b.WriteString(pad + string(cell))
		}
	}
	return strings.TrimRight(b.String(), " ")
}

// printable replaces what a terminal, a browser or an editor would act on, and not
// show. Each character stays one, so that columns keep their width. A record may come
// from elsewhere.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if text.Hidden(r) || r == '\t' {
			return '?'
		}
		return r
	}, s)
}
