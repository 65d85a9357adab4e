package cli

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"os/exec"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"procpool/internal/command"
	"procpool/internal/proctree"
	"procpool/internal/text"
	"procpool/ipc"
	"procpool/journal"
	"procpool/pool"
	"procpool/task"
)

// An execution holds what exec adds to a run: the command that stands in place of a task,
// and how its outputs are reduced.
type execution struct {
	words             []string
	reduce            string
	linesPath         string
	lines             *command.Index // nil without --lines
	keepGoing, dryRun bool
}

func (p *program) execCommand() *cli.Command {
	r := p.newRun()
	r.exec = &execution{}
	return &cli.Command{
		Name: "exec", ArgsUsage: "INTERVALS -- COMMAND [ARGUMENTS]",
		Usage: "run a program of yours over an interval, and reduce what it prints",
		Description: "Cuts [0, INTERVALS) into chunks and runs COMMAND once for each, in as many workers as CPUs may be used. " +
			"{start} {end} {len} {chunk} {worker} in its words are replaced; where there is none of them, start and end are appended. " +
			"There is no shell: write sh -c '...' for one. PROCPOOL_START, _END, _CHUNK and _WORKER are in its environment. " +
			"With --lines FILE, in place of INTERVALS, a chunk is some lines of FILE, which COMMAND reads on standard input. " +
			"COMMAND has no terminal; what it starts ends with it.",
		UsageText: p.Name + " exec --chunk-size 1000 1e6 -- ./count.sh",
		Flags:     r.execFlags(), Before: r.prepareExec, Action: r.runExec,
	}
}

// notForExec are the flags of run that exec does not have, or has in its own form.
var notForExec = []string{"task", "chunk-size", "backend", "max-chunks-per-child", "max-rss", "worker"}

func (r *runCommand) execFlags() []cli.Flag {
	x := r.exec
	flags := slices.DeleteFunc(r.flags(), func(f cli.Flag) bool { return slices.Contains(notForExec, f.Names()[0]) })
	return append(flags,
		&cli.GenericFlag{Category: categoryWhat, Name: "reduce", Value: choice(&x.reduce, command.Sum, command.Reduces...), Usage: "reduce outputs by `HOW`: sum, min and max take the number on each last line, exactly; concat prints all outputs in order; none looks at exit codes only"},
		&cli.PathFlag{Category: categoryWhat, Name: "lines", Destination: &x.linesPath, Usage: "take the lines of `FILE` in place of INTERVALS; a chunk's lines are the command's standard input"},
		&cli.GenericFlag{Category: categoryWhat, Name: "chunk-size", Value: number(&r.chunkSize, "", 1, ipc.MaxIndex), Usage: "run the command once for every `K` indices; without it, cut 64 chunks a worker"},
		&cli.BoolFlag{Category: categoryLimits, Name: "keep-going", Destination: &x.keepGoing, Usage: "finish all other chunks when one has failed, then fail"},
		&cli.BoolFlag{Category: categoryOutput, Name: "dry-run", Destination: &x.dryRun, Usage: "print the command lines of the first chunks, and run nothing"},
	)
}

// prepareExec checks the arguments of exec before anything is started.
func (r *runCommand) prepareExec(c *cli.Context) error {
	x := r.exec
	r.options.EndsOwn = true
	r.spec, r.options.MaxMessage = commandSpec(x.reduce != command.Concat), pool.DefaultMaxMessage
	if err := r.ended(r.readExec(c)); err != nil || r.err != nil {
		return err
	}
	if x.reduce == command.Concat && r.json && r.journalPath == "" {
		return usageHint("--json and --reduce concat both print to standard output", "add --journal FILE: it keeps the outputs, and merge prints them")
	}
	if r.whole.Start > r.whole.End {
		return usage("--start %d is beyond the end, %d", r.whole.Start, r.whole.End)
	}
	if x.dryRun {
		r.journalPath, r.resume = "", false
	}
	return r.settle(c)
}

// commandSpec returns the task of package command. It must be exact only if the order of
// outputs does not matter.
func commandSpec(exact bool) *task.Spec {
	spec := *command.Task.Spec()
	spec.Exact = exact
	return &spec
}

