package compare

import "procpool/pool"

// Results are what [Analyse] computes from the raw runs.
type Results struct {
	Rounds int          `json:"rounds"` // of the row that has most
	Tasks  []TaskResult `json:"tasks"`  // in the order of Plan.Tasks
	Rows   []RowResult  `json:"rows"`   // in the order of Plan.Rows
	Cells  []CellResult `json:"cells"`  // those that ran, in the order of Plan.Cells
	Why    []Why        `json:"why,omitempty"`
	Unfair []string     `json:"unfair"` // terms under which the cells did not run alike
}

// An Estimate is a centre with its interval.
type Estimate struct {
	Centre Number  `json:"centre"`
	Low    Number  `json:"low"` // infinite where the samples are too few
	High   Number  `json:"high"`
	Missed float64 `json:"missed"` // probability that such an interval misses the truth; 0 where it is infinite
	N      int     `json:"n"`
}

// A TaskResult says whether all runs of a task agree.
type TaskResult struct {
	Task      string `json:"task"`
	Identical bool   `json:"identical"` // every run gave the same bits
	Value     Value  `json:"value"`
}

// A Verdict says which side of a comparison takes less time.
type Verdict string

// The verdicts. Faster means that the first backend takes less time.
const (
	Faster Verdict = "faster"
	Slower Verdict = "slower"
	Same   Verdict = "same" // within the margin
	Open   Verdict = "open" // none of the others is shown; the interval is the bound
)

// A RowResult is the answer of one row: the paired ratio of the times of two cells
// without starting, which does not depend on how large the task is.
type RowResult struct {
	Row     int          `json:"row"`
	Task    string       `json:"task"`
	Workers int          `json:"workers"`
	A       pool.Backend `json:"a"`
	B       pool.Backend `json:"b"`
	Pairs   int          `json:"pairs"`
	Verdict Verdict      `json:"verdict"`
	Ratio   Estimate     `json:"ratio"`  // of the times of A and B
	Spread  Number       `json:"spread"` // of one pair's ratio, relative: what noise does to it
	Why     string       `json:"why"`    // in a few words
	Borne   bool         `json:"borne"`  // Why is the task's own cause, and CPU times bear it out

	// FromSeconds is the serial work from which on the side that computes faster is
	// ahead although it starts later. It is absent where that side also starts first.
	FromSeconds Maybe[float64] `json:"from_serial_seconds,omitzero"`
}

// Winner is the backend that takes less time, or "same" or "open".
func (r RowResult) Winner() string {
	switch r.Verdict {
	case Faster:
		return string(r.A)
	case Slower:
		return string(r.B)
	}
	return string(r.Verdict)
}

// A CellResult summarises the runs of one cell: medians, of the parent and all workers
// together.
type CellResult struct {
	Cell      int            `json:"cell"`
	Runs      int            `json:"runs"`
	Seconds   float64        `json:"seconds"` // wall time
	Starting  float64        `json:"starting_seconds"`
	Computing float64        `json:"computing_seconds"` // wall time without starting
	Speedup   Maybe[float64] `json:"speedup,omitzero"`  // of computing, over the serial cell
	Resources

	// Where is the mean over runs of the mean over workers: means add up, so the phases
	// and Unaccounted make up the mean wall time.
	Where       []PhaseTime `json:"where"`
	Unaccounted float64     `json:"unaccounted_seconds"`
}

// Mean is the mean wall time.
func (c CellResult) Mean() float64 {
	sum := c.Unaccounted
	for _, w := range c.Where {
		sum += w.Seconds
	}
	return sum
}

// in returns the mean time of some phases.
func (c CellResult) in(phases ...Phase) float64 { return sumOf(c.Where, phases...) }

// Why takes the difference between processes and goroutines of one task and worker count
// apart, in seconds; a negative part favours processes.
type Why struct {
	Task    string   `json:"task"`
	Workers int      `json:"workers"`
	Gap     Estimate `json:"gap"`   // processes - goroutines
	Parts   []Part   `json:"parts"` // they add up to the gap, but for their centres being medians
}

// A Part is one share of a gap.
type Part struct {
	Name    string   `json:"name"`
	Meaning string   `json:"meaning"`
	Seconds Estimate `json:"seconds"`
}
