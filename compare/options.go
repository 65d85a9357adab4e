package compare

import (
	"fmt"
	"math"
	"slices"
	"time"

	"procpool/ipc"
	"procpool/placement"
	"procpool/pool"
	"procpool/task"
)

// A Subject names what is compared. Runners know tasks by name.
type Subject struct {
	Name  string
	Grain int64 // chunks start at multiples of it; 0 means 1
	Start int64 // first index
	Size  int64 // indices; 0: calibrated on the serial backend
}

// SubjectOf is the experiment's view of a task over intervals.
func SubjectOf(s *task.Spec) Subject { return Subject{Name: s.Name, Grain: s.Grain} }

// Experiment say what to compare and how precisely. The zero value is the standard
// experiment: the six standard tasks, serial, goroutines and processes, worker
// counts 1, 2, 4, ... up to the CPUs, in at most five minutes.
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

// The defaults that have no place in a type.
const (
	DefaultTarget    = 200 * time.Millisecond
	DefaultMaxTime   = 5 * time.Minute
	DefaultMaxRounds = 100

	// smallestTarget bounds how far a budget may shrink the sizes: below it, the
	// start of a process and the noise of a clock are most of what is measured.
	smallestTarget = 5 * time.Millisecond
)

// StandardTasks names the tasks of the standard experiment, which a program must
// define to run it.
func StandardTasks() []string {
	return []string{"pi", "primes", "alloc", "table", "pagefault", "counter"}
}

// Null is the name of the task that does nothing: its times are the floor.
const Null = "null"

func (o Experiment) withDefaults() Experiment {
	if len(o.Tasks) == 0 {
		for _, name := range StandardTasks() {
			o.Tasks = append(o.Tasks, Subject{Name: name})
		}
	}
	if len(o.Backends) == 0 {
		o.Backends = []pool.Backend{pool.Serial, pool.Goroutines, pool.Processes}
	}
	if o.CPUs == 0 {
		o.CPUs = availableCPUs()
	}
	if len(o.Workers) == 0 {
		for n := 1; n < o.CPUs; n *= 2 {
			o.Workers = append(o.Workers, n)
		}
		o.Workers = append(o.Workers, o.CPUs)
	}
	o.Workers = slices.Compact(slices.Sorted(slices.Values(o.Workers)))
	o.Chunks = orElse(o.Chunks, max(64, 8*slices.Max(o.Workers)))
	o.Target = orElse(o.Target, DefaultTarget)
	o.MaxTime = orElse(o.MaxTime, DefaultMaxTime)
	o.Confidence = orElse(o.Confidence, 0.95)
	o.Precision = orElse(o.Precision, 0.02)
	o.Margin = orElse(o.Margin, 0.02)
	if o.Environment == nil {
		o.Environment = Environment()
	}
	if o.now == nil {
		o.now = time.Now
	}
	o.Seed = orElse(o.Seed, uint64(o.now().UnixNano()))
	return o
}

// availableCPUs is what the affinity mask, quotas and job managers leave.
func availableCPUs() int {
	l, _ := placement.System{}.Limits() // a bad variable is left out
	return max(l.Procs, 1)
}

func orElse[T comparable](v, standard T) T {
	var zero T
	if v == zero {
		return standard
	}
	return v
}

// check reports the first option that makes no sense; o has its defaults.
func (o Experiment) check() error {
	seen := map[string]bool{}
	for _, t := range o.Tasks {
		switch {
		case t.Name == "":
			return fmt.Errorf("a task has no name")
		case t.Name == Null && len(o.Tasks) == 1:
			return fmt.Errorf("the task null always runs, as the floor: name a task to compare")
		case seen[t.Name]:
			return fmt.Errorf("task %q is named twice", t.Name)
		case t.Grain < 0 || t.Start < 0 || t.Size < 0 || t.Start > ipc.MaxIndex || t.Size > ipc.MaxIndex-t.Start:
			return fmt.Errorf("task %q: start %d, size %d and grain %d do not make an input within [0, 2^62)", t.Name, t.Start, t.Size, t.Grain)
		}
		seen[t.Name] = true
	}
	for _, b := range o.Backends {
		if !slices.Contains(backends(), b) {
			return fmt.Errorf("unknown backend %q: want serial, goroutines, threads or processes", b)
		}
	}
	switch {
	case o.Workers[0] < 1:
		return fmt.Errorf("%d workers: a worker count is at least 1", o.Workers[0])
	case o.CPUs < 1 || o.Chunks < 1 || o.MinRounds < 0 || o.MaxRounds < 0:
		return fmt.Errorf("CPUs, chunks and rounds cannot be negative")
	case o.Target < smallestTarget:
		return fmt.Errorf("a target of %v serial time is below %v, where starting workers is most of what is measured", o.Target, smallestTarget)
	case o.MaxTime < 0:
		return fmt.Errorf("a budget of %v is negative", o.MaxTime)
	case !(o.Confidence > 0.5 && o.Confidence < 1):
		return fmt.Errorf("confidence %g: want a number between 0.5 and 1, such as 0.95", o.Confidence)
	case !(o.Precision > 0 && !math.IsInf(o.Precision, 0)):
		return fmt.Errorf("precision %g: want a number above 0, such as 0.02", o.Precision)
	case !(o.Margin > 0 && o.Margin < 1):
		return fmt.Errorf("margin %g: want a number between 0 and 1, such as 0.02", o.Margin)
	}
	return nil
}

// backends lists all backends in the order in which they are shown.
func backends() []pool.Backend {
	return []pool.Backend{pool.Serial, pool.Goroutines, pool.Threads, pool.Processes}
}

// rank is the place of b among them: how separated its workers are.
func rank(b pool.Backend) int { return slices.Index(backends(), b) }

// A PlanError says that the options cannot be honoured; nothing was measured
// beyond what the plan needed.
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
