package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/urfave/cli/v2"

	"procpool/internal/command"
	"procpool/internal/proctree"
	"procpool/internal/text"
	"procpool/ipc"
	"procpool/parent"
	"procpool/placement"
	"procpool/pool"
)

// A runCommand is one run, from its flags to its output.
type runCommand struct {
	*program
	workload
	options pool.Options
	pool    *pool.Pool // nil before compute, but with --worker
	unmet   *unmet     // nil without --worker
	grid    ipc.Grid
	limits  placement.Limits
	plan    *bindings
	exec    *execution   // nil but for the command exec
	journal *journalSink // nil without --journal
	trace   *tracer      // nil without --trace
	until   time.Time    // zero without --deadline
	dealtShare

	bind, journalPath, tracePath, showProgress string
	reportBindings, resume, json, verbose      bool

	begin   time.Time
	outcome pool.Outcome
	value   any
	err     error
	stats   []pool.WorkerStats
	parent  time.Duration // CPU time of this process

	before, after *placement.Throttling // of this process's control group, for -v and --json

	signal   os.Signal // that asked for the end
	during   string    // what the run was doing when it ended before computing
	here     *here     // nil unless tasks run in this process
	notes    []chunkNote
	progress *progress
	untraced error // why the trace was not written; the result is valid nevertheless
}

func (p *program) newRun() *runCommand {
	r := &runCommand{program: p, begin: time.Now()}
	r.options.MaxMessage = ipc.DefaultLimit
	return r
}

func (p *program) runCommand() *cli.Command {
	r := p.newRun()
	return &cli.Command{
		Name: "run", ArgsUsage: "INTERVALS",
		Usage: "compute a task over an interval and print the result",
		Description: "Computes the task over [0, INTERVALS) in worker processes, adds up their partial results in order, and prints the sum. " +
			"Numbers are exact: 100000000, 100_000_000 and 1e8 are the same. Times are such as 500ms, 90s or 1h30m; without a unit they are seconds.",
		UsageText: p.Name + " run --procs 4 100000000",
		Flags:     r.flags(), Before: r.prepare, Action: r.run,
	}
}

// prepare checks all arguments before anything is started.
func (r *runCommand) prepare(c *cli.Context) error {
	read := r.readWorkload
	if r.options.Worker != nil {
		read = r.readForeign
	}
	if err := read(c, &r.workload); err != nil {
		return err
	}
	return r.settle(c)
}

// settle checks all but the operands.
func (r *runCommand) settle(c *cli.Context) (err error) {
	if r.quiet && r.verbose {
		return usage("--quiet and --verbose cannot be used together")
	}
	o := &r.options
	o.Procs, o.ChunkSize, o.LimitLines = r.procs, r.chunkSize, !r.verbose
	if err := backendCan(c, o.Backend); err != nil {
		return err
	}
	if err := launcherGiven(c, *o); err != nil {
		return err
	}
	if o.Backend == pool.Processes {
		if err := enoughFiles(r.procs); err != nil {
			return err
		}
	}
	r.progress = r.newProgress(r.showProgress)
	if err := r.readLimits(); err != nil {
		return err
	}
	if r.journalPath != "" { // before there is one
		if err := enoughThreads(*o); err != nil {
			return err
		}
	}
	if r.plan, err = r.readBindings(); err != nil {
		return err
	}
	o.Bind = r.plan.cpus()
	if o.Backend != pool.Processes {
		r.here = &here{}
	}
	if r.trace, err = newTracer(c, r.tracePath); err != nil {
		return err
	}
	if o.Worker != nil {
		defer func() {
			if r.pool != nil && (err != nil || r.err != nil) {
				r.pool.Close()
			}
		}()
		if err := r.meet(c); err != nil || r.err != nil {
			return err
		}
	}
	if err := r.ended(r.cut(c)); err != nil || r.err != nil {
		return err
	}
	if err := r.ended(r.openJournal(c)); err != nil {
		return err
	}
	for _, note := range []string{r.rounded, r.restNote(), parent.LauncherNote(o.Launcher)} {
		if note != "" {
			r.note("%s", note)
		}
	}
	return nil
}

