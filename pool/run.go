package pool

import (
	"context"
	"errors"
	"fmt"
	"slices"
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
	// Only covers the chunks of Grid that this run is about, such as a share of them.
	// It must not change during the run. Nil means all.
	Only *ipc.Ledger
	// Stop, when closed, ends the run early: nothing more is handed out, and
	// chunks in flight may finish within Options.Grace.
	Stop <-chan struct{}
	// Deadline ends the run hard; zero means never.
	Deadline time.Time
	// Earlier covers what was computed earlier: chunks that lie in it are left out
	// of this run. The Outcome then has no value, since their partials are the
	// caller's to add. It must not change during the run. Nil leaves nothing out.
	Earlier *ipc.Ledger
	// With appends to dst what the request of a chunk carries beside its interval: an
	// encoded value, for a task that looks for it. It is called with the pool locked,
	// so it must be quick and must not call the pool. Nil carries nothing.
	With func(dst []byte, iv ipc.Interval) []byte
	// OnChunk is called for each chunk as soon as its result is accepted, in no
	// particular order, on the goroutine that called Run. An error ends the run.
	OnChunk func(Chunk) error
	// InOrder takes the place of the task's own sum: it is called for each chunk in the
	// order of the intervals, on the goroutine that called Run. While a chunk is late,
	// results of up to 64 MiB wait for it, and then no more is handed out. An error ends
	// the run. The Outcome has no value. There must be no Earlier. Nil adds up.
	InOrder func(Chunk) error
	// OnFailed is called for each chunk that failed for good. If it returns nil, the run
	// goes on with the others, and ends with a [FailedChunksError]. If OnFailed is nil, the
	// first failure ends the run.
	OnFailed func(ipc.Interval, error) error
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
	Earlier int64          // chunks of these that were left out
	Retries int64          // chunks handed out again
	Failed  []ipc.Interval // chunks that failed, merged, in order, if the run went on
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

	partial task.Partial
}

// Value is the partial as a reader wants to see it.
func (c Chunk) Value() any { return c.partial.Value() }

// Total is the partial, which has the type of the task's partials.
func (c Chunk) Total() any { return c.partial.Total() }

// Append appends the encoded partial to dst.
func (c Chunk) Append(dst []byte) ([]byte, error) { return c.partial.Append(dst) }

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
func (p *Pool) Run(ctx context.Context, w Workload, opts ...CallOption) (Outcome, error) {
	if err := w.check(); err != nil {
		return Outcome{Status: Failed}, err
	}
	if w.Grid.N == 0 && w.Only == nil {
		w.Grid = p.Grid(w.Task, w.Whole)
	}
	s := newSumCall(ctx, p, w, p.callOptions(opts))
	defer s.call.cancel()
	begin := time.Now()
	err := p.add(s.call)
	if err == nil {
		defer p.remove(s.call) // however user code ends this goroutine
		err = s.consume(ctx)
	}
	return s.outcome(time.Since(begin), err)
}

// earlier is how many chunks were finished earlier.
func (w *Workload) earlier() (n int64) {
	if w.Earlier == nil {
		return 0
	}
	for run := range w.Earlier.Runs() {
		first, end := w.Grid.Within(run)
		n += end - first
	}
	return n
}

// asked is what the run has to cover, as maximal intervals in order.
func (w *Workload) asked() []ipc.Interval {
	switch {
	case w.Only != nil:
		return slices.Collect(w.Only.Runs())
	case w.Whole.Len() == 0:
		return nil
	}
	return []ipc.Interval{w.Whole}
}

// chunks is how many chunks of the grid the run is about, also earlier ones.
func (w *Workload) chunks() (n int64) {
	if w.Only == nil {
		return w.Grid.N
	}
	for run := range w.Only.Runs() {
		first, end := w.Grid.Within(run)
		n += end - first
	}
	return n
}

// coveredWith is what chunks that are finished now and earlier cover, as maximal
// intervals in order.
func (w *Workload) coveredWith(now *ipc.Ledger) []ipc.Interval {
	if w.Earlier == nil {
		return slices.Collect(now.Runs())
	}
	var all ipc.Ledger
	for run := range w.Earlier.Runs() {
		if first, end := w.Grid.Within(run); first < end {
			all.Add(ipc.Interval{Start: w.Grid.At(first).Start, End: w.Grid.At(end - 1).End})
		}
	}
	for run := range now.Runs() {
		all.Add(run)
	}
	return slices.Collect(all.Runs())
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
	if w.InOrder != nil && w.Earlier != nil {
		return errors.New("chunks that were finished earlier cannot come in order")
	}
	if w.Grid.N > 0 && w.Grid.Whole != w.Whole {
		return fmt.Errorf("the grid cuts %v, not %v", w.Grid.Whole, w.Whole)
	}
	return nil
}
