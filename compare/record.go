package compare

import (
	"time"

	"procpool/ipc"
	"procpool/pool"
)

// RecordVersion is the version of the schema of [Record]. A reader accepts no other.
const RecordVersion = 1

// A Record is one whole experiment: what was planned, what was run, in which
// order, every sample, and the results. Every report is made from a Record alone.
type Record struct {
	Version     int               `json:"version"`
	Created     time.Time         `json:"created"`
	Seconds     float64           `json:"seconds"` // the whole experiment, calibration included
	Status      pool.Status       `json:"status"`
	Environment []Fact            `json:"environment"`
	Fairness    []Contract        `json:"fairness"`
	Plan        Plan              `json:"plan"`
	Order       [][]int           `json:"order"` // for each round, the cells in the order they ran
	Runs        []Run             `json:"runs"`  // raw samples in the order they ran, warm-up excluded
	Missing     map[string]string `json:"missing,omitempty"`
	Caveats     []Caveat          `json:"warnings"`
	Results     Results           `json:"results"`
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

// A Contract has the terms under which the cells of a backend ran with Workers,
// its largest number of workers.
type Contract struct {
	Backend  pool.Backend `json:"backend"`
	Ablation Ablation     `json:"ablation,omitempty"`
	Workers  int          `json:"workers"`
	Terms
}

// Terms are the conditions that decide whether a comparison is fair. A runner
// leaves a field zero if it does not know it.
type Terms struct {
	ParentGOMAXPROCS int    `json:"parent_gomaxprocs,omitempty"`
	WorkerGOMAXPROCS int    `json:"worker_gomaxprocs,omitempty"` // of each child process; 0 where workers are not processes
	HeapBudget       string `json:"heap_budget,omitempty"`       // GOGC, GOMEMLIMIT, and how many heaps have them
	Mask             string `json:"mask,omitempty"`              // CPUs that may be used, as a list: 0-3,8
	Binding          string `json:"binding,omitempty"`           // "none" or what each worker is bound to
	Pool             string `json:"pool,omitempty"`              // "cold": starting the workers is timed; "warm": it is not
}

// A Caveat is something that a reader of the verdicts must know.
type Caveat struct {
	Task     string `json:"task,omitempty"` // empty: about the whole experiment
	Headline bool   `json:"headline"`       // shown with the verdicts, not only in the list
	Text     string `json:"text"`
}

// A Plan lists what [Do] will run. Do completes it, with an estimate of the time,
// before the first round.
type Plan struct {
	Seed        uint64     `json:"seed,string"`
	CPUs        int        `json:"cpus"`        // that may be used
	Confidence  float64    `json:"confidence"`  // joint, for all comparisons together
	Precision   float64    `json:"precision"`   // relative half-width at which a task is done
	Margin      float64    `json:"margin"`      // relative difference that counts as none
	Comparisons int        `json:"comparisons"` // verdicts shown: the k of every correction
	Rounds      [2]int     `json:"rounds"`      // fewest and most
	Target      float64    `json:"target_seconds"`
	Shrunk      bool       `json:"shrunk,omitempty"` // Target was lowered to fit MaxSeconds
	MaxSeconds  float64    `json:"max_seconds"`
	Round       float64    `json:"round_seconds"` // estimate for one round
	ETA         float64    `json:"eta_seconds"`   // estimate for warm-up and the fewest rounds, from the frozen plan on
	Tasks       []TaskPlan `json:"tasks"`
	Cells       []Cell     `json:"cells"` // runs and results refer to a cell by its index here
	Skipped     []Skip     `json:"skipped,omitempty"`
}

// A TaskPlan is the frozen size of one task.
type TaskPlan struct {
	Name          string  `json:"name"`
	Start         int64   `json:"start"`
	Size          int64   `json:"size"`       // indices
	ChunkSize     int64   `json:"chunk_size"` // indices, a multiple of the task's grain
	Chunks        int64   `json:"chunks"`
	SerialSeconds float64 `json:"serial_seconds"` // as calibrated
}

// A Skip is a cell that was planned but cannot run on this machine.
type Skip struct {
	Cell   Cell   `json:"cell"`
	Reason string `json:"reason"`
}

// A Run is one complete measured run of a cell.
type Run struct {
	Cell     int     `json:"cell"`     // index in Plan.Cells; set by Do
	Round    int     `json:"round"`    // from 0; set by Do
	Position int     `json:"position"` // in its round, from 0; set by Do
	Start    float64 `json:"start"`    // seconds since the experiment began; set by Do

	Wall    float64     `json:"wall_seconds"` // from the call to the folded value
	Value   Value       `json:"value"`
	Parent  WorkerRun   `json:"parent"`          // the process that hands out and folds; Index is -1
	Workers []WorkerRun `json:"workers"`         // one a worker slot; empty for Serial
	Terms   Terms       `json:"terms"`           // as observed by this run
	Flags   []string    `json:"flags,omitempty"` // disturbances seen during the run: "steal", "throttled", ...

	// Missing has the reason why a measurement is unavailable, by its JSON name. Do
	// moves it to Record.Missing.
	Missing map[string]string `json:"missing,omitempty"`
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

	// Phases add up its time by innermost span. Every run keeps them; only the
	// median and the worst run of each cell keep their Spans, which are most of the
	// data. Spans of one worker are disjoint or nested, and lie within [0, Wall].
	Phases []PhaseTime `json:"phases,omitempty"`
	Spans  []Span      `json:"spans,omitempty"`
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
	CPUSeconds     Maybe[float64] `json:"cpu_seconds,omitzero"` // user + system
	GCCycles       Maybe[float64] `json:"gc_cycles,omitzero"`
	GCPauseSeconds Maybe[float64] `json:"gc_pause_seconds,omitzero"` // the world stopped
	ipc.CountersOf[Maybe[float64]]
}

// all lists the fields of r. The pointers lead into r.
func (r *Resources) all() [9]*Maybe[float64] {
	all := [9]*Maybe[float64]{&r.CPUSeconds, &r.GCCycles, &r.GCPauseSeconds}
	for i, c := range r.CountersOf.All() {
		all[3+i] = c.Count
	}
	return all
}

// A Phase is a kind of work that a worker spends time on.
type Phase string

// The phases, in the order in which they are shown.
const (
	PhaseSpawn    Phase = "spawn"    // creating the worker
	PhaseHello    Phase = "hello"    // until it is ready for work
	PhaseDispatch Phase = "dispatch" // a chunk is on its way to it
	PhaseCompute  Phase = "compute"
	PhaseGC       Phase = "gc"    // the world stopped for a collection
	PhaseReply    Phase = "reply" // a partial is on its way back
	PhaseReduce   Phase = "reduce"
	PhaseIdle     Phase = "idle" // waiting while others work
)

// Phases lists them all, in the order in which they are shown.
func Phases() []Phase {
	return []Phase{PhaseSpawn, PhaseHello, PhaseDispatch, PhaseCompute, PhaseGC, PhaseReply, PhaseReduce, PhaseIdle}
}

// A Span is one phase of one worker, in seconds since the start of the run.
type Span struct {
	Phase Phase      `json:"phase"`
	Start float64    `json:"start"`
	End   float64    `json:"end"`
	CPU   Maybe[int] `json:"cpu,omitzero"` // where it ran, when known
}

// A PhaseTime is the time of one phase, in seconds.
type PhaseTime struct {
	Phase   Phase   `json:"phase"`
	Seconds float64 `json:"seconds"`
}
