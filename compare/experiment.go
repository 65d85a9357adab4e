package compare

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"procpool/compare/rank"
	"procpool/ipc"
	"procpool/placement"
	"procpool/pool"
	"procpool/task"
)

// A Subject is a task and the input on which its cells run it. Runners know tasks
// by name.
type Subject struct {
	Name    string
	Grain   int64 // chunks start at multiples of it; 0 means 1
	Start   int64 // first index
	Size    int64 // indices, or inputs; 0: calibrated on the serial backend
	Cause   Cause
	Singles bool // each index is an input of its own, as [Inputs] has it
}

// SubjectOf is the subject for a task over intervals, or for one that [Inputs] knows.
func SubjectOf(s *task.Spec) Subject {
	return Subject{Name: s.Name, Grain: s.Grain, Cause: Cause{s.Shared, s.Repeated}, Singles: !s.Sums()}
}

// An Experiment says what to compare. The zero value is the standard experiment: the
// six standard tasks, goroutines against processes, as many workers as there are CPUs, in
// at most a minute.
type Experiment struct {
	Tasks     []Subject      // none: pi, primes, alloc, table, pagefault, counter
	Backends  []pool.Backend // none: goroutines, processes. With one of them alone, it is compared with serial
	Workers   []int          // worker counts; none: as many as CPUs
	CPUs      int            // that may be used; 0: as many as a pool would have workers here
	Warm      bool           // the workers have done the same work once before the clock starts
	Why       bool           // take the difference apart, at the largest worker count: also run threads
	SelfCheck bool           // compare goroutines with themselves instead

	Chunks     int           // of each task, about; 0: 64, or 8 for each worker of the largest count if that is more
	Target     time.Duration // serial time of a run; 0: 50 ms, or 25 ms for each worker if that is more
	MaxTime    time.Duration // budget of the whole experiment; 0: 1 min
	MaxPairs   int           // 0: 500, which is also the most
	Confidence float64       // joint, for all verdicts; 0: 0.95
	Margin     float64       // relative difference that counts as none; 0: 0.05
	Seed       uint64        // of the order; 0: taken from the time, and stored in the plan

	PlanOnly bool // stop before the first round: calibrate, warm up, and return the plan

	Environment []Fact // stored as given; none: see [Environment]

	now func() time.Time // tests have a clock of their own
}

const (
	standardTarget = 50 * time.Millisecond
	workerTarget   = 25 * time.Millisecond

	serialRounds = 8  // rounds that also run the serial cell of a task
	whyRounds    = 16 // and threads, to explain the difference
	serialShare  = 0.2
)

// StandardTasks names the tasks of the standard experiment, which a program must
// define to run it.
func StandardTasks() []string {
	return []string{"pi", "primes", "alloc", "table", "pagefault", "counter"}
}

// Backends lists all backends in the order in which reports show them, from the
// least to the most separated.
func Backends() []pool.Backend {
	return []pool.Backend{pool.Serial, pool.Goroutines, pool.Threads, pool.Processes}
}

// rankOf returns the place of b in Backends, or -1.
func rankOf(b pool.Backend) int { return slices.Index(Backends(), b) }

func checkBackend(b pool.Backend) error {
	if rankOf(b) < 0 {
		return fmt.Errorf("unknown backend %q: want serial, goroutines, threads or processes", b)
	}
	return nil
}

func (x Experiment) withDefaults() Experiment {
	if len(x.Tasks) == 0 {
		for _, name := range StandardTasks() {
			subject := Subject{Name: name}
			if spec, ok := task.Lookup(name); ok {
				subject = SubjectOf(spec)
			}
			x.Tasks = append(x.Tasks, subject)
		}
	}
	if len(x.Backends) == 0 {
		x.Backends = []pool.Backend{pool.Goroutines, pool.Processes}
	}
	if x.SelfCheck {
		x.Backends = []pool.Backend{pool.Goroutines}
	}
	if x.CPUs == 0 {
		limits, _ := placement.System{}.Limits() // a bad variable is left out
		x.CPUs = max(limits.Procs, 1)
	}
	if len(x.Workers) == 0 {
		x.Workers = []int{x.CPUs}
	}
	x.Workers = slices.Compact(slices.Sorted(slices.Values(x.Workers)))
	most := max(slices.Max(x.Workers), 1)
	x.Chunks = cmp.Or(x.Chunks, max(64, 8*most))
	x.Target = cmp.Or(x.Target, max(standardTarget, time.Duration(most)*workerTarget))
	x.MaxTime = cmp.Or(x.MaxTime, time.Minute)
	x.MaxPairs = cmp.Or(x.MaxPairs, rank.MaxPairs)
	x.Confidence = cmp.Or(x.Confidence, 0.95)
	x.Margin = cmp.Or(x.Margin, 0.05)
	if x.Environment == nil {
		x.Environment = Environment()
	}
	if x.now == nil {
		x.now = time.Now
	}
	x.Seed = cmp.Or(x.Seed, uint64(x.now().UnixNano()))
	return x
}

