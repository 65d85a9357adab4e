package compare

import (
	"bufio"
	"cmp"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
	"unicode/utf8"

	"procpool/compare/rank"
	"procpool/internal/text"
	"procpool/internal/units"
	"procpool/pool"
)

// TextOptions describe a terminal. The zero value is 80 columns without colour.
type TextOptions struct {
	Width   int    // columns; 0: 80, at least 40
	Color   bool   // ANSI colours for winners; see [WantColor]
	ASCII   bool   // print nothing but ASCII; see [WantASCII]
	Verbose bool   // also all tables
	Details string // a last sentence; "" prints none
}

// WantColor reports whether to use colour: on a terminal, unless NO_COLOR is set to
// anything (no-color.org) or TERM is dumb.
func WantColor(terminal bool, getenv func(string) string) bool {
	return terminal && getenv("NO_COLOR") == "" && getenv("TERM") != "dumb"
}

// WantASCII reports whether the locale is one that has no other characters: C or POSIX.
func WantASCII(getenv func(string) string) bool {
	locale := cmp.Or(getenv("LC_ALL"), getenv("LC_CTYPE"), getenv("LANG"), "C")
	return locale == "C" || locale == "POSIX"
}

// Report writes the answer of an experiment for people, on one screen of 80 columns: for
// each task who wins, by how much, and why; what starting costs; whether the results
// agree; and how much noise there was.
func Report(w io.Writer, rec Record) error { return Text(w, rec, TextOptions{}) }

// Text is Report for a given terminal.
func Text(w io.Writer, rec Record, o TextOptions) error {
	t := &textWriter{w: bufio.NewWriter(w), TextOptions: o}
	if t.Width == 0 {
		t.Width = 80
	}
	t.Width = max(t.Width, 40)
	t.answer(rec)
	for _, s := range Sentences(rec) {
		t.line("")
		t.wrap("", s, "")
	}
	for _, tb := range tablesOf(rec, "why") {
		t.table(tb)
	}
	if o.Verbose {
		for _, tb := range Tables(rec) {
			if tb.Kind != "why" {
				t.table(tb)
			}
		}
	}
	if o.Details != "" {
		t.line("")
		t.wrap("", o.Details, "")
	}
	return t.w.Flush()
}

type textWriter struct {
	TextOptions
	w *bufio.Writer
}

// answer writes the table of rows.
func (t *textWriter) answer(rec Record) {
	rows := rec.Results.Rows
	if len(rows) == 0 {
		t.wrap("", "nothing was measured", "")
		return
	}
	head := []string{"task", "processes take", "", "winner", "why"}
	if a, b := rows[0].A, rows[0].B; a != pool.Processes || b != pool.Goroutines {
		head[1] = "ratio"
	}
	lines := [][]string{head}
	for _, r := range rows {
		cells := []string{rec.RowName(r), "", "", r.Winner(), r.Why}
		if r.Ratio.N > 0 {
			cells[1] = units.Ratio(r.Ratio.Centre) + "×"
			if strings.HasPrefix(cells[1], "1/") {
				cells[1] = strings.TrimSuffix(cells[1], "×")
			}
		}
		cells[2] = r.Ratio.Span()
		lines = append(lines, cells)
	}
	widths := [4]int{}
	for i, cells := range lines {
		for k := range widths {
			if i > 0 || k == 0 || k == 3 { // the second heading spans two columns
				widths[k] = max(widths[k], utf8.RuneCountInString(cells[k]))
			}
		}
	}
	spanned := max(widths[1]+2+widths[2], utf8.RuneCountInString(head[1]))
	for i, c := range lines {
		verdict := Verdict("")
		if i > 0 {
			verdict = rows[i-1].Verdict
		}
		if widths[0]+spanned+widths[3]+6 > t.Width-20 { // too narrow for columns
			if i > 0 {
				t.wrap(units.Printable(c[0])+": ", c[1]+" "+c[3], winnerColor(verdict))
				t.wrap("    ", strings.TrimSpace(c[2]+" "+c[4]), "")
			}
			continue
		}
		times := pad(c[1], widths[1], true) + "  " + c[2]
		if i == 0 {
			times = c[1]
		}
		t.wrap(pad(c[0], widths[0], true)+"  "+pad(times, spanned, true)+"  "+pad(c[3], widths[3], true)+"  ", c[4], winnerColor(verdict))
	}
}

