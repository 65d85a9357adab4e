// Package cli gives a program that has tasks the command line of procpool: run, exec,
// intervals, compare, merge, tasks, doctor, man and completion, with journals,
// shares, JSON output and exit codes.
//
//	func main() {
//		pool.Main("child")
//		os.Exit(cli.Main(cli.Options{Name: "mytool"}))
//	}
//
// options.go is what a program says of itself. github.com/urfave/cli/v2 reads the
// command line: cli.go puts its App together, arguments.go arranges the arguments
// for it, values.go and number.go read the values of flags, flags.go and the files
// of the commands define them, help.go, man.go and completion.go print what those
// definitions say. exit.go turns an error into a message and an exit code.
package cli

import "github.com/urfave/cli/v2"

const about = `A parent starts this program again as worker processes, which share no memory, hands each of them intervals [start, end), and adds up the partial results that they return, in the order of the intervals.

Flags may stand before or after the arguments. Results go to stdout, everything else to stderr.`

func (p *program) run(args []string) error {
	app := p.app()
	arranged, err := p.arrange(app, args)
	if err != nil {
		return err
	}
	trim(app, arranged[1])
	return app.RunContext(p.signals.ctx, arranged)
}

// app defines all commands and flags; a command's UsageText is an example. Each command
// line gets a new App, because urfave/cli stores the arguments in it. Apps share no flags,
// not even the library's --help and --version, so that several can run at once.
func (p *program) app() *cli.App {
	commands := []*cli.Command{
		p.runCommand(), p.execCommand(), p.intervalsCommand(), p.compareCommand(), p.mergeCommand(), p.statusCommand(), p.jobCommand(), p.tasksCommand(), p.doctorCommand(), p.manCommand(),
		p.completionCommand(), p.childCommand(), p.helpCommand(), p.versionCommand(), p.completeCommand(),
	}
	for _, cmd := range commands {
		cmd.Flags = append(cmd.Flags, &cli.BoolFlag{Category: categoryOutput, Name: "help", Aliases: []string{"h"}, Usage: "show this help"})
		cmd.CustomHelpTemplate, cmd.HideHelp, cmd.OnUsageError = commandTemplate, true, refusedValue
	}
	return &cli.App{
		Name: p.Name, Usage: p.Summary, Version: p.Version, Description: about, UsageText: commands[0].UsageText,
		Commands: commands, CustomAppHelpTemplate: programTemplate, HideHelp: true, HideVersion: true,
		Writer: p.Stdout, ErrWriter: p.Stderr,
		// An error that carries an exit code, as that of a child process does, must
		// not end this process in the middle of the command.
		ExitErrHandler: func(*cli.Context, error) {},
	}
}

// trim saves time that shows in a short run. The library prints the flags of all
// commands while it sets up, and applies a regular expression to the names of flags
// each time it compares them.
func trim(app *cli.App, running string) {
	if running == "help" || running == "man" || running == "complete" {
		return
	}
	for _, cmd := range app.Commands {
		if cmd.Name != running {
			cmd.Flags = nil
		}
		for i, f := range cmd.Flags {
			cmd.Flags[i] = namedFlag{f.(documentedFlag), f.Names()}
		}
	}
}

type documentedFlag interface {
	cli.DocGenerationFlag
	cli.CategorizableFlag
}

type namedFlag struct {
	documentedFlag
	names []string
}

func (f namedFlag) Names() []string { return f.names }

// String is what urfave/cli files the flag under; it makes a text of help for that.
func (f namedFlag) String() string { return f.names[0] }
