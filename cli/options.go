package cli

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
)

// Options describe the program to Main. The zero Options are valid.
type Options struct {
	Name    string // in messages, help, the manual page and completions; "" is the name of the program's file
	Summary string // what the program does, in a line; "" says that it computes tasks in worker processes
	Version string // "" is what the Go command recorded: the module's version, or the tag of the checkout

	// Tutorial names the task whose sums over [0, n) are approximations of pi. They
	// print in the words of the tutorial that procpool comes from, with the
	// distance from pi. All other results print as "TASK over [START, END) = VALUE".
	Tutorial string

	// Kernel names the code path of numeric tasks, for doctor; nil leaves it out.
	Kernel func() string

	Args   []string  // the command line, which begins with the program; nil is os.Args
	Stdout io.Writer // receives results; nil is os.Stdout
	Stderr io.Writer // receives everything else; nil is os.Stderr
}

// Main runs one command line and returns the exit code. The program must have
// called pool.Main before, since worker processes are this program again. If it
// called pool.Main("child"), its command child is a worker that other programs can
// drive.
//
// Until Main returns, SIGINT, SIGTERM, SIGHUP, SIGUSR1, SIGUSR2 and SIGXCPU end the
// command: the process exits with 128 plus the signal's number, or dies of the signal.
func Main(o Options) int {
	if o.Args == nil {
		o.Args = os.Args
	}
	if o.Name == "" && len(o.Args) > 0 {
		o.Name = strings.TrimSuffix(filepath.Base(o.Args[0]), ".exe")
	}
	o.Summary = cmp.Or(o.Summary, "compute a task over an interval in worker processes")
	o.Version = cmp.Or(o.Version, buildVersion())
	if o.Stderr == nil {
		stderr := newStderr(o.Name)
		defer stderr.flush()
		o.Stderr = stderr
	}
	p := &program{Options: o, signals: newWatch()}
	defer p.signals.release()
	if o.Stdout == nil {
		p.Stdout = os.Stdout
		if stdoutClosed() {
			return p.exit(&failure{code: exitFailed, err: errors.New("standard output is closed, so the result cannot be printed"), hint: "use >/dev/null to discard it"})
		}
	}
	return p.exit(p.signals.ended(p.run(o.Args[min(len(o.Args), 1):])))
}

// A program runs one command line.
type program struct {
	Options
	quiet   bool // notes are not printed
	signals *watch
}

// print writes text to standard output; what names it in the error.
func (p *program) print(what, text string) error {
	_, err := io.WriteString(p.Stdout, text)
	return writing(what, err)
}

// note prints a remark on stderr, but not with --quiet.
func (p *program) note(format string, args ...any) {
	if !p.quiet {
		fmt.Fprintf(p.Stderr, "%s: %s\n", p.Name, fmt.Sprintf(format, args...))
	}
}
