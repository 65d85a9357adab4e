package cli

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"procpool/ipc"
	"procpool/pool"
	"procpool/task"
)

// The groups of flags.
const (
	groupWhat   = "what to compute"
	groupWhere  = "where"
	groupMethod = "how precisely"
	groupLimits = "when something goes wrong"
	groupBatch  = "for batch jobs"
	groupOutput = "output"
)

// groups are in the order of help texts.
var groups = [...]string{groupWhat, groupWhere, groupMethod, groupLimits, groupBatch, groupOutput}

func jobFlags() []flag {
	return []flag{
		text(groupWhat, "task", "t", "pi", "`NAME` of the task; 'procpool tasks' lists them").from(taskNames),
		text(groupWhat, "start", "", "0", "compute over [`S`, INTERVALS)"),
		text(groupWhat, "chunk-size", "", "", "cut every `K` indices and hand the chunks out as workers get free; without it one interval a worker"),
		text(groupWhere, "procs", "n", "auto", "`N` workers, or auto: as many as CPUs may be used here, and 1 for serial").oneOf("auto"),
	}
}

// processFlags are those that only worker processes can honour.
var processFlags = []string{"bind", "report-bindings", "gomaxprocs", "retries", "timeout", "heartbeat", "startup-timeout", "max-chunks-per-child", "max-rss", "launcher", "hosts"}

func runFlags() []flag {
	return append(jobFlags(),
		text(groupWhere, "backend", "b", "processes", "`WHERE` tasks run: processes, goroutines or serial").oneOf(backendNames...),
		text(groupWhere, "bind", "", "none", "bind workers to CPUs as `HOW` says: none, close, spread, or lists as of taskset with / between workers (0-1/2-3)").oneOf("none", "close", "spread"),
		toggle(groupWhere, "report-bindings", "", "say on stderr to which CPUs each worker is bound"),
		text(groupWhere, "gomaxprocs", "", "1", "set GOMAXPROCS of each worker process to `K`"),
		launcherFlag(), hostsFlag(),
		text(groupLimits, "retries", "", "2", "try a chunk `R` times more after it cost a worker its life or took too long, then fail"),
		text(groupLimits, "timeout", "", "", "kill a worker whose chunk takes longer than `D`, and try the chunk again"),
		text(groupLimits, "heartbeat", "", "30s", "give a worker up that is silent for longer than `D`, or off: never"),
		text(groupLimits, "startup-timeout", "", "60s", "give a worker up that does not say hello within `D`"),
		text(groupLimits, "max-chunks-per-child", "", "", "replace a worker after `M` chunks"),
		text(groupLimits, "max-rss", "", "", "replace a worker between chunks when its resident set is over `SIZE`, such as 512M"),
		file(groupBatch, "journal", "record finished chunks in `FILE`, so that the run can be resumed; an existing file is never overwritten"),
		toggle(groupBatch, "resume", "", "continue the journal, or begin it if there is none"),
		text(groupBatch, "share", "", "", "compute only share `K/N`, K from 1 to N, or auto: from a Slurm array or an indexed job").oneOf("auto"),
		text(groupBatch, "deadline", "", "", "end the run after `D`, or auto: before the Slurm job ends; what is finished is reported, and kept with --journal").oneOf("auto"),
		text(groupBatch, "grace", "", "5s", "after a first signal, let chunks in hand finish for at most `D`"),
		toggle(groupOutput, "json", "", "print one JSON object, also when the run fails"),
		file(groupOutput, "trace", "write a timeline of the run to `FILE`, for Perfetto or chrome://tracing; it keeps every chunk in memory"),
		progressFlag(),
		toggle(groupOutput, "verbose", "v", "account for every worker on stderr, and show crashes whole"),
	)
}

// A job is what the flags of run and intervals ask for.
type job struct {
	spec      *task.Spec
	whole     ipc.Interval
	procs     int // 0 = auto
	chunkSize int64
	note      string // what was changed of what was asked for
}

// readJob reads the argument and the flags that say what to compute.
func readJob(c *call) (job, error) {
	var j job
	args := c.args
	switch {
	case len(args) == 0:
		return j, usageHint(c.command.name+" needs one argument: INTERVALS, the end of the interval to compute", "procpool "+c.command.name+" 100000000")
	case len(args) > 1:
		return j, usageHint(fmt.Sprintf("%s takes one argument, but there are %d: %s", c.command.name, len(args), strings.Join(args, " ")), "procpool "+c.command.name+" 100000000")
	}
	var err error
	if j.whole.End, err = parseIndex("INTERVALS", args[0]); err != nil {
		return j, err
	}
	if j.whole.Start, err = parseIndex("--start", c.String("start")); err != nil {
		return j, err
	}
	if j.spec, err = findTask(c.String("task")); err != nil {
		return j, err
	}
	if j.whole.Start > j.whole.End {
		return j, usage("--start %d is beyond the end, %d", j.whole.Start, j.whole.End)
	}
	if over := j.whole.Start % j.spec.Grain; over != 0 {
		return j, usageHint(fmt.Sprintf("--start %d is not a multiple of the grain of %s, %d", j.whole.Start, j.spec.Name, j.spec.Grain),
			fmt.Sprintf("the nearest are %d and %d", j.whole.Start-over, j.whole.Start-over+j.spec.Grain))
	}
	if j.procs, err = readProcs(c); err != nil {
		return j, err
	}
	return j, j.readChunkSize(c)
}