// check reports the first setting that makes no sense; x has its defaults.
func (x Experiment) check() error {
	seen := map[string]bool{}
	for _, t := range x.Tasks {
		switch {
		case t.Name == "":
			return fmt.Errorf("a task has no name")
		case t.Name == Null:
			return fmt.Errorf("the task null computes nothing that could be compared: name another task")
		case seen[t.Name]:
			return fmt.Errorf("task %q is named twice", t.Name)
		case t.Grain < 0 || t.Start < 0 || t.Size < 0 || t.Start > ipc.MaxIndex || t.Size > ipc.MaxIndex-t.Start:
			return fmt.Errorf("task %q: start %d, size %d and grain %d do not make an input within [0, 2^62)", t.Name, t.Start, t.Size, t.Grain)
		}
		seen[t.Name] = true
	}
	for _, b := range x.Backends {
		if err := checkBackend(b); err != nil {
			return err
		}
	}
	switch {
	case len(x.parallel()) == 0:
		return fmt.Errorf("nothing to compare serial with: name goroutines, threads or processes")
	case x.Workers[0] < 1 || x.Workers[len(x.Workers)-1] > pool.MaxProcs:
		return fmt.Errorf("worker counts from %d to %d: want 1 to %d", x.Workers[0], x.Workers[len(x.Workers)-1], pool.MaxProcs)
	case x.CPUs < 1 || x.Chunks < 1 || x.MaxPairs < 1 || x.MaxPairs > rank.MaxPairs:
		return fmt.Errorf("%d CPUs, %d chunks, %d pairs: each must be at least 1, and there are at most %d pairs", x.CPUs, x.Chunks, x.MaxPairs, rank.MaxPairs)
	case x.Target < time.Millisecond:
		return fmt.Errorf("a target of %v of serial work is below 1ms, where the noise of a clock is most of what is measured", x.Target)
	case x.MaxTime < 0:
		return fmt.Errorf("a budget of %v is negative", x.MaxTime)
	}
	return checkRule(x.Confidence, x.Margin)
}

// checkRule returns an error if no verdict can have this confidence and margin.
func checkRule(confidence, margin float64) error {
	switch {
	case !(confidence > 0.5 && confidence < 1):
		return fmt.Errorf("confidence %g: want a number between 0.5 and 1, such as 0.95", confidence)
	case !(margin > 0 && margin < 1):
		return fmt.Errorf("margin %g: want a number between 0 and 1, such as 0.05", margin)
	}
	return nil
}

// parallel lists the backends but serial, in the order in which they are shown.
func (x Experiment) parallel() []pool.Backend {
	return slices.DeleteFunc(Backends(), func(b pool.Backend) bool { return b == pool.Serial || !slices.Contains(x.Backends, b) })
}

// A PlanError says why an experiment cannot run. Do has measured nothing beyond
// what the plan needed.
type PlanError struct {
	Plan   Plan // as far as it was made
	Reason string
	Hint   string // what to change; may be empty
}

func (e *PlanError) Error() string { return e.Reason }

// A DifferError says that two cells of one task computed different values.
type DifferError struct {
	A, B           Cell
	ValueA, ValueB Value
}

func (e *DifferError) Error() string {
	return fmt.Sprintf("results differ: %v gives %s (bits %s), %v gives %s (bits %s)",
		e.A, e.ValueA.Text, e.ValueA.Bits, e.B, e.ValueB.Text, e.ValueB.Bits)
}