// RowName names a row as briefly as the others allow: by its task, with the number of
// workers where there are several, and the backends unless they are the usual ones.
func (rec Record) RowName(r RowResult) string {
	name := r.Task
	if slices.ContainsFunc(rec.Results.Rows, func(o RowResult) bool { return o.Workers != r.Workers }) {
		name += fmt.Sprintf("×%d", r.Workers)
	}
	if r.A != pool.Processes || r.B != pool.Goroutines {
		name += fmt.Sprintf(" %s/%s", r.A, r.B)
	}
	return name
}

// Sentences returns the text below the table of rows: what starting costs, whether results
// agree, how certain the verdicts are, and how much noise there was.
func Sentences(rec Record) []string {
	var out []string
	if s := startingCosts(rec); s != "" {
		out = append(out, s)
	}
	out = append(out, agreement(rec)+" "+certainty(rec), noise(rec))
	for _, note := range slices.Concat(rec.Notes, rec.Results.Unfair) {
		out = append(out, "Note: "+note+".")
	}
	return out
}

// startingCosts returns sentences on what starting processes costs, at the largest worker
// count, and from which size on processes that compute faster win.
func startingCosts(rec Record) string {
	most, costs, setups := 0, []float64{}, []string{}
	for _, r := range rec.Results.Rows {
		if r.A == pool.Processes && r.Workers >= most {
			most = r.Workers
		}
	}
	var from []string
	share, later := 0.0, 0.0
	for _, r := range rec.Results.Rows {
		c := rec.Results.result(rec.Plan.Rows[r.Row].A)
		if r.A != pool.Processes || r.Workers != most || c == nil {
			continue
		}
		setup := c.in(PhaseSetup)
		costs = append(costs, c.Starting-setup)
		if setup > c.Mean()/20 {
			setups = append(setups, fmt.Sprintf("%s sets up for %s in each process", r.Task, units.Seconds(setup)))
		}
		share = max(share, c.Starting/c.Seconds)
		if serial := rec.Plan.task(r.Task).SerialSeconds; serial > 0 {
			later = max(later, c.Starting/(c.Starting+c.Computing/serial))
		}
		if s, ok := r.FromSeconds.Get(); ok && r.Verdict == Faster && s > 0 {
			from = append(from, fmt.Sprintf("from %s of serial work on %s", units.Seconds(s), r.Task))
		}
	}
	if len(costs) == 0 || rec.Plan.Cells[rec.Plan.Rows[0].A].Warm {
		return ""
	}
	s := fmt.Sprintf("Starting %s costs %s, once; the ratios are of the time after that. Here it is up to %s of their time; with 1 s of serial work, up to %s.",
		plural(most), units.Seconds(rank.Median(costs)), units.Percent(share), units.Percent(later))
	if len(setups) > 0 {
		s += " Not counted either: " + strings.Join(setups, "; ") + "."
	}
	if len(from) > 0 {
		s += " With all that counted, processes win " + strings.Join(from, ", ") + "."
	}
	return s
}

func plural(processes int) string {
	if processes == 1 {
		return "1 process"
	}
	return fmt.Sprintf("%d processes", processes)
}

func agreement(rec Record) string {
	var differ []string
	for _, t := range rec.Results.Tasks {
		if !t.Identical {
			differ = append(differ, t.Task)
		}
	}
	switch {
	case len(differ) > 0 || rec.Status == Differ:
		return strings.TrimSpace("RESULTS DIFFER "+strings.Join(differ, ", ")) + "."
	case len(rec.Runs) == 0:
		return "Nothing was run."
	}
	return "All results agree to the bit."
}

func certainty(rec Record) string {
	open, n := 0, len(rec.Results.Rows)
	for _, r := range rec.Results.Rows {
		if r.Verdict == Open {
			open++
		}
	}
	s := "No verdict yet"
	if open < n {
		s = text.Plural(int64(n-open), "verdict") + ", right all together with " + units.Level(rec.Plan.Confidence)
	}
	if open > 0 {
		s += fmt.Sprintf("; %d open: a larger --max-time decides more", open)
	}
	return s + fmt.Sprintf(". A difference within ±%s counts as none. %s in %s.", units.Level(rec.Plan.Margin), text.Plural(int64(rec.Results.Rounds), "round"), units.Seconds(rec.Seconds))
}

