package pool

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"procpool/ipc"
	"procpool/task"
)

// A sumCall is the consumer's side of a sum: it takes finished chunks as they come and
// folds their partials. Partials of exact tasks are folded at once, all others in the
// order of their intervals. A resumed sum folds nothing, since the caller has the
// partials of the earlier run and folds all of them.
type sumCall struct {
	work   Workload
	call   *call
	chunks *sumSupply
	fold   task.Fold

	earlier int64           // chunks finished by earlier runs; if there are any, nothing is folded
	inOrder bool            // partials are folded in the order of their intervals
	folded  int64           // number of chunks folded, if inOrder
	order   deque[*chunk]   // finished chunks after those, by seq; nil where one is missing
	covered ipc.Ledger      // intervals of finished chunks
	count   int64           // chunks finished in this run
	expired <-chan struct{} // closed when the run must end at once; nil if nothing limits it
	failure error           // why the run ends early

	failed      ipc.Ledger // chunks that failed, where the run goes on
	failures    int64
	firstFailed error
}

func newSumCall(ctx context.Context, p *Pool, w Workload, o callOptions) *sumCall {
	taskCtx, cancel := context.WithCancel(ctx)
	s := &sumCall{work: w, fold: w.Task.NewFold()}
	s.earlier = w.earlier()
	s.inOrder = w.InOrder != nil || !w.Task.Exact && s.earlier == 0
	s.call = p.newCall(taskCtx, w.Task, o)
	s.call.cancel, s.call.with = cancel, w.With
	s.chunks = &sumSupply{call: s.call, grid: w.Grid, only: w.Only, earlier: w.Earlier, fold: s.fold, inOrder: s.inOrder, window: windowSize(p.opts.Procs), unmade: w.chunks() - s.earlier}
	s.call.supply = s.chunks
	if p.opts.ChunkSize == 0 && w.chunks() <= int64(len(p.slots)) {
		s.chunks.assign()
	}
	return s
}

// windowSize returns how many chunks of a sum may exist at once: enough to keep every
// worker busy while one chunk is late.
func windowSize(procs int) int64 { return max(4*int64(procs), 8*ipc.MaxPending) }

// A sumSupply makes the chunks of a sum. At any time only a window of chunks exists, so
// memory does not grow with their number. Where the order matters, the window begins at
// the first chunk that is not folded: a late chunk holds dispatch back, instead of
// letting results pile up behind it.
type sumSupply struct {
	call    *call
	grid    ipc.Grid
	only    *ipc.Ledger // covers the chunks that belong to the sum; nil: all do
	earlier *ipc.Ledger // covers chunks that are left out
	fold    task.Fold
	inOrder bool
	window  int64

	at       int64    // index in the grid of the next chunk to make
	foreign  int64    // chunks before it that do not belong to the sum
	unmade   int64    // chunks that are still to be made
	head     int64    // seq of the first chunk that is not folded, if inOrder
	existing int64    // chunks made and not released
	free     []*chunk // released chunks to reuse

	resultBytes int64 // size of the results of existing chunks
}

// more reports whether there is a chunk now.
func (s *sumSupply) more() bool {
	s.skip()
	if s.at >= s.grid.N || s.existing >= s.window || s.inOrder && s.at-s.foreign >= s.head+s.window {
		return false
	}
	return s.resultBytes <= maxWaiting || s.existing == 0 || s.inOrder && s.at-s.foreign == s.head
}

// skip moves at over chunks that do not belong to the sum and chunks that were finished
// earlier, a run of them at a time.
func (s *sumSupply) skip() {
	for s.at < s.grid.N && (s.passForeign() || s.passEarlier()) {
	}
}

// passForeign moves at to the next chunk that belongs to the sum. It reports whether it
// moved.
func (s *sumSupply) passForeign() bool {
	if s.only == nil {
		return false
	}
	part := s.grid.At(s.at)
	if part.Len() == 0 {
		s.at++
		s.foreign++
		return true
	}
	next := s.at
	for gap := range s.only.Gaps(ipc.Interval{Start: part.Start, End: s.grid.Whole.End}) {
		switch {
		case gap.Start > part.Start: // the part belongs to the sum
		case gap.End == s.grid.Whole.End:
			next = s.grid.N
		default:
			next = s.grid.Find(gap.End)
		}
		break
	}
	passed := next - s.at
	s.foreign += passed
	s.at = next
	return passed > 0
}

// passEarlier moves at over chunks that were finished earlier. It reports whether it
// moved.
func (s *sumSupply) passEarlier() bool {
	if s.earlier == nil {
		return false
	}
	part := s.grid.At(s.at)
	run, covered := s.earlier.RunAt(part.Start)
	if !covered || run.End < part.End || part.Len() == 0 {
		return false
	}
	_, s.at = s.grid.Within(run)
	return true
}

