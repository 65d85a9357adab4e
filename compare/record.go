package compare

import (
	"time"

	"procpool/ipc"
	"procpool/pool"
)

// RecordVersion is the version of the schema of [Record]. A reader accepts no other.
const RecordVersion = 2

// A Record is one whole experiment: what was planned, and every run, raw. The results
// follow from these alone, see [Analyse].
type Record struct {
	Version     int         `json:"version"`
	Created     time.Time   `json:"created"`
	Seconds     float64     `json:"seconds"` // the whole experiment, calibration included
	Status      pool.Status `json:"status"`
	Environment []Fact      `json:"environment"`
	Plan        Plan        `json:"plan"`
	Runs        []Run       `json:"runs"`  // in the order in which they ran, warm-up excluded
	Notes       []string    `json:"notes"` // of what happened: cells left out, the experiment cut short
	Results     Results     `json:"results"`
}

// Differ is the status of an experiment in which two cells of a task computed
// different values.
const Differ pool.Status = "differ"

// A Fact is one line of the environment, in the order to be shown. A fact that
// could not be found out has the Value "n/a (reason)".
type Fact struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// Terms are the conditions that decide whether a comparison is fair. A runner
// leaves a field zero if it does not know it.
type Terms struct {
	ParentGOMAXPROCS int    `json:"parent_gomaxprocs,omitempty"`
	WorkerGOMAXPROCS int    `json:"worker_gomaxprocs,omitempty"` // of each child process; 0 where workers are not processes
	HeapBudget       string `json:"heap_budget,omitempty"`       // GOGC, GOMEMLIMIT, and how many heaps have them
	Mask             string `json:"mask,omitempty"`              // CPUs that may be used, as a list: 0-3,8
	Binding          string `json:"binding,omitempty"`           // "none" or what each worker is bound to
	Pool             string `json:"pool,omitempty"`              // "cold": starting the workers is timed; "warm": they worked before
}

// A Plan lists what [Do] runs. Do completes it before the first round.
type Plan struct {
	Seed       uint64     `json:"seed,string"`
	CPUs       int        `json:"cpus"`       // that may be used
	Confidence float64    `json:"confidence"` // joint, for all verdicts together
	Margin     float64    `json:"margin"`     // relative difference that counts as none
	Target     float64    `json:"target_seconds"`
	MaxSeconds float64    `json:"max_seconds"`
	Tasks      []TaskPlan `json:"tasks"`
	Cells      []Cell     `json:"cells"` // rows, runs and results refer to a cell by its index here
	Rows       []Row      `json:"rows"`
}

// A Row is one comparison: of the times of two cells of a task. They run in pairs, one
// directly after the other; a coin decides each time which of them goes first.
type Row struct {
	A int `json:"a"`
	B int `json:"b"`
}

// A TaskPlan is the frozen size of one task.
type TaskPlan struct {
	Name          string  `json:"name"`
	Start         int64   `json:"start"`
	Size          int64   `json:"size"`           // indices, or inputs
	ChunkSize     int64   `json:"chunk_size"`     // indices, a multiple of the task's grain
	SerialSeconds float64 `json:"serial_seconds"` // as calibrated, without starting
	Cause         Cause   `json:"cause,omitzero"`
}

// A Cause says in a few words why a task would be slower on one side. It is shown only
// where CPU times bear it out.
type Cause struct {
	Shared   string `json:"shared,omitempty"`   // what goroutines compete for: "one cache line for all threads"
	Repeated string `json:"repeated,omitempty"` // what each process does again: "each process builds its own table"
}

// A Run is one complete measured run of a cell.
type Run struct {
	Cell  int     `json:"cell"`  // index in Plan.Cells; set by Do
	Row   int     `json:"row"`   // index in Plan.Rows, or -1 for a run outside all rows; set by Do
	Round int     `json:"round"` // from 0; set by Do
	Start float64 `json:"start"` // seconds since the experiment began; set by Do

	Wall    float64     `json:"wall_seconds"` // from the call to the folded value
	Value   Value       `json:"value"`
	Parent  WorkerRun   `json:"parent"`  // the process that hands out and folds; Index is -1
	Workers []WorkerRun `json:"workers"` // one a worker slot; empty for Serial
	Terms   Terms       `json:"terms"`   // as observed by this run
	Lost    int         `json:"lost,omitempty"`
}

// A Value is the result of a run. Two values are the same when their Bits are.
type Value struct {
	Text string `json:"text"` // as it prints; floats with the digits that read back to the same bits
	Bits string `json:"bits"` // its exact encoding in hexadecimal
}

