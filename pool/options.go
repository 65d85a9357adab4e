package pool

import (
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"procpool/ipc"
	"procpool/parent"
	"procpool/placement"
)

// A Backend says where tasks run. The zero value means Processes.
type Backend string

// The backends. The same task, cut the same way, gives the same result on each.
const (
	Processes  Backend = "processes"  // worker processes, which share nothing
	Goroutines Backend = "goroutines" // goroutines of this process
	Threads    Backend = "threads"    // goroutines of this process, each on an OS thread of its own
	Serial     Backend = "serial"     // the goroutine that asks for the results
)

// The defaults that the zero Options stand for.
const (
	DefaultRetries        = 2
	DefaultHeartbeat      = 30 * time.Second
	DefaultStartupTimeout = 60 * time.Second
	DefaultGrace          = 5 * time.Second
	DefaultCancelGrace    = time.Second
	DefaultOutage         = 10 * time.Second       // of workers that are started without a launcher
	DefaultLaunchedOutage = 5 * time.Minute        // of workers behind a launcher
	DefaultMaxMessage     = 256 << 20              // bytes
	minMessage            = 4 << 10                // bytes: a hello must fit
	minHeartbeat          = 100 * time.Millisecond // a worker in a tight loop gets to say that it lives every 20 ms or so
	MaxProcs              = placement.MaxProcs     // workers of a pool: more need more descriptors and memory than systems give one parent
)

// Options of a pool. The zero value is valid: as many worker processes as
// this process may use CPUs, and the defaults above.
type Options struct {
	Procs   int     // workers; 0 = as many as CPUs may be used, 1 for Serial
	Backend Backend // where tasks run

	// ChunkSize is how many indices of a sum travel together; 0 cuts one
	// interval for each worker. It is rounded up to a multiple of the task's grain.
	ChunkSize int64

	Retries        int           // how often a chunk is run again after its worker died or it timed out; 0 = DefaultRetries; below 0 no input is ever sent twice, see [Retries]
	Timeout        time.Duration // of a chunk, from its sending or the reply before it; 0 = none
	Heartbeat      time.Duration // silence after which a worker is lost; 0 = DefaultHeartbeat, below 0 = never
	StartupTimeout time.Duration // from a worker's start to its hello; 0 = DefaultStartupTimeout
	CancelGrace    time.Duration // for a task to heed its cancelled context, before its worker is killed; 0 = DefaultCancelGrace
	Outage         time.Duration // without any worker until calls fail; 0 = DefaultOutage, or DefaultLaunchedOutage, and less if there never was a worker
	Grace          time.Duration // for chunks in flight after a stop, and for workers to end; 0 = DefaultGrace

	MaxChunksPerChild int   // chunks after which a worker is replaced; 0 = never
	MaxRSS            int64 // resident set in bytes above which a worker is replaced between chunks; 0 = never. Linux only
	MaxMessage        int64 // bytes of a message in either direction, 4 KiB to 2 GiB - 1; 0 = DefaultMaxMessage

	GOMAXPROCS int      // of each worker process; 0 = 1
	GOMEMLIMIT int64    // of each worker process: a soft limit of its Go memory in bytes; 0 = this process's, if the environment sets one, divided by Procs
	Env        []string // further environment of worker processes, "key=value"; the last of a key counts, and goes before the two above. Some launchers (ssh) carry none

	// EndsOwn is for tasks that start processes. By default the kernel kills the workers
	// at once when this process is killed, and what their tasks started lives on. With
	// EndsOwn, workers notice within a second and end what their tasks started before
	// they end themselves. Linux only: other systems kill no worker.
	EndsOwn bool

	Dir string // the working directory of worker processes; "" = this process's

	// IdleTimeout ends a worker that has had nothing to do for this long, if more than
	// MinProcs workers are left. The pool starts it again when there is work. 0 = never.
	IdleTimeout time.Duration
	MinProcs    int // see IdleTimeout

	// Launcher is the command line of a program that starts a worker and
	// carries its streams: a wrapper such as "nice" or "taskset -c {cpu}", or a way
	// to another machine such as "srun -Q -n1 -N1 --exact" or "ssh -T {host} {cmd}".
	// It is split into words as a shell does, without one. In a word {rank} is
	// the worker's index, {n} their number, {host} one of Hosts in turn, {cpu} its CPUs
	// as a list (of Bind, or else of this process's CPUs dealt out one by one),
	// {exe} the path of this program, and {cmd} its whole command line as one
	// string quoted for a shell. As words of their own {argv} is that command line and
	// {args} the same without the program; if none of these three occurs, {argv} is last. Empty: no launcher.
	// Workers must be the same build as this program, but see Worker. Procs 0 then means what Limits says.
	Launcher string
	Hosts    []string // for {host}; they belong to the pool

	// Worker is the command line of another program to start as workers, such as
	// {"python3", "worker.py"}. It must speak the wire; docs/wire.md says how to write
	// one. The pool names a task in each request and does not run its Go functions; the
	// worker's task must have the same version. PROCPOOL_WORKER in its environment is the
	// worker's index. The heartbeat watches only workers that send beats; behind a
	// launcher all must. The launcher's {exe}, {args}, {argv} and {cmd} then stand for
	// this command line. Nil means this program.
	Worker []string

	// Bind binds worker i to the CPUs Bind[i%len(Bind)]: its process, before the runtime
	// starts, or in the threads backend its thread. An empty set binds nothing.
	// placement.NewBinding returns such sets. Linux only.
	Bind []placement.CPUSet

	// Stderr receives each line that workers write to their standard error, cut at 1 MiB,
	// with a tag in front that names the worker. Nil means os.Stderr, with LimitLines.
	// The pool never writes two lines at once. A write that blocks also blocks workers
	// that write; Close does not wait for it.
	Stderr io.Writer
	// LimitLines passes on at most 64 KiB a second of each worker's standard error, and
	// of a crash its first line and its last ten.
	LimitLines bool
	// LogLine, if not nil, receives each line in place of Stderr, without its newline and
	// without a tag. It must not keep the slice. Several workers may call it at once. It
	// must return: a panic ends the program.
	LogLine func(worker int, line []byte)

	// Trace makes workers report when they began each chunk and what their garbage
	// collector did; see Event.Began and WorkerStats.GC.
	Trace bool

	// OnEvent receives the pool's events. The pool calls it on its own goroutines, one
	// call at a time. It must not block for long, must not call the pool, and must
	// return: a panic ends the program. The events of one worker come in order; those of
	// several may not, and some come after the call that they belong to has returned.
	// Close waits for all of them. Nil drops them.
	OnEvent func(Event)
	// EventKinds are the kinds of event that OnEvent receives; nil means all. An event
	// for each chunk costs about as much as the chunk's dispatch.
	EventKinds []EventKind

	outageNamed bool // Outage was not 0
}