// readExec reads the operands: INTERVALS -- COMMAND ARGUMENTS, or only the part from
// the dashes on with --lines.
func (r *runCommand) readExec(c *cli.Context) (err error) {
	x, args := r.exec, c.Args().Slice()
	at := slices.Index(args, "--")
	example := fmt.Sprintf("%s exec 1e6 -- ./count.sh", r.Name)
	if c.IsSet("lines") {
		example = fmt.Sprintf("%s exec --lines FILE -- ./count.sh", r.Name)
	}
	switch {
	case at < 0:
		return noDashes(example)
	case at == len(args)-1:
		return usageHint("there is no command after --", example)
	case at > 1:
		return usageHint(fmt.Sprintf("exec takes one argument before --, but there are %d: %s", at, strings.Join(args[:at], " ")), example)
	case at == 1 && c.IsSet("lines"):
		return usageHint(fmt.Sprintf("--lines takes the place of INTERVALS, but there is %q too", args[0]), example)
	case at == 0 && !c.IsSet("lines"):
		return usageHint("exec needs INTERVALS, the end of the interval, before --, or --lines FILE", example)
	}
	x.words = args[at+1:]
	if x.words[0] == "" {
		return usageHint("the command is empty", example)
	}
	if r.options.Launcher == "" { // otherwise it may run elsewhere
		if err := canRun(x.words[0]); err != nil {
			return err
		}
	}
	if !c.IsSet("lines") {
		if r.whole.End, err = parseIndex(args[0]); err != nil {
			return usage("INTERVALS is %q: %w", args[0], err)
		}
		return nil
	}
	ctx, release := r.bounded(c.Context)
	defer release()
	if x.lines, err = command.NewIndex(ctx, x.linesPath); err != nil {
		if r.during = "while reading " + x.linesPath; ctx.Err() != nil {
			return err
		}
		if errors.Is(err, command.ErrChanged) {
			return &failure{code: exitFailed, err: err}
		}
		return usage("--lines %s: %w", x.linesPath, plainError(err))
	}
	r.whole.End = x.lines.Lines
	return nil
}

func noDashes(example string) error {
	return usageHint("exec needs -- before the command", example)
}

// canRun looks for a command, unless it has another name for each chunk.
func canRun(name string) error {
	if command.HasPlaceholder(name) {
		return nil
	}
	_, err := exec.LookPath(name)
	var look *exec.Error
	if err == nil || !errors.As(err, &look) {
		return nil
	}
	hint := ""
	if strings.ContainsAny(name, " \t") {
		hint = "exec does not split words: write -- sh -c " + text.ShellQuote(name)
	}
	return usageHint(fmt.Sprintf("cannot run %s: %v", name, look.Err), hint)
}

// grid cuts the input: into 64 chunks a worker, unless a size is asked for.
func (x *execution) grid(r *runCommand) ipc.Grid {
	size := r.chunkSize
	if size == 0 {
		const chunks = 64
		size = max((r.whole.Len()-1)/(chunks*int64(r.options.Procs))+1, 1)
	}
	return ipc.ChunkGrid(r.whole, size)
}

// concats reports whether outputs are printed, and not added up.
func (x *execution) concats() bool { return x != nil && x.reduce == command.Concat }

// describe puts into a journal's header everything that the result depends on.
func (x *execution) describe(h *journal.Header) {
	if x == nil {
		return
	}
	const longest = 4 << 10
	h.Command, h.Reduce = text.ShellQuote(x.words...), x.reduce
	if len(h.Command) > longest {
		h.Command = fmt.Sprintf("%s... (%d bytes with SHA-256 %x)", strings.ToValidUTF8(h.Command[:longest], "?"), len(h.Command), sha256.Sum256([]byte(h.Command)))
	}
	if x.lines != nil {
		h.Input = x.lines.Text()
	}
}

// call returns what a worker needs to run the command for one chunk.
func (x *execution) call(grid ipc.Grid, iv ipc.Interval) *command.Call {
	c := &command.Call{Words: x.words, Reduce: x.reduce}
	if grid.N > 0 {
		c.Chunk = grid.Find(iv.Start)
	}
	if x.lines != nil {
		c.Lines = x.lines.Part(iv.Start)
	}
	return c
}

// ownsStrays reports whether this process adopts and kills processes that the commands of
// a lost worker leave behind. Behind a launcher it does not, because a launcher's own
// processes could not be told from them.
func (r *runCommand) ownsStrays() bool { return r.exec != nil && r.options.Launcher == "" }

