package cli

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"procpool/compare"
	"procpool/internal/command"
	"procpool/ipc"
	"procpool/parent"
	"procpool/pool"
	"procpool/task"
)

// The categories of flags.
const (
	categoryWhat   = "what to compute"
	categoryWhere  = "where"
	categoryMethod = "how precisely"
	categoryLimits = "when something goes wrong"
	categoryBatch  = "for batch jobs"
	categoryOutput = "output"
)

// categories are in the order of help texts.
var categories = [...]string{categoryWhat, categoryWhere, categoryMethod, categoryLimits, categoryBatch, categoryOutput}

// A workload is the computation that the flags of run or intervals describe.
type workload struct {
	task      string // its name; "" if the user must name it
	spec      *task.Spec
	whole     ipc.Interval
	procs     int // 0 = auto
	chunkSize int64
	rounded   string // says that the chunk size was changed, or ""
}

func (p *program) workloadFlags(w *workload) []cli.Flag {
	tasks := newValue(&w.task, defaultTask(), asIs)
	tasks.offers = taskNames
	return []cli.Flag{
		&cli.GenericFlag{Category: categoryWhat, Name: "task", Aliases: []string{"t"}, Value: tasks, Usage: "compute task `NAME`; '" + p.Name + " tasks' lists them"},
		&cli.GenericFlag{Category: categoryWhat, Name: "start", Value: number(&w.whole.Start, "0", 0, ipc.MaxIndex), Usage: "compute over [`S`, INTERVALS)"},
		&cli.GenericFlag{Category: categoryWhat, Name: "chunk-size", Value: number(&w.chunkSize, "", 1, ipc.MaxIndex), Usage: "cut the input into chunks of `K` indices, handed out as workers become free; without it, one interval a worker"},
		procsFlag(newValue(&w.procs, "auto", readProcs).offering("auto"), "use `N` workers; auto: one for each CPU that may be used, or 1 for serial"),
		quietFlag(p),
	}
}

func quietFlag(p *program) cli.Flag {
	return &cli.BoolFlag{Category: categoryOutput, Name: "quiet", Aliases: []string{"q"}, Destination: &p.quiet, Usage: "print no notes and no progress on stderr, only errors"}
}

// procsFlag also accepts the names that other programs use. Help shows only -n.
func procsFlag(v cli.Generic, usage string) cli.Flag {
	return &cli.GenericFlag{Category: categoryWhere, Name: "procs", Aliases: []string{"n", "jobs", "j", "cpus", "threads", "workers"}, Value: v, Usage: usage}
}

// launcherFlags start workers by another program.
func launcherFlags(o *pool.Options) []cli.Flag {
	return []cli.Flag{
		&cli.StringFlag{Category: categoryWhere, Name: "launcher", Destination: &o.Launcher, Usage: "start each worker by `'CMD ARGS'`, such as 'taskset -c {cpu}', 'srun -Q -n1 -N1 --exact' or 'ssh -T {host} {cmd}'; " +
			"{rank} {n} {host} {cpu} {exe} {cmd} stand in words, {argv} and {args} alone"},
		&cli.GenericFlag{Category: categoryWhere, Name: "hosts", Value: list(&o.Hosts, "", asIs), Usage: "replace {host} by each host of `LIST` in turn, such as a,b"},
		&cli.GenericFlag{Category: categoryLimits, Name: "startup-timeout", Value: duration(&o.StartupTimeout, "60s"), Usage: "replace a worker that does not say hello within `D`"},
	}
}

func asIs(text string) (string, error) { return text, nil }

// bindFlag takes any text but the empty one: an unset "$LIST" in a script must not run
// unbound.
func bindFlag(to *string, usage string) cli.Flag {
	v := newValue(to, "none", func(text string) (string, error) {
		if text == "" {
			return "", usageHint("--bind is empty", "use none, close, spread or a list such as 0-3,8 or 0-1/2-3")
		}
		return text, nil
	})
	return &cli.GenericFlag{Category: categoryWhere, Name: "bind", Value: v.offering("none", "close", "spread"), Usage: usage}
}

func workerFlag(to *[]string, usage string) cli.Flag {
	return &cli.GenericFlag{Category: categoryWhere, Name: "worker", Value: newValue(to, "", parent.SplitWords), Usage: usage}
}

func gomaxprocsFlag(to *int) cli.Flag {
	return &cli.GenericFlag{Category: categoryWhere, Name: "gomaxprocs", Value: number(to, "1", 1, 1<<16), Usage: "set GOMAXPROCS of each worker process to `K`"}
}

func jsonFlag(to *bool, usage string) cli.Flag {
	return &cli.BoolFlag{Category: categoryOutput, Name: "json", Destination: to, Usage: usage}
}

