package compare

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"time"

	"procpool/ipc"
	"procpool/placement"
	"procpool/pool"
	"procpool/task"
)

// A Subject is a task and the input on which its cells run it. Runners know tasks
// by name.
type Subject struct {
	Name  string
	Grain int64 // chunks start at multiples of it; 0 means 1
	Start int64 // first index
	Size  int64 // indices; 0: calibrated on the serial backend
}

// SubjectOf is the subject for a task over intervals.
func SubjectOf(s *task.Spec) Subject { return Subject{Name: s.Name, Grain: s.Grain} }

// An Experiment says what to compare and how precisely. The zero value is the
// standard experiment: the six standard tasks, serial, goroutines and processes,
// worker counts 1, 2, 4, ... up to the CPUs, in at most five minutes.
type Experiment struct {
	Tasks    []Subject      // none: pi, primes, alloc, table, pagefault, counter; null always runs as well, as the floor
	Backends []pool.Backend // none: serial, goroutines, processes; serial always runs
	Workers  []int          // worker counts; none: powers of two up to CPUs, and CPUs
	CPUs     int            // that may be used; 0: as many as a pool would have workers here
	Why      bool           // also run the ablations, at the largest worker count

	Chunks     int           // of each task, about; 0: 64, or 8 for each worker of the largest count if that is more
	Target     time.Duration // serial time that calibration aims at; 0: 200 ms
	MaxTime    time.Duration // budget of the whole experiment; 0: 5 min
	MinRounds  int           // raised to what the number of comparisons demands
	MaxRounds  int           // 0: 100, or the fewest rounds if these are more
	Confidence float64       // joint, for all comparisons; 0: 0.95
	Precision  float64       // relative half-width of a ratio's interval at which a task is done; 0: 0.02
	Margin     float64       // relative difference that counts as none; 0: 0.02
	Seed       uint64        // of the order; 0: taken from the time, and stored in the plan

	PlanOnly bool // stop before the first round: calibrate, warm up, and return the plan

	Environment []Fact // stored as given; none: see [Environment]

	now func() time.Time // tests have a clock of their own
}

// smallestTarget bounds how far a budget may shrink the sizes: below it, the
// start of a process and the noise of a clock are most of what is measured.
const smallestTarget = 5 * time.Millisecond

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

// rank is the place of b in Backends.
func rank(b pool.Backend) int { return slices.Index(Backends(), b) }

func checkBackend(b pool.Backend) error {
	if rank(b) < 0 {
		return fmt.Errorf("unknown backend %q: want serial, goroutines, threads or processes", b)
	}
	return nil
}

func (x Experiment) withDefaults() Experiment {
	if len(x.Tasks) == 0 {
		for _, name := range StandardTasks() {
			x.Tasks = append(x.Tasks, Subject{Name: name})
		}
	}
	if len(x.Backends) == 0 {
		x.Backends = []pool.Backend{pool.Serial, pool.Goroutines, pool.Processes}
	}
	if x.CPUs == 0 {
		limits, _ := placement.System{}.Limits() // a bad variable is left out
		x.CPUs = max(limits.Procs, 1)
	}
	if len(x.Workers) == 0 {
		for n := 1; n < x.CPUs; n *= 2 {
			x.Workers = append(x.Workers, n)
		}
		x.Workers = append(x.Workers, x.CPUs)
	}
	x.Workers = slices.Compact(slices.Sorted(slices.Values(x.Workers)))
	x.Chunks = cmp.Or(x.Chunks, max(64, 8*slices.Max(x.Workers)))
	x.Target = cmp.Or(x.Target, 200*time.Millisecond)
	x.MaxTime = cmp.Or(x.MaxTime, 5*time.Minute)
	x.Confidence = cmp.Or(x.Confidence, 0.95)
	x.Precision = cmp.Or(x.Precision, 0.02)
	x.Margin = cmp.Or(x.Margin, 0.02)
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
		case t.Name == Null && len(x.Tasks) == 1:
			return fmt.Errorf("the task null always runs, as the floor: name a task to compare")
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
	case x.Workers[0] < 1:
		return fmt.Errorf("%d workers: a worker count is at least 1", x.Workers[0])
	case x.CPUs < 1 || x.Chunks < 1 || x.MinRounds < 0 || x.MaxRounds < 0:
		return fmt.Errorf("CPUs, chunks and rounds cannot be negative")
	case x.Target < smallestTarget:
		return fmt.Errorf("a target of %v serial time is below %v, where starting workers is most of what is measured", x.Target, smallestTarget)
	case x.MaxTime < 0:
		return fmt.Errorf("a budget of %v is negative", x.MaxTime)
	case !(x.Confidence > 0.5 && x.Confidence < 1):
		return fmt.Errorf("confidence %g: want a number between 0.5 and 1, such as 0.95", x.Confidence)
	case !(x.Precision > 0 && !math.IsInf(x.Precision, 0)):
		return fmt.Errorf("precision %g: want a number above 0, such as 0.02", x.Precision)
	case !(x.Margin > 0 && x.Margin < 1):
		return fmt.Errorf("margin %g: want a number between 0 and 1, such as 0.02", x.Margin)
	}
	return nil
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
