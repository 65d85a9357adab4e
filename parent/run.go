package parent

import (
	"context"
	"errors"
	"fmt"
	"time"

	"procpool/ipc"
	"procpool/task"
)

// A Run is a sum with everything that a batch job wants to say about it. Task
// and Whole are needed; the zero value of the rest is valid.
type Run struct {
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
		return ipc.ChunkGrid(whole, RoundUp(o.ChunkSize, spec.Grain))
	}
	return ipc.SplitGrid(whole, o.Procs, spec.Grain)
}

// RoundUp is the least multiple of grain that is not below size, as far as
// ipc.MaxIndex allows.
func RoundUp(size, grain int64) int64 {
	if size > ipc.MaxIndex-grain {
		return ipc.MaxIndex / grain * grain
	}
	return (size + grain - 1) / grain * grain
}

// Run computes a sum. The Outcome is valid also with an error: it says how far
// the run came. The error is nil only if everything was done; it is an error
// of this package, OnChunk's, or the context's.
func (p *Pool) Run(ctx context.Context, r Run) (Outcome, error) {
	if err := r.check(); err != nil {
		return Outcome{Status: Failed}, err
	}
	if r.Grid.N == 0 {
		r.Grid = p.Grid(r.Task, r.Whole)
	}
	s := newSumming(ctx, p, r)
	defer s.cancel()
	begin := time.Now()
	err := p.enter(s.job)
	if err == nil {
		err = s.consume(ctx)
		p.leave(s.job)
	}
	return s.outcome(time.Since(begin), err)
}

func (r *Run) check() error {
	if err := r.Task.Check(); err != nil {
		return err
	}
	if !r.Task.Sums() {
		return fmt.Errorf("task %q does not work on intervals", r.Task.Name)
	}
	if err := r.Whole.Validate(); err != nil {
		return err
	}
	if r.Whole.Start%r.Task.Grain != 0 {
		return fmt.Errorf("interval %v does not start on a multiple of the grain of %s, %d", r.Whole, r.Task.Name, r.Task.Grain)
	}
	return nil
}

// A summing is the consumer of a sum: it takes finished chunks in the order in
// which they come, and folds their partials in the order of their intervals.
type summing struct {
	run    Run
	job    *job
	fold   task.Fold
	cancel context.CancelFunc

	folded  int64        // chunks in the fold: all below this number
	covered ipc.Interval // by the fold
	count   int64        // chunks finished now
	earlier int64        // chunks passed over by the fold
	expired <-chan struct{}
	failure error
}

func newSumming(ctx context.Context, p *Pool, r Run) *summing {
	taskCtx, cancel := context.WithCancel(ctx)
	s := &summing{run: r, cancel: cancel, covered: ipc.Interval{Start: r.Whole.Start, End: r.Whole.Start}}
	n := windowSize(p.opts.Procs, r.Grid.N)
	s.fold = r.Task.NewFold(n)
	s.job = p.newJob(taskCtx, r.Task, n)
	s.job.cells, s.job.grid, s.job.supplied, s.job.skip = sumCells{s.fold}, r.Grid, r.Grid.N, r.Done
	return s
}

// sumCells are the cells of a fold.
type sumCells struct{ fold task.Fold }

func (s sumCells) decode(cell int, value []byte, _ bool) error { return s.fold.Decode(cell, value) }

func (s sumCells) compute(ctx context.Context, cell int, c *chunk) error {
	return s.fold.Compute(ctx, cell, c.iv)
}

// consume folds until all is done, or until the run has come to its end in
// another way and no chunk is in hand any more.
func (s *summing) consume(ctx context.Context) error {
	stop, release := s.timers()
	defer release()
	var finished []int64
	var ready int64
	for {
		finished, ready = s.look(finished)
		s.accept(finished)
		if err := s.advance(ready); err != nil {
			s.end(err)
		}
		if s.folded == s.run.Grid.N {
			return s.failure
		}
		if over, err := s.over(); over {
			return err
		}
		if err := s.job.await(ctx, stop, s.expired); err != nil {
			return err
		}
		select {
		case <-s.expired:
			finished, _ = s.look(finished)
			s.accept(finished)
			return s.expiry()
		case <-stop:
			stop = nil
			s.end(ErrStopped)
			if end := time.Now().Add(s.job.pool.opts.Grace); s.expired == nil || end.Before(s.run.Deadline) {
				s.expired = after(end)
			}
		default:
		}
	}
}

// timers gives the channels of the run's ends: Stop, and the deadline.
func (s *summing) timers() (stop <-chan struct{}, release func()) {
	if s.run.Deadline.IsZero() {
		return s.run.Stop, func() {}
	}
	ctx, cancel := context.WithDeadline(context.Background(), s.run.Deadline)
	s.expired = ctx.Done()
	return s.run.Stop, cancel
}

// after is a channel that is closed at t.
func after(t time.Time) <-chan struct{} {
	c := make(chan struct{})
	time.AfterFunc(time.Until(t), func() { close(c) })
	return c
}

