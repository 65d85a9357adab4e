package compare

import (
	"context"
	"strconv"

	"procpool/ipc"
	"procpool/pool"
)

// An Ablation is the one condition in which a cell differs from its plain twin.
// The zero value is the plain cell.
type Ablation string

// The ablations that [Experiment.Why] adds.
const (
	Plain     Ablation = ""
	Warm      Ablation = "warm"       // the workers are started before the clock
	Bound     Ablation = "bound"      // each worker is bound to a CPU of its own
	GCOff     Ablation = "gc-off"     // no garbage collection (a memory limit stays as a guard)
	EqualHeap Ablation = "equal-heap" // one process gets the heap budget that N processes have together
)

// A Cell is one thing that the experiment measures: a task on a backend with a
// number of workers under a condition. All cells of a task have the same Interval
// and ChunkSize, so they compute the same chunks and fold them in the same order;
// their values must agree to the bit.
type Cell struct {
	Task      string       `json:"task"`
	Backend   pool.Backend `json:"backend"`
	Workers   int          `json:"workers"` // 1 for Serial
	Interval  ipc.Interval `json:"interval"`
	ChunkSize int64        `json:"chunk_size"` // indices in each chunk but the last
	Ablation  Ablation     `json:"ablation,omitempty"`
	Control   bool         `json:"control,omitempty"` // the A/A twin of the same cell without Control
}

// IsPlain reports whether the cell has no ablation and is no control.
func (c Cell) IsPlain() bool { return c.Ablation == Plain && !c.Control }

// String names the cell as reports do: "alloc processes×4 gc-off".
func (c Cell) String() string { return c.Task + " " + c.Label() }

// Label is String without the task.
func (c Cell) Label() string {
	s := string(c.Backend)
	if c.Backend != pool.Serial {
		s += "×" + strconv.Itoa(c.Workers)
	}
	if c.Ablation != Plain {
		s += " " + string(c.Ablation)
	}
	if c.Control {
		s += " (A/A)"
	}
	return s
}

// A Runner runs one cell once, completely: with a fresh set of workers unless
// the cell is Warm. [Do] never calls Run twice at the same time.
//
// An error that wraps [errors.ErrUnsupported] means that this machine cannot run
// such a cell; Do then leaves the cell out, with a caveat. Any other error ends
// the experiment.
type Runner interface {
	Run(ctx context.Context, c Cell) (Run, error)
}
