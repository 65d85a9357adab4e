// Package cli is procpool's command line: it turns flags into a job, has it
// done by package parent, and prints what came of it. One file a command;
// command.go, flags.go and number.go read what the user wrote, help.go, man.go and
// completion.go explain it, exit.go decides what becomes of an error, and
// nothing but main exits.
package cli

import (
	"fmt"
	"io"
	"strings"

	"github.com/xrash/smetrics"
)

// A Program is what main hands over.
type Program struct {
	Args           []string
	Stdout, Stderr io.Writer
	Kernel         func() string // names the code path of the numeric tasks
}

// Run runs one command line and returns the exit code. Results go to Stdout,
// everything else to Stderr.
func Run(p Program) int {
	e := &env{stdout: p.Stdout, stderr: p.Stderr, kernel: p.Kernel}
	return e.exit(e.run(p.Args[min(len(p.Args), 1):]))
}

// An env is what the commands of one command line share.
type env struct {
	stdout, stderr io.Writer
	kernel         func() string
}

func commands() []*command {
	return []*command{
		runCommand(), intervalsCommand(), compareCommand(), mergeCommand(), tasksCommand(), doctorCommand(),
		manCommand(), completionCommand(), childCommand(),
	}
}

func (e *env) run(args []string) error {
	if len(args) == 0 {
		return usageHint("a command is missing", "'procpool help' lists the commands; 'procpool run 100000000' computes pi")
	}
	name, args := args[0], args[1:]
	switch name {
	case "help", "h":
		if len(args) > 0 {
			name, args = args[0], []string{"--help"}
			break
		}
		return e.print("the help", programHelp(e.helpWidth()))
	case "--help", "-h":
		return e.print("the help", programHelp(e.helpWidth()))
	case "--version":
		return e.print("the version", "procpool "+version()+"\n")
	}
	if strings.HasPrefix(name, "-") {
		return unknownProgramFlag(name)
	}
	cmd := findCommand(name)
	if cmd == nil {
		return unknownCommand(name)
	}
	c, err := cmd.read(args)
	switch {
	case err != nil:
		return err
	case c.Bool("help"):
		return e.print("the help", commandHelp(cmd, e.helpWidth()))
	}
	return cmd.do(c, e)
}

// programFlags stand in place of a command.
func programFlags() []flag {
	return []flag{toggle(groupOutput, "help", "h", "show this help"), toggle(groupOutput, "version", "", "print the version")}
}

func findCommand(name string) *command {
	for _, cmd := range commands() {
		if cmd.name == name {
			return cmd
		}
	}
	return nil
}

func unknownCommand(name string) error {
	names := commandNames()
	hint := "the commands are " + strings.Join(names, ", ")
	if _, err := parseIndex("", name); err == nil {
		hint = fmt.Sprintf("did you mean 'procpool run %s'? %s", name, hint)
	} else {
		hint = didYouMean(strings.ToLower(name), append(names, "--version"), hint)
	}
	return usageHint(fmt.Sprintf("unknown command %q", name), hint)
}

// unknownProgramFlag also tells who put a command's flag before the command. -v
// is not taken for one: who writes it here means the version.
func unknownProgramFlag(arg string) error {
	for _, cmd := range commands() {
		c := &call{flags: cmd.allFlags()}
		name, _, _ := strings.Cut(strings.TrimLeft(arg, "-"), "=")
		if f := c.find(name); f != nil && name != "v" {
			return usageHint(arg+" stands before the command", fmt.Sprintf("flags of a command stand after it: procpool %s %s", cmd.name, arg))
		}
	}
	return unknownFlag(arg, "procpool", programFlags())
}

// didYouMean is hint, after the one of known that is much like word.
func didYouMean(word string, known []string, hint string) string {
	if near := nearest(word, known); near != "" {
		return fmt.Sprintf("did you mean %q? %s", near, hint)
	}
	return hint
}

// nearest is the one of known that is most like word, or "" if none is much
// like it. Most slips spare the first letter.
func nearest(word string, known []string) string {
	best, score := "", 0.6
	word = strings.TrimLeft(word, "-")
	for _, k := range known {
		plain := strings.TrimLeft(k, "-")
		if word == "" || plain[0] != word[0] {
			continue
		}
		if s := smetrics.JaroWinkler(plain, word, 0.7, 4); s > score {
			best, score = k, s
		}
	}
	return best
}
