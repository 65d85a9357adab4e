package cli

import (
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/urfave/cli/v2"

	"procpool/internal/terminal"
)

const programTemplate = `{{.Name}} - {{wrap .Usage (offset .Name 3)}}

usage: {{.Name}} [--version|--help] COMMAND [flags] [arguments]

commands:
{{range .VisibleCommands}}  {{printf "%-10s" .Name}}  {{wrap .Usage 14}}
{{end}}
{{wrap .Description 0}}

'{{.Name}} help COMMAND' explains a command.

{{wrap exitLine 0}}

example: {{.UsageText}}
`

const commandTemplate = `{{.HelpName}} - {{wrap .Usage (offset .HelpName 3)}}

usage: {{.HelpName}} [flags]{{with .ArgsUsage}} {{.}}{{end}}

{{wrap .Description 0}}

example: {{.UsageText}}
{{$category := ""}}{{range flags .}}{{if ne .Category $category}}{{$category = .Category}}
{{.Category}}:
{{end}}  {{.Names}}  {{wrap .Usage (offset .Names 4)}}
{{end}}
{{wrap exitLine 0}}
`

func (p *program) helpCommand() *cli.Command {
	return &cli.Command{
		Name: "help", Aliases: []string{"h"}, Hidden: true, ArgsUsage: "[COMMAND]",
		Usage: "explain a command", Description: "Explains the command, or lists all.", UsageText: p.Name + " help run",
		Action: p.help,
	}
}

func (p *program) help(c *cli.Context) error {
	width := helpWidth(p.Stdout)
	switch c.NArg() {
	case 0:
		return p.print("the help", p.render(c.App.CustomAppHelpTemplate, c.App, width))
	case 1:
		cmd := c.App.Command(c.Args().First())
		if cmd == nil {
			return p.unknownCommand(c.App, c.Args().First())
		}
		return p.print("the help", p.render(cmd.CustomHelpTemplate, cmd, width))
	}
	return usageHint(fmt.Sprintf("help explains one command, but there are %d: %s", c.NArg(), strings.Join(c.Args().Slice(), " ")), p.Name+" help run")
}

// helpWidth returns the width of help in columns: the terminal's, between 40 and 96, or
// else $COLUMNS or 80.
func helpWidth(stdout any) int {
	if width := terminal.Columns(stdout); width > 0 {
		return min(max(width-1, 40), 96)
	}
	if width, err := strconv.Atoi(os.Getenv("COLUMNS")); err == nil && width > 0 {
		return max(width, 40)
	}
	return 80
}

// render executes a template over the program, a *cli.App, or over a *cli.Command.
func (p *program) render(template string, of any, width int) string {
	var b strings.Builder
	cli.HelpPrinterCustom(&b, template, of, map[string]any{
		"wrapAt":    func() int { return width },
		"exitCodes": exitCodes, "exitLine": exitLine, "flags": flagTexts,
		"roff": escapeRoff, "upper": strings.ToUpper, "date": commitDate, "environment": p.environment,
	})
	return b.String()
}

// A flagText describes a flag for help, the manual page and completions.
type flagText struct {
	Name, Letter string   // Letter is "" if there is none; further names are not shown
	Value        string   // the name of the value; "" of a switch
	Names        string   // all three, as wide as those of the command's other flags
	Usage        string   // with the default
	Words        []string // that complete the value, or ":files"
	Category     string
}

// flagTexts are in the order of their categories.
func flagTexts(cmd *cli.Command) (texts []flagText) {
	width := 0
	for _, f := range cmd.VisibleFlags() {
		doc := f.(documentedFlag)
		names, usage, letter := f.Names(), strings.Split(doc.GetUsage(), "`"), ""
		t := flagText{Name: names[0], Usage: strings.Join(usage, ""), Category: doc.GetCategory()}
		if len(names) > 1 && len(names[1]) == 1 {
			t.Letter, letter = names[1], "-"+names[1]+", "
		}
		if doc.TakesValue() {
			t.Value = usage[1]
			if standard := doc.GetDefaultText(); standard != "" {
				t.Usage += " (default " + standard + ")"
			}
		}
		t.Names = strings.TrimRight(fmt.Sprintf("%4s--%s %s", letter, t.Name, t.Value), " ")
		width = max(width, len(t.Names))
		switch f := f.(type) {
		case *cli.PathFlag:
			t.Words = []string{":files"}
		case *cli.GenericFlag:
			t.Words = f.Value.(flagValue).completions()
		}
		texts = append(texts, t)
	}
	for i := range texts {
		texts[i].Names = fmt.Sprintf("%-*s", width, texts[i].Names)
	}
	slices.SortStableFunc(texts, func(a, b flagText) int {
		return slices.Index(categories[:], a.Category) - slices.Index(categories[:], b.Category)
	})
	return texts
}