// run computes and reports.
func (r *runCommand) run(c *cli.Context) error {
	compute := r.compute
	if r.only != nil && r.chunks == 0 {
		compute = r.computeNothing
	}
	if r.err == nil {
		if err := compute(c.Context); err != nil {
			return err
		}
	}
	return r.report()
}

// bounded returns a context that ends when the run must: by a signal or at its
// deadline. It is for everything but computing.
func (r *runCommand) bounded(ctx context.Context) (context.Context, context.CancelFunc) {
	r.signals.cuts()
	if r.until.IsZero() {
		return ctx, func() {}
	}
	return context.WithDeadline(ctx, r.until)
}

// ended records in r that a signal or the deadline ended the run while it did not compute,
// and then returns nil. It returns any other error unchanged.
func (r *runCommand) ended(err error) error {
	switch signal := r.signals.first(); {
	case errors.Is(err, context.DeadlineExceeded):
		r.outcome.Status, r.err = pool.Deadline, pool.ErrDeadline
	case errors.Is(err, context.Canceled) && signal != nil:
		r.outcome.Status, r.err, r.signal = pool.Interrupted, err, signal
	default:
		return err
	}
	r.outcome.Wall = time.Since(r.begin)
	return nil
}

// readLimits sets the number of workers. If --procs gives it, the other limits are read
// only for -v and --json, which print them.
func (r *runCommand) readLimits() (err error) {
	if r.options.Procs > 0 && !r.json && !r.verbose {
		return nil
	}
	r.limits, err = r.options.Limits()
	r.options.Procs = r.limits.Procs
	return err
}

// open makes the pool. Options that the pool refuses are the user's mistake, exit code 2.
func (r *runCommand) open(ctx context.Context) (err error) {
	r.options.OnEvent, r.options.Trace = r.event, r.trace != nil
	if r.trace == nil {
		r.options.EventKinds = []pool.EventKind{pool.WorkerLost, pool.ChunkRetried, pool.WorkerGivenUp}
	}
	r.options.Stderr = r.progress.guard(r.Stderr)
	if !r.verbose {
		r.options.LogLine = r.progress.workerLine
	}
	if r.json || r.verbose {
		r.before = placement.System{}.Throttling()
	}
	if r.ownsStrays() {
		proctree.Adopt()
	}
	r.pool, err = pool.New(ctx, r.options)
	if err != nil {
		r.journal.close()
		var full *pool.ThreadsError
		if ctx.Err() != nil || errors.As(err, &full) {
			return err
		}
		return badInput(err)
	}
	return nil
}

// compute runs the workload and stores in r how it ended. It returns an error only if
// nothing was computed.
func (r *runCommand) compute(ctx context.Context) error {
	r.signals.drains()
	if r.pool == nil {
		if err := r.open(ctx); err != nil {
			return err
		}
	}
	p := r.pool
	r.plan.report(r.program, r.reportBindings)
	r.progress.ending = r.signals.stop
	r.progress.earlier = r.journal.finishedChunks()
	r.progress.start(r.chunks, r.options.Procs)
	w := pool.Workload{
		Task: r.spec, Whole: r.whole, Grid: r.grid, Only: r.only,
		Stop: r.signals.stop, Deadline: r.until, Earlier: r.journal.finishedEarlier(), OnChunk: r.onChunk(),
	}
	if r.options.Backend == pool.Processes {
		r.outcome, r.err = p.Run(ctx, r.exec.workload(r, ctx, w), pool.Retries(r.options.Retries), pool.RetryErrors(command.ErrExit))
		p.Close()
		r.endStrays()
	} else {
		r.outcome, r.err = r.runHere(ctx, p, w)
	}
	r.outcome.Wall = time.Since(r.begin)
	r.stats = p.Stats()
	r.parent = cpuTime()
	if r.before != nil {
		r.after = placement.System{}.Throttling()
	}
	r.signal = r.signals.first()
	r.progress.end()
	r.value = r.outcome.Value
	if r.err == nil {
		r.err = r.exec.check(r.value)
	}
	ctx, release := r.bounded(ctx)
	defer release()
	if err := r.ended(r.journal.finish(ctx, r)); r.err == nil {
		r.err = err
	}
	r.untraced = r.trace.write(r)
	return nil
}

