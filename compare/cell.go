package compare

import (
	"context"
	"strconv"

	"procpool/internal/command"
	"procpool/ipc"
	"procpool/pool"
)

// A Cell is one thing that the experiment measures: a task on a backend with a
// number of workers. All cells of a task have the same Interval
// and ChunkSize, so they compute the same chunks and fold them in the same order;
// their values must agree to the bit.
type Cell struct {
	Task      string       `json:"task"`
	Backend   pool.Backend `json:"backend"`
	Workers   int          `json:"workers"` // 1 for Serial
	Interval  ipc.Interval `json:"interval"`
	ChunkSize int64        `json:"chunk_size"` // indices in each chunk but the last
	Warm      bool         `json:"warm,omitempty"`
	Twin      bool         `json:"twin,omitempty"` // the same as another cell, for [Experiment.SelfCheck]
}

// Exec is the name of the task that runs a program once for each chunk, see
// [Pools.Command], and adds up the numbers that it prints. There are no goroutines of a
// program, so processes are compared with serial.
const Exec = command.Name

// String names the cell as reports do: "alloc processes×4".
func (c Cell) String() string { return c.Task + " " + c.Label() }

// Label is String without the task.
func (c Cell) Label() string {
	s := string(c.Backend)
	if c.Backend != pool.Serial {
		s += "×" + strconv.Itoa(c.Workers)
	}
	if c.Twin {
		s += " again"
	}
	return s
}

// A Runner runs one cell once, completely, with a fresh set of workers. [Do] never
// calls Run twice at the same time.
//
// An error that wraps [errors.ErrUnsupported] means that this machine cannot run
// such a cell; Do then leaves the cell out, with a note. Any other error ends the
// experiment.
type Runner interface {
	Run(ctx context.Context, c Cell) (Run, error)
}