func (r *runCommand) flags() []cli.Flag {
	o := &r.options
	return slices.Concat(r.workloadFlags(&r.workload), []cli.Flag{
		&cli.GenericFlag{Category: categoryWhere, Name: "backend", Aliases: []string{"b"}, Value: newValue(&o.Backend, "processes", readBackend).offering(backendNames...), Usage: "run tasks on `BACKEND`: processes, goroutines or serial"},
		workerFlag(&o.Worker, "start `'CMD ARGS'` as workers, such as 'python3 worker.py': any program that speaks the protocol of package procpool/ipc; --task names one of its tasks"),
		bindFlag(&r.bind, "bind workers to CPUs by `HOW`: none, close, spread, or taskset's lists with / between workers (0-1/2-3)"),
		&cli.BoolFlag{Category: categoryWhere, Name: "report-bindings", Destination: &r.reportBindings, Usage: "print the CPUs that each worker is bound to"},
		gomaxprocsFlag(&o.GOMAXPROCS),
	}, launcherFlags(o), []cli.Flag{
		&cli.GenericFlag{Category: categoryLimits, Name: "retries", Value: number(&o.Retries, "2", 0, 1<<30), Usage: "run a chunk again up to `R` times after its worker died or it took too long, then fail"},
		&cli.GenericFlag{Category: categoryLimits, Name: "timeout", Value: duration(&o.Timeout, ""), Usage: "kill a worker whose chunk takes longer than `D`, and run the chunk again"},
		&cli.GenericFlag{Category: categoryLimits, Name: "heartbeat", Value: newValue(&o.Heartbeat, "30s", readHeartbeat).offering("off"), Usage: "replace a worker that is silent for longer than `D`; \"off\" disables"},
		&cli.GenericFlag{Category: categoryLimits, Name: "outage", Value: duration(&o.Outage, ""), Usage: "end the run after `D` without any worker: 10s, or 5m with --launcher; until then, starts that failed are repeated"},
		&cli.GenericFlag{Category: categoryLimits, Name: "max-chunks-per-child", Value: number(&o.MaxChunksPerChild, "", 1, 1<<62), Usage: "replace a worker after `M` chunks"},
		&cli.GenericFlag{Category: categoryLimits, Name: "max-rss", Value: newValue(&o.MaxRSS, "", parseSize), Usage: "replace a worker between chunks when its resident set is over `SIZE`, such as 512M"},

		&cli.PathFlag{Category: categoryBatch, Name: "journal", Destination: &r.journalPath, Usage: "record finished chunks in `FILE`, so that the run can be resumed; an existing file is never overwritten"},
		&cli.BoolFlag{Category: categoryBatch, Name: "resume", Destination: &r.resume, Usage: "continue the journal, or begin it if there is none"},
	}, r.shareFlags(), []cli.Flag{
		&cli.GenericFlag{Category: categoryBatch, Name: "deadline", Value: newValue(&r.until, "", r.readDeadline).offering("auto"), Usage: "end the run after `D`, or auto: before the Slurm job ends; what is finished is reported, and kept with --journal"},
		&cli.GenericFlag{Category: categoryBatch, Name: "grace", Value: duration(&o.Grace, "5s"), Usage: "let chunks in flight finish for at most `D` after a first signal"},

		jsonFlag(&r.json, "print one JSON object, also when the run fails"),
		&cli.PathFlag{Category: categoryOutput, Name: "trace", Destination: &r.tracePath, Usage: "write a timeline of the run to `FILE`, for Perfetto or chrome://tracing, or - for stdout; it keeps every chunk in memory"},
		progressFlag(&r.showProgress),
		&cli.BoolFlag{Category: categoryOutput, Name: "verbose", Aliases: []string{"v"}, Destination: &r.verbose, Usage: "print on stderr what each worker did and used, and show crashes whole"},
	})
}

// processFlags work only with worker processes.
var processFlags = []string{"bind", "report-bindings", "gomaxprocs", "retries", "timeout", "heartbeat", "startup-timeout", "outage", "max-chunks-per-child", "max-rss", "launcher", "hosts", "worker"}

// backendCan refuses flags that do not work with the backend.
func backendCan(c *cli.Context, backend pool.Backend) error {
	for _, name := range processFlags {
		if backend != pool.Processes && c.IsSet(name) {
			return usageHint(fmt.Sprintf("--%s does not work with --backend %s", name, backend), "only a process can be killed, replaced or bound to CPUs: leave out --backend")
		}
	}
	return nil
}

// launcherGiven refuses an empty --launcher, and --hosts without --launcher.
func launcherGiven(c *cli.Context, o pool.Options) error {
	switch {
	case o.Launcher != "":
		return nil
	case c.IsSet("launcher"):
		return usageHint("--launcher is empty", "for example --launcher nice")
	case c.IsSet("hosts"):
		return usageHint("--hosts needs --launcher", "for example --launcher 'ssh -T {host} {cmd}'")
	}
	return nil
}

// readWorkload reads the operand, finds the task, and checks flags that depend on each
// other.
func (p *program) readWorkload(c *cli.Context, w *workload) (err error) {
	if err := p.readOperand(c, w); err != nil {
		return err
	}
	if w.task == "" {
		return usageHint("--task is missing", "the tasks are "+strings.Join(ownTasks(), ", "))
	}
	if w.spec, err = findTask(w.task); err != nil {
		return err
	}
	return w.fit()
}