// throttledSeconds returns how long the CPU quota stopped the control group during
// the run, summed over CPUs; nil if unknown.
func (r *runCommand) throttledSeconds() *float64 {
	if r.before == nil || r.after == nil || r.before.Path != r.after.Path {
		return nil
	}
	seconds := r.after.Seconds - r.before.Seconds
	return &seconds
}

// A chunkNote is a line that -v prints for a chunk.
type chunkNote struct {
	seq      int64
	interval ipc.Interval
	value    any
	worker   int
	pid      int
	seconds  float64
}

// notedChunks limits how many chunks -v shows one by one.
const notedChunks = 64

func (r *runCommand) onChunk() func(pool.Chunk) error {
	noted := r.verbose && r.chunks <= notedChunks
	if !noted && r.journal == nil && !r.progress.shown() {
		return nil
	}
	return func(c pool.Chunk) error {
		r.progress.chunk(c.Seconds)
		if noted {
			r.notes = append(r.notes, chunkNote{c.Seq, c.Interval, c.Value(), c.Worker, c.PID, c.Seconds})
		}
		return r.journal.append(c)
	}
}

// event prints a note when a worker is lost or a chunk is retried.
func (r *runCommand) event(ev pool.Event) {
	if !r.here.enter() {
		return
	}
	defer r.here.leave()
	r.trace.event(ev)
	switch ev.Kind {
	case pool.WorkerLost:
		r.endStrays()
		if r.signals.explains(ev.Err) || r.unmet.take(ev.Err) || r.notStarted(ev.Err) {
			return // one message covers it
		}
		r.progress.lost()
		r.progress.note("%s; its work goes to another", text.OneLine(ev.Err.Error()))
	case pool.ChunkRetried:
		var timeout *pool.TimeoutError
		var failed *pool.TaskError
		if errors.As(ev.Err, &timeout) || errors.As(ev.Err, &failed) {
			r.progress.note("%s; it is tried again", text.OneLine(ev.Err.Error()))
		}
	case pool.WorkerGivenUp:
		r.progress.note("worker %d does not start, and is tried again with pauses: %s", ev.Worker, text.OneLine(ev.Err.Error()))
	}
}

// failure returns the run's error with its exit code, a hint, and how many chunks are
// done.
func (r *runCommand) failure() error {
	if r.err == nil {
		return nil
	}
	f := &failure{code: exitFailed, err: r.err, hint: shortageHint(r.err)}
	if f.hint == "" {
		f.hint = r.exec.hint(r.err)
	}
	if f.hint == "" {
		f.hint = r.journal.hint(r.err, r.during == "")
	}
	if f.hint == "" && r.options.Launcher != "" {
		f.hint = launcherHint(r.err)
	}
	if f.hint == "" && r.options.Worker != nil && r.outcome.Status == pool.Failed {
		f.hint = fmt.Sprintf("'%s doctor --worker CMD' tells what is wrong with a worker", r.Name)
	}
	switch {
	case r.signal != nil && r.outcome.Status != pool.Failed:
		f.code = exitSignal + signalNumber(r.signal)
		f.err = fmt.Errorf("ended by %s: %s", signalName(r.signal), r.soFar())
	case r.outcome.Status == pool.Deadline:
		f.code = exitDeadline
		f.err = fmt.Errorf("%w: %s", r.err, r.soFar())
		if r.journal == nil {
			f.hint = "add --journal FILE --resume to keep finished chunks, and repeat the command to go on; smaller chunks (--chunk-size) lose less"
		}
	case r.chunks > 1:
		f.err = fmt.Errorf("%w (%s)", r.err, r.soFar())
	}
	return f
}

func (r *runCommand) soFar() string {
	if r.during != "" {
		return r.during
	}
	return fmt.Sprintf("%d of %d chunks are done", r.outcome.Chunks, r.chunks)
}

// readDeadline reads --deadline as a moment.
func (r *runCommand) readDeadline(text string) (time.Time, error) {
	if text == "auto" {
		return slurmEnd()
	}
	d, err := parseDuration(text)
	return r.begin.Add(d), err
}
