// Package cli is procpool's command line: it turns flags into a job, has it
// done by package parent, and prints what came of it. One file a command;
// args.go, flags.go and number.go read what the user wrote, help.go explains it, exit.go decides
// what becomes of an error, and nothing but main exits.
package cli

import (
	"context"
	"io"
	"runtime/debug"
	"slices"

	"github.com/urfave/cli/v2"
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
	app := newApp(e)
	keepFlags(app, p.Args)
	args, err := arrange(app, p.Args)
	if err == nil {
		err = app.RunContext(context.Background(), args)
	}
	return e.exit(err)
}

// keepFlags leaves flags to the command that args name: the library prepares
// those of every command at each start.
func keepFlags(app *cli.App, args []string) {
	for _, c := range app.Commands {
		if !slices.Contains(args[min(len(args), 1):min(len(args), 3)], c.Name) {
			c.Flags = nil
		}
	}
}

// An env is what the commands of one command line share.
type env struct {
	stdout, stderr io.Writer
	kernel         func() string
}

func newApp(e *env) *cli.App {
	cli.HelpFlag = nil // see help.go
	app := &cli.App{
		Name:        "procpool",
		Usage:       "compute a task over an interval in worker processes",
		UsageText:   "procpool [--version|--help] COMMAND [flags] [arguments]",
		HideHelp:    true,
		HideVersion: true,
		Writer:      e.stdout,
		ErrWriter:   e.stderr,
		Flags:       []cli.Flag{toggle(groupOutput, "help", "h", ""), toggle(groupOutput, "version", "", "")},
		Commands: []*cli.Command{
			runCommand(e), intervalsCommand(e), compareCommand(e), mergeCommand(e), tasksCommand(e), doctorCommand(e), childCommand(),
		},
		ExitErrHandler: func(*cli.Context, error) {}, // exit codes are exit.go's
		OnUsageError:   func(_ *cli.Context, err error, _ bool) error { return usage("%v", err) },
		Action: func(c *cli.Context) error {
			switch {
			case c.Bool("help"):
				return e.print("the help", appHelp(c.App))
			case c.Bool("version"):
				return e.print("the version", "procpool "+version()+"\n")
			}
			return usageHint("a command is missing", "'procpool help' lists the commands; 'procpool run 100000000' computes pi")
		},
	}
	for _, c := range app.Commands {
		c.OnUsageError = app.OnUsageError
		c.HideHelp = true
		withHelp(e, c)
	}
	return app
}

// version is the program's, from what the Go tool recorded in it.
func version() string {
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" {
		return info.Main.Version
	}
	return "(devel)"
}
