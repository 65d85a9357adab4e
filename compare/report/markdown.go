package report

import (
	"bufio"
	"io"
	"strings"

	"procpool/compare"
)

// Markdown writes the report as GitHub-flavoured Markdown.
func Markdown(w io.Writer, rec compare.Record) error {
	m := markdown{bufio.NewWriter(w)}
	v := view{rec}
	m.line("# "+escapeMarkdown(v.title()), "", escapeMarkdown(v.subtitle())+".", "", escapeMarkdown(v.method()), "")
	for _, warning := range v.warnings(true) {
		m.line("> **Warning:** "+escapeMarkdown(warning), "")
	}
	for _, t := range v.compared() {
		m.line("## "+escapeMarkdown(t.Task), "")
		for _, c := range t.Comparisons {
			m.line("- **" + string(c.Verdict) + "**: " + escapeMarkdown(v.sentence(v.finding(c))))
		}
		m.line("- "+escapeMarkdown(control(t)+"; "+identical(t)), "")
		m.table(v.times(t))
		m.table(v.costs(t))
		m.table(v.where(t))
		for _, w := range t.Why {
			m.table(v.why(t, w))
		}
		m.table(v.breakEven(t))
	}
	m.line("## Conditions", "")
	m.table(v.plan())
	m.table(v.fairness())
	m.table(v.environment())
	for _, note := range v.warnings(false) {
		m.line("- " + escapeMarkdown(note))
	}
	return m.Flush()
}

type markdown struct{ *bufio.Writer }

func (m markdown) line(lines ...string) {
	for _, s := range lines {
		m.WriteString(s)
		m.WriteByte('\n')
	}
}

func (m markdown) table(tb table) {
	if len(tb.Rows) == 0 {
		return
	}
	m.line("**"+escapeMarkdown(tb.Caption)+"**", "")
	rule := make([]string, len(tb.Head))
	for i := range rule {
		rule[i] = "---:"
		if tb.left(i) {
			rule[i] = "---"
		}
	}
	m.line(row(tb.Head), "| "+strings.Join(rule, " | ")+" |")
	for _, r := range tb.Rows {
		m.line(row(r))
	}
	m.line("")
}

func row(cells []string) string {
	out := make([]string, len(cells))
	for i, c := range cells {
		out[i] = escapeMarkdown(c)
	}
	return "| " + strings.Join(out, " | ") + " |"
}

// escapeMarkdown makes any text literal, on one line and inside a table too.
func escapeMarkdown(s string) string {
	return strings.NewReplacer("\\", "\\\\", "|", "\\|", "*", "\\*", "_", "\\_", "<", "&lt;", ">", "&gt;", "&", "&amp;",
		"`", "\\`", "#", "\\#", "[", "\\[", "]", "\\]").Replace(printable(strings.NewReplacer("\n", " ", "\r", " ").Replace(s)))
}
