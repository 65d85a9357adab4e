package cli

import (
	"fmt"
	"strings"
)

func manCommand() *command {
	return &command{
		name:        "man",
		summary:     "print the manual page",
		description: "Prints procpool(1), made from the commands and flags that this program has, for man and mandoc.",
		example:     "procpool man | man -l -",
		do:          man,
	}
}

func man(c *call, e *env) error {
	if err := c.takesNothing(); err != nil {
		return err
	}
	return e.print("the manual page", manPage())
}

// manPage is procpool(1) in the macros of man(7). The same program always prints
// the same page.
func manPage() string {
	var b roff
	b.line(".TH PROCPOOL 1 %s %s %s", quoteRoff(commitDate()), quoteRoff("procpool "+version()), quoteRoff("User commands"))
	b.line(".SH NAME\nprocpool \\- %s", escapeRoff(programSummary))
	b.line(".SH SYNOPSIS")
	for i, cmd := range commands() {
		if i > 0 {
			b.line(".br")
		}
		words := strings.SplitN(cmd.usageLine(), " ", 3)
		b.line("\\fB%s %s\\fR %s", words[0], escapeRoff(words[1]), escapeRoff(words[2]))
	}
	b.line(".SH DESCRIPTION")
	b.text(programAbout)
	b.line(".SH COMMANDS")
	for _, cmd := range commands() {
		b.command(cmd)
	}
	b.line(".SH EXIT STATUS")
	for _, c := range exitCodes() {
		b.line(".TP\n.B %s\n%s", escapeRoff(c.code), escapeRoff(c.meaning))
	}
	b.line(".SH ENVIRONMENT")
	for _, v := range environment() {
		b.line(".TP\n.B %s\n%s", escapeRoff(v.name), escapeRoff(v.meaning))
	}
	b.line(".SH EXAMPLES")
	for _, cmd := range commands() {
		b.line(".TP\n%s\n.B %s", escapeRoff(cmd.summary), escapeRoff(cmd.example))
	}
	b.line(".SH SEE ALSO\n.BR taskset (1),\n.BR srun (1),\n.BR parallel (1)")
	return b.String()
}

// environment are the variables that procpool itself reads; those that limit
// the number of workers are doctor's to show.
func environment() []variable {
	return []variable{
		{"PROCPOOL_PROCS", "the number of workers where --procs is auto, if no mask, quota or scheduler allows fewer"},
		{"PROCPOOL_KERNEL", "the code path of pi and pi-fast instead of the best that the processor has; 'procpool doctor' names the one in use"},
		{"GOMEMLIMIT", "is divided among the workers"},
		{"NO_COLOR", "set to anything, no colors in reports"},
		{"SLURM_*", "the CPUs of a task, the end of the job (--deadline auto) and the index in an array (--share auto)"},
	}
}

type variable struct{ name, meaning string }

// A roff is a manual page that is being written.
type roff struct{ strings.Builder }

func (b *roff) line(format string, args ...any) { fmt.Fprintf(b, format+"\n", args...) }

// text writes paragraphs.
func (b *roff) text(s string) {
	for i, paragraph := range strings.Split(s, "\n\n") {
		if i > 0 {
			b.line(".PP")
		}
		b.line("%s", escapeRoff(paragraph))
	}
}

func (b *roff) command(cmd *command) {
	words := strings.SplitN(cmd.usageLine(), " ", 2)
	b.line(".SS %s", quoteRoff(words[1]))
	b.text(cmd.description)
	flags := cmd.allFlags()
	for _, group := range groups {
		for _, f := range flags {
			if f.group != group {
				continue
			}
			names := "\\fB" + escapeRoff(dashed(f.name)) + "\\fR"
			if f.letter != "" {
				names = "\\fB" + escapeRoff(dashed(f.letter)) + "\\fR, " + names
			}
			if value := f.placeholder(); value != "" {
				names += " \\fI" + escapeRoff(value) + "\\fR"
			}
			b.line(".TP\n%s\n%s", names, escapeRoff(f.explained()))
		}
	}
}

// escapeRoff keeps text from being taken for instructions.
func escapeRoff(s string) string {
	s = strings.NewReplacer(`\`, `\e`, "-", `\-`, "'", `\(aq`, "`", "\\(ga", "^", `\(ha`, "~", `\(ti`).Replace(s)
	lines := strings.Split(s, "\n")
	for i, line := range lines {
		if strings.HasPrefix(line, ".") {
			lines[i] = `\&` + line
		}
	}
	return strings.Join(lines, "\n")
}

// quoteRoff is text as one argument of a macro.
func quoteRoff(s string) string { return `"` + strings.ReplaceAll(escapeRoff(s), `"`, `\(dq`) + `"` }
