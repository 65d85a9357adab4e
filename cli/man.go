package cli

import (
	"strings"

	"github.com/urfave/cli/v2"
)

// manTemplate is the manual page in the macros of man(7).
const manTemplate = `.TH {{roff (upper .Name)}} 1 "{{date}}" "{{roff .Name}} {{roff .Version}}" "User commands"
.SH NAME
{{roff .Name}} \- {{roff .Usage}}
.SH SYNOPSIS
.B {{roff .Name}}
.RB [ \-\-version | \-\-help ]
.I COMMAND
[flags] [arguments]
.SH DESCRIPTION
{{roff .Description}}
.SH COMMANDS
{{range .VisibleCommands}}.SS {{roff .Name}} [flags]{{with .ArgsUsage}} {{roff .}}{{end}}
{{roff .Description}}
{{range flags .}}.TP
{{with .Letter}}\fB\-{{roff .}}\fR, {{end}}\fB\-\-{{roff .Name}}\fR{{with .Value}} \fI{{roff .}}\fR{{end}}
{{roff .Usage}}
{{end}}{{end}}.SH EXIT STATUS
{{range exitCodes}}.TP
.B {{roff .Name}}
{{roff .Meaning}}
{{end}}.SH ENVIRONMENT
{{range environment}}.TP
.B {{roff .Name}}
{{roff .Meaning}}
{{end}}.SH EXAMPLES
{{range .VisibleCommands}}.TP
{{roff .Usage}}
.B {{roff .UsageText}}
{{end}}.SH SEE ALSO
.BR taskset (1),
.BR srun (1),
.BR parallel (1)
`

func (p *program) manCommand() *cli.Command {
	return &cli.Command{
		Name: "man", Usage: "print the manual page",
		Description: "Prints " + p.Name + "(1), made from the commands and flags that this program has, for man and mandoc.",
		UsageText:   p.Name + " man | man -l -",
		Before:      takesNothing,
		Action:      func(c *cli.Context) error { return p.print("the manual page", p.render(manTemplate, c.App, 0)) },
	}
}

// environment returns the variables that the command line reads. doctor shows those that
// limit the number of workers.
func (p *program) environment() []explained {
	variables := []explained{
		{"PROCPOOL_PROCS", "the number of workers where --procs is auto, if no mask, quota or scheduler allows fewer"},
		{"GOMEMLIMIT", "the memory limit of Go's runtime, which is divided among the workers"},
		{"COLUMNS", "the width of help that is not written to a terminal"},
		{"NO_COLOR", "if set to anything, reports have no colors"},
		{"SLURM_*", "the CPUs of a task, the end of the job (--deadline auto) and the index in an array (--share auto)"},
	}
	if p.Kernel != nil {
		variables = append(variables, explained{"PROCPOOL_KERNEL", "the code path of numeric tasks instead of the best that the processor has; '" + p.Name + " doctor' names the one in use"})
	}
	return variables
}

var roffEscapes = strings.NewReplacer(`\`, `\e`, "-", `\-`, "'", `\(aq`, "`", "\\(ga", "^", `\(ha`, "~", `\(ti`, "\n\n", "\n.PP\n")

// escapeRoff keeps text from being read as roff requests.
func escapeRoff(s string) string {
	if strings.HasPrefix(s, ".") {
		return `\&` + roffEscapes.Replace(s)
	}
	return roffEscapes.Replace(s)
}
