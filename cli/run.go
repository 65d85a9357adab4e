package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"procpool/ipc"
	"procpool/parent"
	"procpool/placement"
	"procpool/pool"
)

func runCommand() *command {
	return &command{
		name:        "run",
		summary:     "compute a task over an interval and print the result",
		args:        "INTERVALS",
		description: `Computes the task over [0, INTERVALS) in worker processes, adds up their partial results in order, and prints the sum. Numbers are exact: 100000000, 100_000_000 and 1e8 are the same. Times are such as 500ms, 90s or 1h30m; without a unit they are seconds.`,
		example:     `procpool run --procs 4 100000000`,
		flags:       runFlags,
		do:          run,
	}
}

// A running is one run on its way from flags to output.
type running struct {
	*env
	job     job
	options pool.Options
	grid    ipc.Grid
	limits  placement.Limits
	plan    *bindings
	journal *keeper // nil without --journal
	trace   *tracer // nil without --trace
	until   time.Time
	json    bool
	verbose bool

	begin   time.Time
	outcome pool.Outcome
	value   any
	err     error
	stats   []pool.WorkerStats
	parent  time.Duration // CPU time of this process

	before, after *placement.Throttling // of this process's control group, for -v and --json

	signals  *watch
	signal   os.Signal // that asked for the end
	notes    []chunkNote
	progress *progress
	untraced error // why there is no trace; the result is as good without
	unable   int   // workers that a launcher did not start
}

func run(c *call, e *env) error {
	r, err := prepare(c, e)
	if err != nil {
		return err
	}
	if err := r.compute(context.Background()); err != nil {
		return err
	}
	return r.report()
}

// prepare reads every flag before anything is started.
func prepare(c *call, e *env) (*running, error) {
	r := &running{env: e, begin: time.Now(), json: c.Bool("json"), verbose: c.Bool("verbose")}
	var err error
	if r.job, err = readJob(c); err != nil {
		return nil, err
	}
	if r.options, err = readOptions(c, r.job); err != nil {
		return nil, err
	}
	if r.options.Backend == pool.Processes {
		if err := enoughFiles(); err != nil {
			return nil, err
		}
	}
	if r.until, err = readDeadline(c, r.begin); err != nil {
		return nil, err
	}
	if r.progress, err = readProgress(c, e); err != nil {
		return nil, err
	}
	if err := r.readLimits(); err != nil {
		return nil, err
	}
	if r.plan, err = readBindings(c, r.options); err != nil {
		return nil, err
	}
	r.options.Bind = r.plan.cpus()
	r.grid = r.options.Grid(r.job.spec, r.job.whole)
	if r.trace, err = readTrace(c); err != nil {
		return nil, err
	}
	if err := r.readJournal(c); err != nil {
		return nil, err
	}
	for _, note := range []string{r.job.note, parent.LauncherNote(r.options.Launcher)} {
		if note != "" {
			fmt.Fprintln(e.stderr, "procpool:", note)
		}
	}
	return r, nil
}

// readLimits settles the number of workers. What else would have limited it
// is looked up only if somebody will see it.
func (r *running) readLimits() (err error) {
	if r.options.Procs > 0 && !r.json && !r.verbose {
		return nil
	}
	r.limits, err = r.options.Limits()
	r.options.Procs = r.limits.Procs
	return err
}

// compute has the job done. Its own error means that nothing was computed; how
// the run ended is in r.
func (r *running) compute(ctx context.Context) error {
	signals := newWatch(ctx)
	defer signals.release()
	r.signals = signals
	r.options.OnEvent, r.options.Trace = r.event, r.trace != nil
	if r.trace == nil {
		r.options.EventKinds = []pool.EventKind{pool.WorkerLost, pool.ChunkRetried, pool.WorkerGivenUp}
	}
	r.options.Stderr = r.progress.guard(r.stderr)
	if r.json || r.verbose {
		r.before = placement.System{}.Throttling()
	}
	p, err := pool.New(signals.ctx, r.options)
	if err != nil {
		r.journal.close()
		return badInput(err)
	}
	signals.listen()
	r.plan.report(r.stderr)
	r.progress.ending = signals.stop
	r.progress.start(r.grid.N)
	r.outcome, r.err = p.Run(signals.ctx, pool.Workload{
		Task: r.job.spec, Whole: r.grid.Whole, Grid: r.grid,
		Stop: signals.stop, Deadline: r.until, Done: r.journal.done(), OnChunk: r.onChunk(),
	})
	r.outcome.Wall = time.Since(r.begin)
	p.Close()
	r.stats = p.Stats()
	r.parent = cpuTime()
	if r.before != nil {
		r.after = placement.System{}.Throttling()
	}
	r.signal = signals.first()
	r.progress.end()
	r.value = r.outcome.Value
	if err := r.journal.finish(r); r.err == nil {
		r.err = err
	}
	r.untraced = r.trace.write(r)
	return nil
}