// A WorkerRun is what one worker, or the parent, did and used in one run.
type WorkerRun struct {
	Index int    `json:"index"`
	PID   int    `json:"pid,omitempty"`
	CPUs  string `json:"cpus,omitempty"` // where it may run, as a list; empty when unknown
	Resources

	// Phases add up its time by innermost span. Spans of one worker are disjoint or
	// nested, and lie within [0, Wall]; a record does not keep them.
	Phases []PhaseTime `json:"phases,omitempty"`
	Spans  []Span      `json:"-"`
}

// Seconds is the time of one phase.
func (w WorkerRun) Seconds(p Phase) Maybe[float64] {
	for _, t := range w.Phases {
		if t.Phase == p {
			return Known(t.Seconds)
		}
	}
	return Maybe[float64]{}
}

// Resources are what the operating system and the runtime counted for one worker
// during one run, or medians of that. A goroutine has no counters of its own: the
// parent's include it.
type Resources struct {
	UserSeconds    Maybe[float64] `json:"user_seconds,omitzero"`
	SystemSeconds  Maybe[float64] `json:"system_seconds,omitzero"`
	GCCycles       Maybe[float64] `json:"gc_cycles,omitzero"`
	GCPauseSeconds Maybe[float64] `json:"gc_pause_seconds,omitzero"` // the world stopped
	ipc.CountersOf[Maybe[float64]]
}

// CPUSeconds is user and system time together.
func (r Resources) CPUSeconds() Maybe[float64] {
	user, known := r.UserSeconds.Get()
	system, also := r.SystemSeconds.Get()
	if !known || !also {
		return Maybe[float64]{}
	}
	return Known(user + system)
}

// all lists the fields of r. The pointers lead into r.
func (r *Resources) all() [10]*Maybe[float64] {
	all := [10]*Maybe[float64]{&r.UserSeconds, &r.SystemSeconds, &r.GCCycles, &r.GCPauseSeconds}
	for i, c := range r.CountersOf.All() {
		all[4+i] = c.Count
	}
	return all
}

// A Phase is a kind of work that a worker spends time on.
type Phase string

// The phases, in the order in which they are shown. The first three are starting.
const (
	PhaseSpawn    Phase = "spawn"    // creating the worker
	PhaseHello    Phase = "hello"    // until it is ready for work
	PhaseSetup    Phase = "set-up"   // what the first chunk of a worker takes longer than its others, if that is a lot
	PhaseDispatch Phase = "dispatch" // a chunk is on its way to it
	PhaseCompute  Phase = "compute"
	PhaseGC       Phase = "gc"    // the world stopped for a collection
	PhaseReply    Phase = "reply" // a partial is on its way back
	PhaseReduce   Phase = "reduce"
	PhaseIdle     Phase = "idle" // waiting while others work
)

// Phases lists them all, in the order in which they are shown.
func Phases() []Phase {
	return []Phase{PhaseSpawn, PhaseHello, PhaseSetup, PhaseDispatch, PhaseCompute, PhaseGC, PhaseReply, PhaseReduce, PhaseIdle}
}

// starting lists the phases that a run has once, whatever its size.
var starting = []Phase{PhaseSpawn, PhaseHello, PhaseSetup}

// A Span is one phase of one worker, in seconds since the start of the run.
type Span struct {
	Phase      Phase
	Start, End float64
}

// A PhaseTime is the time of one phase, in seconds.
type PhaseTime struct {
	Phase   Phase   `json:"phase"`
	Seconds float64 `json:"seconds"`
}

// lanes returns the workers of a run, or the parent if there are none.
func (r Run) lanes() []WorkerRun {
	if len(r.Workers) == 0 {
		return []WorkerRun{r.Parent}
	}
	return r.Workers
}

// mean is the time of some phases, as a mean over the workers.
func (r Run) mean(phases ...Phase) float64 {
	sum, lanes := 0.0, r.lanes()
	for _, w := range lanes {
		sum += sumOf(w.Phases, phases...)
	}
	return sum / float64(len(lanes))
}

// Starting is the time that the run spends once, whatever the size of its task: until the
// mean worker was ready and set up. Work is handed out as workers are ready for it, so
// each worker's start delays the end by its share.
func (r Run) Starting() float64 { return min(r.mean(starting...), r.Wall) }

// Computing is the rest of the time, which grows with the size: computing, messages,
// waiting and adding up.
func (r Run) Computing() float64 { return r.Wall - r.Starting() }