// host is the host that worker i is to run on; "" if its launcher is given none.
func (o Options) host(i int) string {
	if len(o.Hosts) == 0 {
		return ""
	}
	return o.Hosts[i%len(o.Hosts)]
}

// An OptionsError says which of the Options make no sense, or cannot be had on this
// system.
type OptionsError struct {
	Reason string
	Advice string // what to do about it; may be empty
}

func (e *OptionsError) Error() string { return e.Reason }

// Hint is the Advice.
func (e *OptionsError) Hint() string { return e.Advice }

func refuse(format string, args ...any) error {
	return &OptionsError{Reason: fmt.Sprintf(format, args...)}
}

// withDefaults fills in what is 0 and checks the rest.
func (o Options) withDefaults() (Options, error) {
	switch o.Backend {
	case "":
		o.Backend = Processes
	case Processes, Goroutines, Threads, Serial:
	default:
		return o, refuse("unknown backend %q: it is processes, goroutines, threads or serial", o.Backend)
	}
	if o.Procs == 0 {
		limits, err := o.Limits()
		if err != nil {
			return o, err
		}
		o.Procs = limits.Procs
	}
	if o.Procs < 0 || o.Procs > MaxProcs {
		return o, refuse("%d workers: there can be 1 to %d", o.Procs, MaxProcs)
	}
	o.Retries = max(orDefault(o.Retries, DefaultRetries), -1)
	o.CancelGrace = orDefault(o.CancelGrace, DefaultCancelGrace)
	if o.outageNamed = o.Outage > 0; !o.outageNamed && o.Launcher == "" {
		o.Outage = DefaultOutage
	} else if !o.outageNamed {
		o.Outage = DefaultLaunchedOutage
	}
	o.Heartbeat = max(orDefault(o.Heartbeat, DefaultHeartbeat), 0)
	o.StartupTimeout = orDefault(o.StartupTimeout, DefaultStartupTimeout)
	o.Grace = orDefault(o.Grace, DefaultGrace)
	o.MaxMessage = orDefault(o.MaxMessage, DefaultMaxMessage)
	o.GOMAXPROCS = orDefault(o.GOMAXPROCS, 1)
	if o.Stderr == nil {
		o.Stderr, o.LimitLines = os.Stderr, o.LimitLines || o.LogLine == nil
	}
	if o.Timeout < 0 || o.StartupTimeout < 0 || o.Grace < 0 || o.CancelGrace < 0 || o.Outage < 0 || o.IdleTimeout < 0 || o.MinProcs < 0 || o.MaxChunksPerChild < 0 || o.MaxRSS < 0 || o.ChunkSize < 0 || o.GOMAXPROCS < 0 || o.GOMEMLIMIT < 0 {
		return o, refuse("negative option: only Retries and Heartbeat may be below 0")
	}
	if o.Heartbeat > 0 && o.Heartbeat < minHeartbeat {
		return o, &OptionsError{Reason: fmt.Sprintf("a heartbeat of %v is too short: healthy workers would be taken for lost", o.Heartbeat),
			Advice: fmt.Sprintf("the shortest is %v", minHeartbeat)}
	}
	if o.MaxMessage < minMessage || o.MaxMessage > ipc.MaxLimit {
		return o, refuse("MaxMessage of %d bytes: it can be %d to %d", o.MaxMessage, minMessage, ipc.MaxLimit)
	}
	if o.Backend != Processes {
		return o, o.onlyProcesses()
	}
	return o, o.checkWorker()
}

