package pool

import (
	"context"
	"errors"
	"fmt"
	"time"

	"procpool/ipc"
	"procpool/task"
)

// A Workload is a sum with everything that a batch job wants to say about it. Task
// and Whole are needed; the zero value of the rest is valid.
type Workload struct {
	Task  *task.Spec   // over intervals
	Whole ipc.Interval // starts on a multiple of the task's grain

	// Grid cuts Whole; the zero Grid stands for [Pool.Grid].
	Grid ipc.Grid
	// Stop, when closed, ends the run early: nothing more is handed out, and
	// chunks in workers' hands may finish within Options.Grace.
	Stop <-chan struct{}
	// Deadline ends the run hard; zero means never.
	Deadline time.Time
	// Done reports chunks that were computed earlier and are left out of this
	// run; the Outcome then has no value, since their partials are the caller's
	// to add. It is called with the pool's lock held and must be quick. Nil
	// leaves nothing out.
	Done func(iv ipc.Interval) bool
	// OnChunk is told of each chunk as soon as its result is accepted, in no
	// particular order, on the goroutine that called Run. An error ends the run.
	OnChunk func(Chunk) error
}

// Status says how a run ended.
type Status string

// How runs end.
const (
	Done        Status = "done"
	Failed      Status = "failed"
	Deadline    Status = "deadline"
	Interrupted Status = "interrupted"
)

func statusOf(err error) Status {
	switch {
	case err == nil:
		return Done
	case errors.Is(err, ErrDeadline):
		return Deadline
	case errors.Is(err, ErrStopped), errors.Is(err, context.Canceled):
		return Interrupted
	}
	return Failed
}

// An Outcome is what came of a run, also of one that failed.
type Outcome struct {
	Status  Status
	Grid    ipc.Grid
	Value   any            // the sum as a reader wants to see it; nil unless all of it was computed now
	Total   any            // the sum as the task's partial type, likewise
	Covered []ipc.Interval // what is finished, also earlier, merged, in order
	Chunks  int64          // finished, also earlier
	Earlier int64          // chunks of these that were left out as Done
	Retries int64          // chunks handed out again
	Wall    time.Duration

	fold task.Fold
}

// AppendTotal appends the encoding of Total to dst, as a partial that is it would
// travel. There must be a Total.
func (o Outcome) AppendTotal(dst []byte) ([]byte, error) { return o.fold.AppendTotal(dst) }

// A Chunk is a finished part of a run. Its methods are valid only while
// OnChunk runs.
type Chunk struct {
	Seq      int64
	Interval ipc.Interval
	Worker   int
	Host     string  // of its worker process; "" in this process
	PID      int     // 0 in this process
	Seconds  float64 // that the task took
	Attempts int     // workers that met it

	fold task.Fold
	cell int
}

// Value is the partial as a reader wants to see it.
func (c Chunk) Value() any { return c.fold.CellValue(c.cell) }

// Append appends the encoded partial to dst.
func (c Chunk) Append(dst []byte) ([]byte, error) { return c.fold.Append(dst, c.cell) }

// Grid is how this pool cuts whole for a task, see [Options.Grid].
func (p *Pool) Grid(spec *task.Spec, whole ipc.Interval) ipc.Grid { return p.opts.Grid(spec, whole) }

// Grid is how a pool with these options cuts whole for a task: by ChunkSize,
// rounded up to the task's grain, or else one interval for each worker by the
// tutorial's rule; Procs must say how many there are.
func (o Options) Grid(spec *task.Spec, whole ipc.Interval) ipc.Grid {
	if o.ChunkSize > 0 {
		return ipc.ChunkGrid(whole, spec.RoundUp(o.ChunkSize))
	}
	return ipc.SplitGrid(whole, o.Procs, spec.Grain)
}

// Run computes a sum. The Outcome is valid also with an error: it says how far
// the run came. The error is nil only if everything was done; it is an error
// of this package, OnChunk's, or the context's.
func (p *Pool) Run(ctx context.Context, w Workload) (Outcome, error) {
	if err := w.check(); err != nil {
		return Outcome{Status: Failed}, err
	}
	if w.Grid.N == 0 {
		w.Grid = p.Grid(w.Task, w.Whole)
	}
	s := newSumCall(ctx, p, w)
	defer s.cancel()
	begin := time.Now()
	err := p.add(s.call)
	if err == nil {
		err = s.consume(ctx)
		p.remove(s.call)
	}
	return s.outcome(time.Since(begin), err)
}

func (w *Workload) check() error {
	if err := w.Task.Check(); err != nil {
		return err
	}
	if !w.Task.Sums() {
		return fmt.Errorf("task %q does not work on intervals", w.Task.Name)
	}
	if err := w.Whole.Validate(); err != nil {
		return err
	}
	if w.Whole.Start%w.Task.Grain != 0 {
		return fmt.Errorf("interval %v does not start on a multiple of the grain of %s, %d", w.Whole, w.Task.Name, w.Task.Grain)
	}
	if w.Grid.N > 0 && w.Grid.Whole != w.Whole {
		return fmt.Errorf("the grid cuts %v, not %v", w.Grid.Whole, w.Whole)
	}
	return nil
}