// expiry is why the run ended hard: its grace after a stop, or its deadline.
func (s *summing) expiry() error {
	if s.failure != nil {
		return s.failure
	}
	return ErrDeadline
}

// look takes the numbers of the chunks that finished since it looked last, and
// says up to which chunk all are finished: no further than those it ever took,
// so that none is folded and its cell used again before it was accepted.
func (s *summing) look(buf []int64) (finished []int64, ready int64) {
	j := s.job
	j.pool.mu.Lock()
	defer j.pool.mu.Unlock()
	finished, j.finished = j.finished, buf[:0]
	ready = j.head
	for ready < j.next && (j.at(ready).state == past || j.at(ready).state == done && j.at(ready).err == nil) {
		ready++
	}
	return finished, ready
}

// accept reports finished chunks and notes the first failure, which stops
// handing out; what is in hand may finish.
func (s *summing) accept(finished []int64) {
	for _, seq := range finished {
		c := s.job.at(seq)
		if c.err != nil {
			s.end(c.err)
			continue
		}
		s.count++
		if s.run.OnChunk == nil {
			continue
		}
		err := s.run.OnChunk(Chunk{Seq: seq, Interval: c.iv, Worker: c.worker, Host: c.host, PID: c.pid,
			Seconds: c.seconds, Attempts: c.attempts + 1, fold: s.fold, cell: s.job.cell(c)})
		if err != nil {
			s.end(err)
		}
	}
}

// end stops handing out. The first reason is the run's.
func (s *summing) end(why error) {
	if s.failure == nil {
		s.failure = why
	}
	s.job.pool.mu.Lock()
	s.job.stopped = true
	s.job.pool.mu.Unlock()
}

// advance folds the partials below ready, and makes room for as many more chunks.
func (s *summing) advance(ready int64) error {
	j := s.job
	size := int64(0)
	for seq := s.folded; seq < ready; seq++ {
		c := j.at(seq)
		if c.iv.Start != s.covered.End {
			return fmt.Errorf("chunk %d is %v, but the sum ends at %d: a term would be lost or counted twice", seq, c.iv, s.covered.End)
		}
		if c.state == done {
			s.fold.Add(j.cell(c))
		} else {
			s.earlier++
		}
		size += c.size
		s.covered.End = c.iv.End
	}
	if s.folded == ready {
		return nil
	}
	s.folded = ready
	j.pool.mu.Lock()
	defer j.pool.mu.Unlock()
	j.head = ready
	j.waiting -= size
	j.pool.offer()
	return nil
}

// over reports whether a run that is to end has nothing in hand any more.
func (s *summing) over() (bool, error) {
	s.job.pool.mu.Lock()
	defer s.job.pool.mu.Unlock()
	if len(s.job.finished) > 0 {
		return false, nil
	}
	if s.job.err != nil {
		return true, s.job.err
	}
	return s.failure != nil && s.job.inHand == 0, s.failure
}

// outcome says what came of the run.
func (s *summing) outcome(wall time.Duration, err error) (Outcome, error) {
	o := Outcome{Status: statusOf(err), Grid: s.run.Grid, Chunks: s.count, Wall: wall, Earlier: s.earlier}
	s.job.pool.mu.Lock()
	o.Retries = s.job.retries
	o.Covered = s.coveredSoFar(&o)
	o.Chunks += o.Earlier
	s.job.pool.mu.Unlock()
	if err == nil && s.covered != s.run.Whole {
		err = fmt.Errorf("the partials cover %v, not %v", s.covered, s.run.Whole)
		o.Status = Failed
	}
	if err != nil {
		return o, err
	}
	if o.Earlier == 0 {
		o.Value, o.Total, o.fold = s.fold.Value(), s.fold.Total(), s.fold
	}
	return o, nil
}

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

// coveredSoFar merges what the fold covers with the finished chunks beyond it,
// and counts those that were finished earlier. The caller holds the lock.
func (s *summing) coveredSoFar(o *Outcome) []ipc.Interval {
	covered := []ipc.Interval{s.covered}
	for seq := s.folded; seq < s.job.next; seq++ {
		switch c := s.job.at(seq); {
		case c.state == past:
			o.Earlier++
			covered = extend(covered, c.iv)
		case c.state == done && c.err == nil:
			covered = extend(covered, c.iv)
		}
	}
	for seq := s.job.next; s.run.Done != nil && seq < s.run.Grid.N; seq++ {
		if iv := s.run.Grid.At(seq); s.run.Done(iv) {
			o.Earlier++
			covered = extend(covered, iv)
		}
	}
	if covered[0].Len() == 0 {
		covered = covered[1:]
	}
	return covered
}

func extend(covered []ipc.Interval, iv ipc.Interval) []ipc.Interval {
	if last := &covered[len(covered)-1]; last.End == iv.Start {
		last.End = iv.End
		return covered
	}
	return append(covered, iv)
}