// onlyProcesses reports an option that needs a process to be honoured.
func (o Options) onlyProcesses() error {
	switch {
	case o.Timeout > 0:
		return refuse("backend %s cannot keep a timeout: a goroutine cannot be killed", o.Backend)
	case o.MaxRSS > 0 || o.MaxChunksPerChild > 0:
		return refuse("backend %s has no worker processes that could be replaced", o.Backend)
	case o.GOMEMLIMIT > 0 || len(o.Env) > 0 || o.Dir != "":
		return refuse("backend %s has no worker processes with a memory limit, an environment or a directory of their own", o.Backend)
	case o.IdleTimeout > 0:
		return refuse("backend %s has no worker processes that could be ended while they are idle", o.Backend)
	case o.Worker != nil:
		return refuse("backend %s runs tasks in this process, not in a worker of another program", o.Backend)
	case o.Launcher != "":
		return refuse("backend %s launches nothing: a launcher is for worker processes", o.Backend)
	case len(o.Bind) > 0 && o.Backend != Threads:
		return refuse("backend %s cannot be bound to CPUs: a goroutine has none", o.Backend)
	}
	return nil
}

// checkWorker reports a worker that cannot be run here. Where a launcher leads to,
// nobody knows.
func (o Options) checkWorker() error {
	switch {
	case o.Worker == nil:
		return nil
	case len(o.Worker) == 0:
		return refuse("the command line of the workers is empty")
	case o.Launcher != "":
		return nil
	}
	if _, err := parent.FindProgram(o.Worker[0], o.Dir); err != nil {
		return refuse("the workers' program cannot be run: %v", err)
	}
	return nil
}

func orDefault[T int | int64 | time.Duration](v, otherwise T) T {
	if v == 0 {
		return otherwise
	}
	return v
}

// workerEnv is the environment of worker processes.
func (o Options) workerEnv() []string {
	return parent.WorkerEnv{Workers: o.Procs, Bound: len(o.Bind) > 0, GOMAXPROCS: o.GOMAXPROCS, GOMEMLIMIT: o.GOMEMLIMIT, Extra: o.Env}.Of(os.Environ())
}

// launcher makes the launcher of workers that get env; nil if there is none.
func (o Options) launcher(env []string) (*parent.Launcher, error) {
	refuse := func(reason, advice string) error {
		return &OptionsError{Reason: fmt.Sprintf("launcher %q: %s", o.Launcher, reason), Advice: advice}
	}
	switch {
	case o.Launcher == "":
		return nil, nil
	case o.Heartbeat == 0:
		return nil, refuse("heartbeats cannot be off: without them a worker that a launcher has lost would be waited for, and would live, for ever", "choose a longer one instead")
	case o.MaxRSS > 0:
		return nil, refuse("the resident set of a worker behind it cannot be seen from here", "limit memory by the launcher: prlimit --data=SIZE, srun --mem=SIZE")
	}
	l, err := parent.NewLauncher(parent.LauncherConfig{Text: o.Launcher, Workers: o.Procs, Hosts: o.Hosts, Bind: o.Bind, Width: o.GOMAXPROCS, Env: env, Program: o.Worker})
	var unusable *parent.LauncherError
	if errors.As(err, &unusable) {
		return nil, refuse(unusable.Reason, unusable.Advice)
	}
	return l, err
}