func (s *sumSupply) next() *chunk {
	var ch *chunk
	if n := len(s.free); n > 0 {
		ch, s.free = s.free[n-1], s.free[:n-1]
	} else {
		made := &sumChunk{cell: sumCell{s.fold.NewPartial()}}
		made.chunk.call, made.chunk.cell = s.call, &made.cell
		ch = &made.chunk
	}
	ch.reset(s.at-s.foreign, s.grid.At(s.at))
	s.at++
	s.unmade--
	s.existing++
	return ch
}

func (s *sumSupply) left() int64 { return s.unmade }

func (s *sumSupply) settled(ch *chunk) { s.resultBytes += ch.size }

// assign makes all chunks now, and assigns chunk i to worker i.
func (s *sumSupply) assign() {
	s.call.assigned = true
	for s.more() {
		s.call.returned = append(s.call.returned, s.next())
	}
}

// release takes back folded chunks, so that as many others can be made.
func (s *sumSupply) release(chunks []*chunk) {
	for _, ch := range chunks {
		s.resultBytes -= ch.size
	}
	s.free = append(s.free, chunks...)
	s.existing -= int64(len(chunks))
}

// A sumChunk is a chunk of a sum with its cell.
type sumChunk struct {
	chunk chunk
	cell  sumCell
}

// A sumCell is a cell that holds a partial.
type sumCell struct{ task.Partial }

func (c *sumCell) decode(_ int, r ipc.Result, _ bool) error { return c.Decode(r.Value) }

func (c *sumCell) split(int) *chunk { panic("an interval is no batch") }

func (c *sumCell) compute(ctx context.Context, iv ipc.Interval) error { return c.Compute(ctx, iv) }

// consume folds chunks until all are done, or until the run ends early. A stopped or
// failed run ends when no chunk is in flight, at latest after the grace or at the
// deadline.
func (s *sumCall) consume(ctx context.Context) error {
	stop := s.work.Stop
	if !s.work.Deadline.IsZero() {
		deadline, release := context.WithDeadline(context.Background(), s.work.Deadline)
		defer release()
		s.expired = deadline.Done()
	}
	if _, ok := s.call.pool.slots[0].executor.(*serial); ok {
		defer s.cancelLate(stop)()
	}
	var finished, folded []*chunk
	for {
		finished = s.look(finished, folded)
		folded = s.accept(finished, folded[:0])
		if len(folded) > 0 {
			continue // give the chunks back before waiting
		}
		if over, err := s.over(); over {
			return err
		}
		if err := s.call.await(ctx, stop, s.expired); err != nil {
			return err
		}
		select {
		case <-s.expired:
			s.end(ErrDeadline) // first, so that a chunk cancelled by the deadline is not the run's error
			s.accept(s.look(finished, nil), nil)
			return s.failure
		case <-stop:
			stop = nil
			s.end(ErrStopped)
			if end := time.Now().Add(s.call.pool.opts.Grace); s.expired == nil || end.Before(s.work.Deadline) {
				s.expired = after(end)
			}
		default:
		}
	}
}

// cancelLate cancels the task's context at the deadline, or when the grace of a stopped
// run is over. The serial backend needs it because there the consumer computes, and
// watches neither meanwhile. The caller must call release.
func (s *sumCall) cancelLate(stop <-chan struct{}) (release func()) {
	expired, over := s.expired, make(chan struct{})
	var watcher sync.WaitGroup
	watcher.Go(func() {
		defer s.call.cancel()
		select {
		case <-stop:
		case <-expired:
			return
		case <-over:
			return
		}
		grace := time.NewTimer(s.call.pool.opts.Grace)
		defer grace.Stop()
		select {
		case <-grace.C:
		case <-expired:
		case <-over:
		}
	})
	return func() {
		close(over)
		watcher.Wait()
	}
}

// after returns a channel that is closed at t.
func after(t time.Time) <-chan struct{} {
	c := make(chan struct{})
	time.AfterFunc(time.Until(t), func() { close(c) })
	return c
}

// look gives folded chunks back to the supply and returns the chunks that have finished
// since the last look. It reuses buf.
func (s *sumCall) look(buf, folded []*chunk) (finished []*chunk) {
	c := s.call
	c.pool.mu.Lock()
	defer c.pool.mu.Unlock()
	finished, c.finished = c.finished, buf[:0]
	if len(folded) > 0 {
		s.chunks.release(folded)
		s.chunks.head = s.folded
		c.pool.list(c)
		c.pool.offer()
	}
	return finished
}

