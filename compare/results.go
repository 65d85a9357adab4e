package compare

import "procpool/pool"

// Results are what [Analyse] computes from the raw runs.
type Results struct {
	Level float64      `json:"level"` // coverage that each interval claims, so that all together hold at Plan.Confidence
	Tasks []TaskResult `json:"tasks"` // in the order of Plan.Tasks
}

// An Estimate is a median with its interval.
type Estimate struct {
	Median   Number `json:"median"`
	Low      Number `json:"low"` // infinite where the samples are too few for the level
	High     Number `json:"high"`
	Coverage Number `json:"coverage"` // exact, at least the level where the interval is finite
	N        int    `json:"n"`
}

// A TaskResult is the answer for one task.
type TaskResult struct {
	Task        string         `json:"task"`
	Rounds      int            `json:"rounds"`
	Stopped     Stop           `json:"stopped"`
	Flagged     int            `json:"flagged_rounds"` // rounds in which a run was disturbed (Run.Flags)
	Identical   bool           `json:"identical"`      // every run gave the same bits
	Value       Value          `json:"value"`
	Control     Maybe[Control] `json:"control,omitzero"`
	Cells       []CellResult   `json:"cells"` // in the order of Plan.Cells
	Comparisons []Comparison   `json:"comparisons"`
	Amdahl      []Amdahl       `json:"amdahl"`
	BreakEven   []BreakEven    `json:"break_even"`
	Why         []Why          `json:"why,omitempty"`
}

// Stop says why the rounds of a task ended.
type Stop string

// The reasons to stop.
const (
	StopPrecision Stop = "precision"
	StopRounds    Stop = "rounds"
	StopBudget    Stop = "budget"
	StopCut       Stop = "cut short"
	StopFloor     Stop = "with the others" // null runs as long as any other task
)

// A CellResult summarises the runs of one cell. Resources are medians over the
// runs, of the parent and all workers together.
type CellResult struct {
	Cell    int      `json:"cell"`
	Seconds Estimate `json:"seconds"`
	P90     float64  `json:"p90_seconds"`
	Max     float64  `json:"max_seconds"`
	Skew    string   `json:"skew,omitempty"` // a hint where the centre alone misleads
	Resources
	ParentCPU  Maybe[float64] `json:"parent_cpu_seconds,omitzero"`
	WorkersCPU Maybe[float64] `json:"workers_cpu_seconds,omitzero"`

	// VsSerial and VsSelf are speed-ups: how many times faster than the serial
	// cell, and than the same backend with one worker. Efficiency and KarpFlatt
	// (Karp and Flatt 1990: (1/S - 1/N) / (1 - 1/N)) are of VsSerial.
	VsSerial   Maybe[Estimate] `json:"speedup_serial,omitzero"`
	VsSelf     Maybe[Estimate] `json:"speedup_self,omitzero"`
	Efficiency Maybe[float64]  `json:"efficiency,omitzero"`
	KarpFlatt  Maybe[float64]  `json:"karp_flatt,omitzero"`

	// Where is the mean over runs of the mean over workers: means add up, so
	// the phases and Unaccounted make up the mean wall time.
	Where       []PhaseTime    `json:"where"`
	Unaccounted float64        `json:"unaccounted_seconds"`
	Slowest     Maybe[Slowest] `json:"slowest,omitzero"`

	MedianRun int `json:"median_run"` // index in Record.Runs
	WorstRun  int `json:"worst_run"`
}

// Slowest is the imbalance between workers in the median run of a cell: the
// work is done when the slowest worker is.
type Slowest struct {
	Worker int     `json:"worker"`
	Busy   float64 `json:"busy_seconds"`   // of that worker: computing or collecting
	Median float64 `json:"median_seconds"` // of all workers
}

// A Verdict says which side of a comparison takes less time.
type Verdict string

// The verdicts. Faster means that the first backend takes less time.
const (
	Faster     Verdict = "faster"
	Slower     Verdict = "slower"
	Equivalent Verdict = "equivalent"
	Unresolved Verdict = "unresolved"
)

// Verdicts lists them all.
func Verdicts() []Verdict { return []Verdict{Faster, Slower, Equivalent, Unresolved} }

// A Comparison is the paired ratio of the times of two cells of one task.
type Comparison struct {
	A          int             `json:"a"` // index in Plan.Cells
	B          int             `json:"b"`
	Ratio      Estimate        `json:"ratio"`          // time of A / time of B, by round
	Difference Estimate        `json:"difference"`     // seconds of A - seconds of B, by round
	Quiet      Maybe[Estimate] `json:"quiet,omitzero"` // Ratio without the flagged rounds, where there are some and enough others
	Verdict    Verdict         `json:"verdict"`
	P          float64         `json:"p"`                    // of the verdict's test, before Holm's correction
	Downgraded string          `json:"downgraded,omitempty"` // why the verdict is weaker than its test
}

// A Control is the A/A comparison of a task: identical cells, ratio 1 by
// construction.
type Control struct {
	A     int      `json:"a"` // the twin
	B     int      `json:"b"`
	Ratio Estimate `json:"ratio"`
	Pass  bool     `json:"pass"`
	Why   string   `json:"why,omitempty"` // what failed
}

// Amdahl is the serial fraction f of T(N) = T(1) (f + (1-f)/N), fitted by least
// squares to the speed-ups of one backend over itself with one worker (Amdahl
// 1967). Below 0 the scaling is super-linear. With one worker count above 1 it
// is the Karp-Flatt figure.
type Amdahl struct {
	Backend  pool.Backend `json:"backend"`
	Fraction float64      `json:"serial_fraction"`
	Points   int          `json:"points"`   // worker counts above 1
	Residual float64      `json:"residual"` // largest |1/S - fit|
}

// BreakEven is the size from which a cell beats another one, by the model
// floor + cost a index: the floor is measured by the null task, the cost by this
// one.
type BreakEven struct {
	Cell          int            `json:"cell"`
	Against       int            `json:"against"`
	Indices       Maybe[float64] `json:"indices,omitzero"`        // unavailable: never, see Never
	SerialSeconds Maybe[float64] `json:"serial_seconds,omitzero"` // the same as serial work
	Never         string         `json:"never,omitempty"`         // why there is no such size, or none that can be told
}

// Why takes the difference between processes and goroutines of one task and
// worker count apart. Every part is the change of that difference under one
// ablation, in seconds: a negative part favours processes.
type Why struct {
	Workers     int      `json:"workers"`
	Gap         Estimate `json:"gap"` // processes - goroutines
	Parts       []Part   `json:"parts"`
	Unexplained Estimate `json:"unexplained"` // Gap minus the parts that are within no other, by round
}

// A Part is one ablation's share of a gap.
type Part struct {
	Name    string   `json:"name"`
	Meaning string   `json:"meaning"`
	Within  string   `json:"within,omitempty"` // the part that contains it; such a part explains nothing on its own
	Seconds Estimate `json:"seconds"`
}
