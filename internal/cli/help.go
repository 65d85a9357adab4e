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

	exitCodes = `exit codes: 0 done, 1 the work failed, 2 usage or bad input, 3 results differ between backends,
4 an --expect was not met, 124 a deadline passed, 128+n ended by signal n
`
)

func programHelp() string {
	var b strings.Builder
	fmt.Fprintf(&b, "procpool - %s\n\nusage: %s\n\ncommands:\n", programSummary, programUsage)
	for _, cmd := range commands() {
		fmt.Fprintf(&b, "  %-10s %s\n", cmd.name, cmd.summary)
	}
	b.WriteString(`
'procpool help COMMAND' explains one. Flags may stand before or after the arguments. Results go to
stdout, everything else to stderr.

` + exitCodes + "\nexample: " + programExample + "\n")
	return b.String()
}

// usageLine is how a command is called.
func (cmd *command) usageLine() string {
	return strings.TrimSpace("procpool " + cmd.name + " [flags] " + cmd.args)
}

func commandHelp(cmd *command) string {
	var b strings.Builder
	fmt.Fprintf(&b, "procpool %s - %s\n\nusage: %s\n\n%s\n\nexample: %s\n", cmd.name, cmd.summary, cmd.usageLine(), cmd.description, cmd.example)
	flags := cmd.allFlags()
	width := 0
	for _, f := range flags {
		width = max(width, len(f.columns()))
	}
	for _, group := range groups {
		title := "\n" + group + ":\n"
		for _, f := range flags {
			if f.group == group {
				b.WriteString(title)
				title = ""
				fmt.Fprintf(&b, "  %-*s  %s\n", width, f.columns(), wrap(f.explained(), helpWidth-width-4, width+4))
			}
		}
	}
	b.WriteString("\n" + exitCodes)
	return b.String()
}

// columns are the flag's names and that of its value, for a list of flags.
func (f flag) columns() string {
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

// helpWidth is the most columns that a line of help has.
const helpWidth = 98

// wrap breaks text into lines of at most width columns, all but the first
// indented.
func wrap(text string, width, indent int) string {
	var b strings.Builder
	column := 0
	for _, word := range strings.Fields(text) {
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