// readOperand reads INTERVALS.
func (p *program) readOperand(c *cli.Context, w *workload) (err error) {
	args := c.Args().Slice()
	switch {
	case len(args) == 0:
		return usageHint(c.Command.Name+" needs one argument: INTERVALS, the end of the interval to compute", p.taskHint(c))
	case len(args) > 1:
		return usageHint(fmt.Sprintf("%s takes one argument, but there are %d: %s", c.Command.Name, len(args), strings.Join(args, " ")), p.taskHint(c))
	}
	if w.whole.End, err = parseIndex(args[0]); err != nil {
		refused := &failure{code: exitUsage, err: fmt.Errorf("INTERVALS is %q: %w", args[0], err)}
		if _, is := task.Lookup(args[0]); is {
			refused.hint = p.taskHint(c)
		}
		return refused
	}
	if w.whole.Start > w.whole.End {
		return usage("--start %d is beyond the end, %d", w.whole.Start, w.whole.End)
	}
	return nil
}

// fit checks the bounds and cuts of the interval against the task's grain.
func (w *workload) fit() error {
	if over := w.whole.Start % w.spec.Grain; over != 0 {
		return usageHint(fmt.Sprintf("--start %d is not a multiple of the grain of %s, %d", w.whole.Start, w.spec.Name, w.spec.Grain),
			fmt.Sprintf("the nearest are %d and %d", w.whole.Start-over, w.whole.Start-over+w.spec.Grain))
	}
	if rounded := w.spec.RoundUp(w.chunkSize); w.chunkSize > 0 && rounded != w.chunkSize {
		if rounded-w.chunkSize > w.chunkSize/100 { // less does not matter to anybody
			w.rounded = fmt.Sprintf("--chunk-size %d is rounded up to %d, a multiple of the grain of %s, %d", w.chunkSize, rounded, w.spec.Name, w.spec.Grain)
		}
		w.chunkSize = rounded
	}
	return nil
}

// taskHint returns an example of the command line, with --task if a task's name was given
// as an argument.
func (p *program) taskHint(c *cli.Context) string {
	args := c.Args().Slice()
	i := slices.IndexFunc(args, func(arg string) bool { return slices.Contains(taskNames(), arg) })
	if i < 0 {
		return fmt.Sprintf("%s %s 100000000", p.Name, c.Command.Name)
	}
	end := "100000000"
	if len(args) > 1 {
		end = args[(i+1)%len(args)]
	}
	return fmt.Sprintf("did you mean '%s %s --task %s %s'?", p.Name, c.Command.Name, args[i], end)
}

// taskNames returns the tasks that a command line can name: those over intervals.
func taskNames() []string {
	return slices.DeleteFunc(task.Names(), func(name string) bool {
		spec, _ := task.Lookup(name)
		return !spec.Sums() || name == command.Name
	})
}

// ownTasks returns the tasks that the program defines itself, without package compare's.
func ownTasks() []string {
	return slices.DeleteFunc(taskNames(), func(name string) bool { return name == compare.Null })
}

// defaultTask returns the task of a command line without --task: pi if it exists, or else
// the only one. If there are several it returns "", and --task is required.
func defaultTask() string {
	names := ownTasks()
	switch {
	case slices.Contains(names, "pi"):
		return "pi"
	case len(names) == 1:
		return names[0]
	}
	return ""
}

func findTask(name string) (*task.Spec, error) {
	spec, ok := task.Lookup(name)
	if !ok || !spec.Sums() || name == command.Name {
		known := taskNames()
		return nil, usageHint(fmt.Sprintf("unknown task %q", name), didYouMean(name, known, "the tasks are "+strings.Join(known, ", ")))
	}
	return spec, nil
}

func readProcs(text string) (int, error) {
	if text == "auto" {
		return 0, nil
	}
	if !strings.ContainsAny(text, "0123456789") {
		return 0, errors.New("it must be a whole number, or auto")
	}
	n, err := parseCount(text, 1, ipc.MaxIndex)
	if n > pool.MaxProcs {
		err = fmt.Errorf("it can be at most %d, which is what one parent can serve; use --share to divide the work over machines", pool.MaxProcs)
	}
	return int(n), err
}

var backendNames = []string{string(pool.Processes), string(pool.Goroutines), string(pool.Serial)}

func readBackend(text string) (pool.Backend, error) {
	if !slices.Contains(backendNames, text) {
		return "", usageHint(fmt.Sprintf("unknown backend %q", text), didYouMean(text, backendNames, "the backends are "+strings.Join(backendNames, ", ")))
	}
	return pool.Backend(text), nil
}

func readHeartbeat(text string) (time.Duration, error) {
	if text == "off" {
		return -1, nil
	}
	d, err := parseDuration(text)
	if err != nil {
		return 0, usageHint(fmt.Sprintf("--heartbeat is %q: %v", text, err), "--heartbeat off never replaces a silent worker")
	}
	return d, nil
}

// takesNothing refuses operands.
func takesNothing(c *cli.Context) error {
	if c.NArg() > 0 {
		return usage("%s takes no arguments, but there is %q", c.Command.Name, c.Args().First())
	}
	return nil
}