func (r *runCommand) endStrays() {
	if r.ownsStrays() {
		proctree.KillStrays()
	}
}

// workload adds to w how requests carry the command and how outputs are printed. If x is
// nil it returns w unchanged.
func (x *execution) workload(r *runCommand, ctx context.Context, w pool.Workload) pool.Workload {
	if x == nil {
		return w
	}
	w.With = func(dst []byte, iv ipc.Interval) []byte { return x.call(r.grid, iv).Append(dst) }
	switch {
	case !x.concats():
	case r.journal != nil:
		w.Task = commandSpec(true) // the journal has the order
	default:
		w.InOrder = func(c pool.Chunk) error {
			return r.printUntil(ctx, c.Total().(command.Partial).Output)
		}
	}
	if x.keepGoing {
		w.OnFailed = func(_ ipc.Interval, err error) error {
			if errors.Is(err, command.ErrChanged) {
				return err
			}
			r.progress.note("%s; the other chunks go on", text.OneLine(err.Error()))
			return nil
		}
	}
	return w
}

// printUntil prints an output. It returns early when the run must end, because a write to
// a pipe that is not read would block.
func (r *runCommand) printUntil(ctx context.Context, output []byte) error {
	if len(output) == 0 {
		return nil
	}
	written := make(chan error, 1)
	go func() {
		_, err := r.Stdout.Write(output)
		written <- err
	}()
	if !r.until.IsZero() {
		var cancel context.CancelFunc
		ctx, cancel = context.WithDeadline(ctx, r.until)
		defer cancel()
	}
	select {
	case err := <-written:
		return writing("the outputs", err)
	case <-r.signals.stop:
		return pool.ErrStopped
	case <-ctx.Done():
		if ctx.Err() == context.DeadlineExceeded {
			return pool.ErrDeadline
		}
		return ctx.Err()
	}
}

// printOutput prints an output that a journal has kept.
func (p *program) printOutput(_ ipc.Interval, partial []byte) error {
	var kept command.Partial
	if err := ipc.DecodeValue(partial, &kept); err != nil {
		return err
	}
	_, err := p.Stdout.Write(kept.Output)
	return writing("the outputs", err)
}

// check returns an error if the result is no number, or if the file of --lines has changed
// during the run.
func (x *execution) check(value any) error {
	if x == nil {
		return nil
	}
	if x.lines != nil {
		if err := x.lines.Unchanged(); err != nil {
			return err
		}
	}
	if p, ok := value.(command.Partial); ok {
		return p.Check()
	}
	return nil
}

// hint returns a command line that runs the failed chunk by hand.
func (x *execution) hint(err error) string {
	var failed *pool.TaskError
	if x == nil || !errors.As(err, &failed) {
		return ""
	}
	const longest = 1000
	line := x.line(failed.Input.Interval, x.call(ipc.Grid{}, failed.Input.Interval))
	if len(line) > longest {
		return ""
	}
	return "run that chunk by hand: " + line
}

// line returns the command line of a chunk, quoted for a shell.
func (x *execution) line(iv ipc.Interval, c *command.Call) string {
	line := text.ShellQuote(c.For(iv, "{worker}")...)
	if strings.Contains(line, "PROCPOOL_") {
		line = strings.Join(c.Environment(iv, "0"), " ") + " " + line
	}
	if c.Lines == nil {
		return line
	}
	return fmt.Sprintf("sed -n '%d,%dp' %s | %s", iv.Start+1, iv.End, text.ShellQuote(c.Lines.Path), line)
}

// shownLines is how many command lines a dry run prints.
const shownLines = 10

// runExec computes and reports, or prints command lines with --dry-run.
func (r *runCommand) runExec(c *cli.Context) error {
	x := r.exec
	if !x.dryRun || r.err != nil {
		return r.run(c)
	}
	var b strings.Builder
	n := 0
	for iv := range r.parts() {
		b.WriteString(x.line(iv, x.call(r.grid, iv)) + "\n")
		if n++; n == shownLines {
			break
		}
	}
	if more := r.chunks - shownLines; more > 0 {
		r.note("%d more command lines are not shown", more)
	}
	return r.print("the command lines", b.String())
}