// noise returns a sentence on how far one pair's ratio typically is from the centre.
func noise(rec Record) string {
	var least, most RowResult
	for _, r := range rec.Results.Rows {
		s := float64(r.Spread)
		if r.Pairs < 3 || math.IsNaN(s) {
			continue
		}
		if least.Pairs == 0 || r.Spread < least.Spread {
			least = r
		}
		if most.Pairs == 0 || r.Spread > most.Spread {
			most = r
		}
	}
	if most.Pairs == 0 {
		return "Noise: too few pairs to tell."
	}
	between := units.Percent(float64(most.Spread)) + " (" + most.Task + ")"
	if least.Row != most.Row {
		between = units.Percent(float64(least.Spread)) + " (" + least.Task + ") to " + between
	}
	s := "Noise: the ratio of a single pair of runs is off by " + between + ". The intervals include it."
	if most.Spread > 0.5 {
		s += " The machine is busy: a quieter one decides sooner."
	}
	return s
}

// winnerColor returns the ANSI code of a verdict's colour: green, red, cyan or yellow.
func winnerColor(v Verdict) string {
	return map[Verdict]string{Faster: "\x1b[32m", Slower: "\x1b[31m", Same: "\x1b[36m", Open: "\x1b[33m"}[v]
}

func (t *textWriter) line(s string) {
	s = strings.TrimRight(s, " ")
	if t.ASCII {
		s = units.ASCII(s)
	}
	t.w.WriteString(s)
	t.w.WriteByte('\n')
}

// wrap writes s in lines of at most the width, the first after prefix, the others
// indented as deep, or less where little room is left. The prefix has the colour.
func (t *textWriter) wrap(prefix, s, color string) {
	indent := utf8.RuneCountInString(prefix)
	if t.Color && color != "" {
		prefix = color + prefix + "\x1b[0m"
	}
	if t.Width-indent < 20 {
		t.line(prefix)
		prefix, indent = "    ", 4
	}
	for i, line := range units.Wrap(units.Printable(s), t.Width-indent) {
		if i > 0 {
			t.line(strings.Repeat(" ", indent) + line)
		} else {
			t.raw(prefix, line)
		}
	}
}

// raw writes a line whose beginning may have codes for colours.
func (t *textWriter) raw(prefix, line string) {
	if !t.Color {
		t.line(prefix + line)
		return
	}
	if t.ASCII {
		line = units.ASCII(line)
	}
	t.w.WriteString(prefix + line + "\n")
}

// table writes a table; columns beyond the width go to lines of their own below.
func (t *textWriter) table(tb Table) {
	if len(tb.Rows) == 0 {
		return
	}
	widths := make([]int, len(tb.Head))
	for _, row := range append([][]string{tb.Head}, tb.Rows...) {
		for i, cell := range row {
			widths[i] = max(widths[i], utf8.RuneCountInString(cell))
		}
	}
	t.line("")
	t.wrap("", tb.Caption, "")
	for from := 1; from < len(widths); {
		to, left := from, t.Width-widths[0]
		for to < len(widths) && (to == from || left >= widths[to]+2) {
			left -= widths[to] + 2
			to++
		}
		for _, row := range append([][]string{tb.Head}, tb.Rows...) {
			line := pad(row[0], widths[0], true)
			for i := from; i < to; i++ {
				if tb.left(i) && i == to-1 && left < 0 { // the only column, of text
					t.wrap(line+"  ", row[i], "")
					line = ""
					break
				}
				line += "  " + pad(row[i], widths[i], tb.left(i))
			}
			if line != "" {
				t.line(line)
			}
		}
		if from = to; from < len(widths) {
			t.line("")
		}
	}
}

func pad(s string, width int, left bool) string {
	s = units.Printable(s)
	space := strings.Repeat(" ", max(width-utf8.RuneCountInString(s), 0))
	if left {
		return s + space
	}
	return space + s
}