// throttledSeconds is how long the CPU quota held the control group up during
// the run, summed over CPUs; nil if unknown.
func (r *running) throttledSeconds() *float64 {
	if r.before == nil || r.after == nil || r.before.Path != r.after.Path {
		return nil
	}
	seconds := r.after.Seconds - r.before.Seconds
	return &seconds
}

// A chunkNote is what -v says of a chunk.
type chunkNote struct {
	seq      int64
	interval ipc.Interval
	value    any
	worker   int
	pid      int
	seconds  float64
}

// notedChunks is how many chunks -v shows one by one.
const notedChunks = 64

func (r *running) onChunk() func(pool.Chunk) error {
	noted := r.verbose && r.grid.N <= notedChunks
	if !noted && r.journal == nil && !r.progress.shown() {
		return nil
	}
	return func(c pool.Chunk) error {
		r.progress.chunk()
		if noted {
			r.notes = append(r.notes, chunkNote{c.Seq, c.Interval, c.Value(), c.Worker, c.PID, c.Seconds})
		}
		return r.journal.append(c)
	}
}

// event says what a user should know while the run goes on.
func (r *running) event(ev pool.Event) {
	r.trace.event(ev)
	switch ev.Kind {
	case pool.WorkerLost:
		if r.signals.explains(ev.Err) || r.notLaunched(ev.Err) {
			return // there will be one message for it all, or there was one
		}
		r.progress.lost()
		r.progress.say("procpool: %s; its work goes to another", oneLine(ev.Err.Error()))
	case pool.ChunkRetried:
		var timeout *pool.TimeoutError
		if errors.As(ev.Err, &timeout) {
			r.progress.say("procpool: %s; it is tried again", oneLine(ev.Err.Error()))
		}
	case pool.WorkerGivenUp:
		r.progress.say("procpool: the place of worker %d stays empty: %s", ev.Worker, oneLine(ev.Err.Error()))
	}
}

// failure is the run's error as the command's: with the exit code that it
// stands for and a word on how far it came.
func (r *running) failure() error {
	if r.err == nil {
		return nil
	}
	f := &failure{code: exitFailed, err: r.err, hint: cmp.Or(shortageHint(r.err), r.journal.hint())}
	if f.hint == "" && r.options.Launcher != "" {
		f.hint = launcherHint(r.err)
	}
	switch {
	case r.signal != nil && r.outcome.Status != pool.Failed:
		f.code = exitSignal + signalNumber(r.signal)
		f.err = fmt.Errorf("ended by %s: %s", signalName(r.signal), r.soFar())
	case r.outcome.Status == pool.Deadline:
		f.code = exitDeadline
		f.err = fmt.Errorf("%w: %s", r.err, r.soFar())
		if r.journal == nil {
			f.hint = "with --journal FILE --resume the same command goes on with the chunks that are not done; --chunk-size makes them small"
		}
	case r.grid.N > 1:
		f.err = fmt.Errorf("%w (%s)", r.err, r.soFar())
	}
	return f
}

func (r *running) soFar() string {
	return fmt.Sprintf("%d of %d chunks are done", r.outcome.Chunks, r.grid.N)
}

// readDeadline reads --deadline as a moment; zero means none.
func readDeadline(c *call, begin time.Time) (time.Time, error) {
	switch text := c.String("deadline"); {
	case !c.IsSet("deadline"):
		return time.Time{}, nil
	case text == "auto":
		return slurmEnd()
	default:
		d, err := parseDuration("--deadline", text)
		return begin.Add(d), err
	}
}
