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

// A Workload is a sum with the settings that a batch job needs. Task and Whole must be
// set; the zero values of the other fields are valid.
type Workload struct {
	Task  *task.Spec   // over intervals
	Whole ipc.Interval // starts on a multiple of the task's grain

	// Grid cuts Whole; the zero Grid stands for [Pool.Grid].
	Grid ipc.Grid
	// Only covers the chunks of Grid that this run computes, such as those of a share. It
	// must not change during the run. Nil means all.
	Only *ipc.Ledger
	// Stop, when closed, ends the run early: no more chunks are handed out, and those in
	// flight may finish within Options.Grace.
	Stop <-chan struct{}
	// Deadline ends the run without waiting for chunks in flight; zero means never.
	Deadline time.Time
	// Earlier covers what was computed before: the run leaves out the chunks within it.
	// The Outcome then has no value, because the caller has their partials and must add
	// them. It must not change during the run. Nil leaves nothing out.
	Earlier *ipc.Ledger
	// With appends to dst an encoded value that the request of a chunk carries beside its
	// interval, for tasks that read it. The pool calls it with its lock held, so it must
	// be quick and must not call the pool. Nil adds nothing.
	With func(dst []byte, iv ipc.Interval) []byte
	// OnChunk is called for each chunk as soon as its result is accepted, in no
	// particular order, on the goroutine that called Run. An error ends the run.
	OnChunk func(Chunk) error
	// InOrder, if not nil, replaces the task's own sum: Run calls it for each chunk in
	// the order of the intervals, on its own goroutine. While a chunk is late, up to 64
	// MiB of results wait for it; then no more chunks are handed out. An error ends the
	// run. The Outcome has no value, and Earlier must be nil.
	InOrder func(Chunk) error
	// OnFailed, if not nil, is called for each chunk that failed in its last attempt. If
	// it returns nil, the run goes on with the others and ends with a
	// [FailedChunksError]. Without it the first failure ends the run.
	OnFailed func(ipc.Interval, error) error
}

// Status says how a run ended.
type Status string

// The ways in which a run ends.
const (
	Done        Status = "done"        // every chunk is finished
	Failed      Status = "failed"      // an error ended the run, or chunks failed
	Deadline    Status = "deadline"    // Workload.Deadline passed
	Interrupted Status = "interrupted" // Workload.Stop was closed, or the context cancelled
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

// An Outcome is the result of a run, also of one that failed.
type Outcome struct {
	Status  Status
	Grid    ipc.Grid
	Value   any            // the sum in the form for output; nil unless this run computed all of it
	Total   any            // the sum in the task's partial type; nil where Value is
	Covered []ipc.Interval // intervals finished now and earlier, merged, in order
	Chunks  int64          // chunks finished now and earlier
	Earlier int64          // of these, chunks finished earlier
	Retries int64          // how often chunks were handed out again
	Failed  []ipc.Interval // intervals of failed chunks, merged, in order, if the run went on
	Wall    time.Duration

	fold task.Fold
}

// AppendTotal appends Total to dst in its wire encoding. It must not be called when Total
// is nil.
func (o Outcome) AppendTotal(dst []byte) ([]byte, error) { return o.fold.AppendTotal(dst) }

// A Chunk is a finished part of a run. Its methods may be called only while OnChunk or
// InOrder runs.
type Chunk struct {
	Seq      int64
	Interval ipc.Interval
	Worker   int
	Host     string  // of its worker process; "" in this process
	PID      int     // 0 in this process
	Seconds  float64 // how long the task took
	Attempts int     // how many workers it was sent to

	partial task.Partial
}

// Value returns the partial in the form that people read.
func (c Chunk) Value() any { return c.partial.Value() }

// Total returns the partial, which has the type of the task's partials.
func (c Chunk) Total() any { return c.partial.Total() }

// Append appends the partial in wire encoding to dst.
func (c Chunk) Append(dst []byte) ([]byte, error) { return c.partial.Append(dst) }

// Grid returns how this pool cuts whole for a task; see [Options.Grid].
func (p *Pool) Grid(spec *task.Spec, whole ipc.Interval) ipc.Grid { return p.opts.Grid(spec, whole) }

// Grid returns how a pool with these options cuts whole for a task: into chunks of
// ChunkSize, rounded up to a multiple of the task's grain, or if that is 0 into one
// interval for each worker, the remainder going to the last. Then Procs must be set.
func (o Options) Grid(spec *task.Spec, whole ipc.Interval) ipc.Grid {
	if o.ChunkSize > 0 {
		return ipc.ChunkGrid(whole, spec.RoundUp(o.ChunkSize))
	}
	return ipc.SplitGrid(whole, o.Procs, spec.Grain)
}

// Run computes a sum. The Outcome is valid also if there is an error: it says how far the
// run came. The error is nil only if everything is done. It is one of this package,
// OnChunk's, or the context's.
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
		defer p.remove(s.call) // deferred, because the Workload's functions may panic
		err = s.consume(ctx)
	}
	return s.outcome(time.Since(begin), err)
}

// earlier returns the number of chunks that were finished earlier.
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

// asked returns the intervals that the run has to cover, merged, in order.
func (w *Workload) asked() []ipc.Interval {
	switch {
	case w.Only != nil:
		return slices.Collect(w.Only.Runs())
	case w.Whole.Len() == 0:
		return nil
	}
	return []ipc.Interval{w.Whole}
}

// chunks returns the number of chunks that the run has to cover, including earlier ones.
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

// coveredWith returns the intervals of the chunks finished now and earlier, merged, in
// order.
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