// accept reports finished chunks to the caller, folds those that can be folded, and
// returns folded with them appended. The first failure stops handing out; chunks in
// flight may finish.
func (s *sumCall) accept(finished, folded []*chunk) []*chunk {
	for _, ch := range finished {
		if err := s.acceptOne(ch); err != nil {
			s.end(err)
			continue
		}
		if !s.inOrder {
			s.add(ch)
			folded = append(folded, ch)
			continue
		}
		for int64(s.order.len()) <= ch.seq-s.folded {
			s.order.push(nil)
		}
		*s.order.at(int(ch.seq - s.folded)) = ch
	}
	for s.order.len() > 0 && *s.order.at(0) != nil {
		ch := s.order.pop()
		s.add(ch)
		s.folded++
		folded = append(folded, ch)
	}
	return folded
}

// add adds an accepted chunk to the sum, or passes it to Workload.InOrder.
func (s *sumCall) add(ch *chunk) {
	switch {
	case ch.err != nil: // it failed, and the run goes on
	case s.work.InOrder != nil:
		if s.failure != nil {
			return
		}
		if err := s.work.InOrder(s.chunkOf(ch)); err != nil {
			s.end(err)
		}
	case s.earlier == 0:
		s.fold.Add(ch.cell.(*sumCell).Partial)
	}
}

// acceptOne counts a chunk as finished and calls OnChunk. A chunk that is finished for
// the second time is an error.
func (s *sumCall) acceptOne(ch *chunk) error {
	if ch.err != nil {
		return s.acceptFailed(ch)
	}
	if s.call.custom && len(ch.raw) > 0 {
		if err := decode(ch); err != nil {
			return err
		}
	}
	if err := s.covered.Add(ch.iv); err != nil {
		return fmt.Errorf("chunk %d: %w: a term would be counted twice", ch.seq, err)
	}
	s.count++
	if s.work.OnChunk == nil {
		return nil
	}
	return s.work.OnChunk(s.chunkOf(ch))
}

// acceptFailed notes that a chunk has failed. It returns an error if that ends the run.
func (s *sumCall) acceptFailed(ch *chunk) error {
	if s.work.OnFailed == nil || isContextError(ch.err) {
		return ch.err
	}
	if err := s.work.OnFailed(ch.iv, ch.err); err != nil {
		return err
	}
	if s.failures++; s.firstFailed == nil {
		s.firstFailed = ch.err
	}
	return s.failed.Add(ch.iv)
}

// chunkOf returns the Chunk for a finished chunk.
func (s *sumCall) chunkOf(ch *chunk) Chunk {
	return Chunk{Seq: ch.seq, Interval: ch.iv, Worker: ch.worker, Host: ch.host, PID: ch.pid,
		Seconds: ch.seconds, Attempts: ch.attempts + 1, partial: ch.cell.(*sumCell).Partial}
}

// end stops handing out. The first why is the run's error.
func (s *sumCall) end(why error) {
	if s.failure == nil {
		s.failure = why
	}
	s.call.pool.mu.Lock()
	s.call.stop()
	s.call.pool.mu.Unlock()
}

// over reports whether the run has ended, and its error: every chunk is done, or the run
// ends early and nothing is in flight.
func (s *sumCall) over() (bool, error) {
	c := s.call
	c.pool.mu.Lock()
	defer c.pool.mu.Unlock()
	switch {
	case len(c.finished) > 0:
		return false, nil
	case c.err != nil:
		return true, c.err
	case s.failure != nil:
		return c.inFlight == 0, s.failure
	case c.inFlight > 0 || c.remaining() > 0:
		return false, nil
	case s.failures > 0:
		return true, &FailedChunksError{Chunks: s.failures, Failed: slices.Collect(s.failed.Runs()), First: s.firstFailed}
	}
	return true, nil
}

// outcome returns the Outcome of the run, and an error if the finished chunks do not
// cover what was asked for.
func (s *sumCall) outcome(wall time.Duration, err error) (Outcome, error) {
	o := Outcome{Status: statusOf(err), Grid: s.work.Grid, Wall: wall, Earlier: s.earlier, Covered: s.work.coveredWith(&s.covered)}
	o.Chunks, o.Failed = s.count+o.Earlier, slices.Collect(s.failed.Runs())
	s.call.pool.mu.Lock()
	o.Retries = s.call.retried
	s.call.pool.mu.Unlock()
	if asked := s.work.asked(); err == nil && !slices.Equal(o.Covered, asked) {
		err = fmt.Errorf("the partials cover %v, not %v", o.Covered, asked)
		o.Status = Failed
	}
	if err != nil {
		return o, err
	}
	if o.Earlier == 0 && s.work.InOrder == nil {
		o.Value, o.Total, o.fold = s.fold.Value(), s.fold.Total(), s.fold
	}
	return o, nil
}
