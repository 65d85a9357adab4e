package cli

import (
	"fmt"
	"io"
	"strings"
)

// print writes text to standard output; what names it if that fails.
func (e *env) print(what, text string) error {
	_, err := io.WriteString(e.stdout, text)
	return writing(what, err)
}

const (
	programSummary = "compute a task over an interval in worker processes"
	programUsage   = "procpool [--version|--help] COMMAND [flags] [arguments]"
	programExample = "procpool run --procs 4 100000000"
	programAbout   = `A parent starts this program again as worker processes, which share no memory, hands each of them intervals [start, end), and adds up the partial results that they give back, in the order of the intervals.

Flags may stand before or after the arguments. Results go to stdout, everything else to stderr.`
)

// mostWidth is the most columns that a line of help has, and what it has where
// nobody knows the width.
const mostWidth = 96

// helpWidth is how many columns help has.
func (e *env) helpWidth() int {
	if width := columns(e.stdout); width > 0 {
		return min(max(width-1, 40), mostWidth)
	}
	return mostWidth
}

func programHelp(width int) string {
	var b strings.Builder
	fmt.Fprintf(&b, "procpool - %s\n\nusage: %s\n\ncommands:\n", programSummary, programUsage)
	for _, cmd := range commands() {
		fmt.Fprintf(&b, "  %-10s  %s\n", cmd.name, wrap(cmd.summary, width-14, 14))
	}
	fmt.Fprintf(&b, "\n%s\n\n%s\n\nexample: %s\n",
		wrap("'procpool help COMMAND' explains one. Flags may stand before or after the arguments. Results go to stdout, everything else to stderr.", width, 0),
		wrap(exitLine(), width, 0), programExample)
	return b.String()
}

// exitLine is the table of exit codes as a sentence.
func exitLine() string {
	var parts []string
	for _, c := range exitCodes() {
		parts = append(parts, c.code+" "+c.meaning)
	}
	return "exit codes: " + strings.Join(parts, ", ")
}

// usageLine is how a command is called.
func (cmd *command) usageLine() string {
	return strings.TrimSpace("procpool " + cmd.name + " [flags] " + cmd.args)
}

func commandHelp(cmd *command, width int) string {
	var b strings.Builder
	fmt.Fprintf(&b, "procpool %s - %s\n\nusage: %s\n\n", cmd.name, cmd.summary, cmd.usageLine())
	for paragraph := range strings.SplitSeq(cmd.description, "\n\n") {
		b.WriteString(wrap(paragraph, width, 0) + "\n\n")
	}
	fmt.Fprintf(&b, "example: %s\n", cmd.example)
	flags := cmd.allFlags()
	column := 0
	for _, f := range flags {
		column = max(column, len(f.names())+4)
	}
	for _, group := range groups {
		title := "\n" + group + ":\n"
		for _, f := range flags {
			if f.group == group {
				b.WriteString(title)
				title = ""
				fmt.Fprintf(&b, "  %-*s%s\n", column-2, f.names(), wrap(f.explained(), width-column, column))
			}
		}
	}
	b.WriteString("\n" + wrap(exitLine(), width, 0) + "\n")
	return b.String()
}

// names are the flag's and that of its value, for a list of flags.
func (f flag) names() string {
	names := "    --" + f.name
	if f.letter != "" {
		names = "-" + f.letter + ", --" + f.name
	}
	return strings.TrimSuffix(names+" "+f.placeholder(), " ")
}

// explained is what the flag does, and without being given.
func (f flag) explained() string {
	text := strings.ReplaceAll(f.usage, "`", "")
	if f.value != "" {
		text += " (default " + f.value + ")"
	}
	return text
}

// wrap breaks text into lines of at most width columns, if its words allow it,
// all but the first indented.
func wrap(text string, width, indent int) string {
	var b strings.Builder
	column := 0
	for word := range strings.FieldsSeq(text) {
		switch {
		case column == 0:
		case column+1+len(word) > width:
			b.WriteString("\n" + strings.Repeat(" ", indent))
			column = 0
		default:
			b.WriteByte(' ')
			column++
		}
		b.WriteString(word)
		column += len(word)
	}
	return b.String()
}
