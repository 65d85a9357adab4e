package cli

import (
	"fmt"
	"io"
	"strings"

	"github.com/urfave/cli/v2"
)

// The library's own help is not used: it sorts groups of flags by name, does
// not break lines, and takes a full disk for success.

// withHelp gives a command its --help.
func withHelp(e *env, c *cli.Command) *cli.Command {
	action := c.Action
	c.Flags = append(c.Flags, toggle(groupOutput, "help", "h", "show this help"))
	c.Action = func(ctx *cli.Context) error {
		if ctx.Bool("help") {
			return e.print("the help", commandHelp(c))
		}
		return action(ctx)
	}
	return c
}

// print writes text to standard output; what names it if that fails.
func (e *env) print(what, text string) error {
	_, err := io.WriteString(e.stdout, text)
	return writing(what, err)
}

func appHelp(app *cli.App) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s - %s\n\nusage: %s\n\ncommands:\n", app.Name, app.Usage, app.UsageText)
	for _, c := range app.Commands {
		fmt.Fprintf(&b, "  %-10s %s\n", c.Name, c.Usage)
	}
	b.WriteString(`
'procpool help COMMAND' explains one. Flags may stand before or after the arguments. Results go to
stdout, everything else to stderr.

` + exitCodes + `
example: procpool run --procs 4 100000000
`)
	return b.String()
}

const exitCodes = `exit codes: 0 done, 1 the work failed, 2 usage or bad input, 3 results differ between backends,
4 an --expect was not met, 124 a deadline passed, 128+n ended by signal n
`

func commandHelp(c *cli.Command) string {
	var b strings.Builder
	usage := strings.Join(strings.Fields("procpool "+c.Name+" [flags] "+c.ArgsUsage), " ")
	fmt.Fprintf(&b, "procpool %s - %s\n\nusage: %s\n\n%s\n", c.Name, c.Usage, usage, c.Description)
	entries, width := flagEntries(c)
	for _, group := range groups {
		title := "\n" + group + ":\n"
		for _, f := range entries {
			if f.group == group {
				b.WriteString(title)
				title = ""
				fmt.Fprintf(&b, "  %-*s  %s\n", width, f.names, wrap(f.usage, helpWidth-width-4, width+4))
			}
		}
	}
	b.WriteString("\n" + exitCodes)
	return b.String()
}

// helpWidth is the most columns that a line of help has.
const helpWidth = 98

// A flagEntry is a flag in a help text.
type flagEntry struct{ group, names, usage string }

// flagEntries are a command's flags in the order of their declaration, and the
// width of their names.
func flagEntries(c *cli.Command) (entries []flagEntry, width int) {
	for _, f := range c.Flags {
		entry := flagEntry{names: "    --" + f.Names()[0]}
		if len(f.Names()) > 1 {
			entry.names = dashed(f.Names()[1]) + ", --" + f.Names()[0]
		}
		switch f := f.(type) {
		case *toggleFlag:
			entry.group, entry.usage = f.Category, f.Usage
		case *textFlag:
			entry.group, entry.usage = f.Category, strings.ReplaceAll(f.Usage, "`", "")
			if _, value, quoted := strings.Cut(f.Usage, "`"); quoted {
				value, _, _ = strings.Cut(value, "`")
				entry.names += " " + value
			}
			if f.Value != "" {
				entry.usage += " (default " + f.Value + ")"
			}
		}
		entries = append(entries, entry)
		width = max(width, len(entry.names))
	}
	return entries, width
}

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