func (j *job) readChunkSize(c *call) (err error) {
	text := c.String("chunk-size")
	if text == "" && !c.IsSet("chunk-size") {
		return nil
	}
	if j.chunkSize, err = parseCount("--chunk-size", text, 1, ipc.MaxIndex, ""); err != nil {
		return err
	}
	if rounded := j.spec.RoundUp(j.chunkSize); rounded != j.chunkSize {
		j.note = fmt.Sprintf("--chunk-size %d is rounded up to %d, a multiple of the grain of %s, %d", j.chunkSize, rounded, j.spec.Name, j.spec.Grain)
		j.chunkSize = rounded
	}
	return nil
}

func readProcs(c *call) (int, error) {
	text := c.String("procs")
	if text == "auto" {
		return 0, nil
	}
	if text == "" || !strings.ContainsAny(text, "0123456789") {
		return 0, usage("--procs is %q: it must be a whole number, or auto", text)
	}
	n, err := parseCount("--procs", text, 1, pool.MaxProcs, ": one parent has neither the descriptors nor the memory for more; use --share for more machines")
	return int(n), err
}

// taskNames are the tasks that a command line can ask for: those over intervals.
func taskNames() []string {
	return slices.DeleteFunc(task.Names(), func(name string) bool {
		spec, _ := task.Lookup(name)
		return !spec.Sums()
	})
}

func findTask(name string) (*task.Spec, error) {
	spec, ok := task.Lookup(name)
	if !ok || !spec.Sums() {
		known := taskNames()
		return nil, usageHint(fmt.Sprintf("unknown task %q", name), didYouMean(name, known, "the tasks are "+strings.Join(known, ", ")))
	}
	return spec, nil
}

// readOptions reads the flags that say how to compute.
func readOptions(c *call, j job) (pool.Options, error) {
	o := pool.Options{Procs: j.procs, ChunkSize: j.chunkSize, MaxMessage: ipc.DefaultLimit, Verbose: c.Bool("verbose")}
	var err error
	if o.Backend, err = readBackend(c); err != nil {
		return o, err
	}
	counts := []struct {
		flag        string
		least, most int64
		to          *int
	}{{"gomaxprocs", 1, 1 << 16, &o.GOMAXPROCS}, {"retries", 0, 1 << 30, &o.Retries}, {"max-chunks-per-child", 1, 1 << 62, &o.MaxChunksPerChild}}
	for _, f := range counts {
		if c.String(f.flag) == "" && !c.IsSet(f.flag) {
			continue
		}
		v, err := parseCount("--"+f.flag, c.String(f.flag), f.least, f.most, "")
		if err != nil {
			return o, err
		}
		*f.to = int(v)
	}
	if o.Retries == 0 {
		o.Retries = -1 // none
	}
	times := []struct {
		flag string
		to   *time.Duration
	}{{"timeout", &o.Timeout}, {"startup-timeout", &o.StartupTimeout}, {"grace", &o.Grace}, {"heartbeat", &o.Heartbeat}}
	for _, f := range times {
		if c.String(f.flag) == "" && !c.IsSet(f.flag) {
			continue
		}
		if f.flag == "heartbeat" && c.String(f.flag) == "off" {
			*f.to = -1
			continue
		}
		if *f.to, err = parseDuration("--"+f.flag, c.String(f.flag)); err != nil && f.flag == "heartbeat" {
			return o, usageHint(err.Error(), "--heartbeat off never gives a silent worker up")
		} else if err != nil {
			return o, err
		}
	}
	if c.IsSet("max-rss") {
		if o.MaxRSS, err = parseSize("--max-rss", c.String("max-rss")); err != nil {
			return o, err
		}
	}
	return o, readLauncher(c, &o)
}

var backendNames = []string{string(pool.Processes), string(pool.Goroutines), string(pool.Serial)}

// readBackend also refuses flags that the backend cannot honour.
func readBackend(c *call) (pool.Backend, error) {
	backend := pool.Backend(c.String("backend"))
	switch backend {
	case pool.Processes:
		return backend, nil
	case pool.Goroutines, pool.Serial:
	default:
		return "", usageHint(fmt.Sprintf("unknown backend %q", backend), didYouMean(string(backend), backendNames, "the backends are "+strings.Join(backendNames, ", ")))
	}
	for _, name := range processFlags {
		if c.IsSet(name) {
			return "", usageHint(fmt.Sprintf("--%s cannot be kept by the %s backend", name, backend), "only a process can be killed, replaced or bound to CPUs: leave out --backend")
		}
	}
	return backend, nil
}
