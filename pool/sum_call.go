package pool

import (
	"context"
	"fmt"
	"time"

	"procpool/ipc"
	"procpool/task"
)

// A sumCall consumes a sum: it takes finished chunks in the order in
// which they come, and folds their partials in the order of their intervals.
type sumCall struct {
	work   Workload
	call   *call
	fold   task.Fold
	cancel context.CancelFunc

	folded  int64           // chunks in the fold: all below this number
	covered ipc.Interval    // by the fold
	count   int64           // chunks finished now
	earlier int64           // chunks passed over by the fold
	expired <-chan struct{} // closed when the run must end; nil if it need not
	failure error
}

func newSumCall(ctx context.Context, p *Pool, w Workload) *sumCall {
	taskCtx, cancel := context.WithCancel(ctx)
	s := &sumCall{work: w, cancel: cancel, covered: ipc.Interval{Start: w.Whole.Start, End: w.Whole.Start}}
	n := windowSize(p.opts.Procs, w.Grid.N)
	s.fold = w.Task.NewFold(n)
	c := p.newCall(taskCtx, w.Task, n)
	c.cells, c.grid, c.supplied, c.skip = sumCells{s.fold}, w.Grid, w.Grid.N, w.Done
	if p.opts.ChunkSize == 0 && w.Grid.N <= int64(len(p.slots)) {
		c.assign()
	}
	s.call = c
	return s
}

// sumCells are the cells of a fold.
type sumCells struct{ fold task.Fold }

func (s sumCells) decode(cell int, value []byte, _ bool) error { return s.fold.Decode(cell, value) }

func (s sumCells) compute(ctx context.Context, cell int, c *chunk) error {
	return s.fold.Compute(ctx, cell, c.iv)
}

// consume folds until all is done, or until the run has come to its end in
// another way and no chunk is in flight any more.
func (s *sumCall) consume(ctx context.Context) error {
	stop := s.work.Stop
	if !s.work.Deadline.IsZero() {
		deadline, release := context.WithDeadline(context.Background(), s.work.Deadline)
		defer release()
		s.expired = deadline.Done()
	}
	var finished []int64
	var ready int64
	for {
		finished, ready = s.look(finished)
		s.accept(finished)
		if err := s.advance(ready); err != nil {
			s.end(err)
		}
		if s.folded == s.work.Grid.N {
			return s.failure
		}
		if over, err := s.over(); over {
			return err
		}
		if err := s.call.await(ctx, stop, s.expired); err != nil {
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
			if end := time.Now().Add(s.call.pool.opts.Grace); s.expired == nil || end.Before(s.work.Deadline) {
				s.expired = after(end)
			}
		default:
		}
	}
}

// after is a channel that is closed at t.
func after(t time.Time) <-chan struct{} {
	c := make(chan struct{})
	time.AfterFunc(time.Until(t), func() { close(c) })
	return c
}

// expiry is why the run ended hard: its grace after a stop, or its deadline.
func (s *sumCall) expiry() error {
	if s.failure != nil {
		return s.failure
	}
	return ErrDeadline
}

// look takes the numbers of the chunks that finished since it looked last, and
// says up to which chunk all are finished: no further than those it ever took,
// so that none is folded and its cell used again before it was accepted.
func (s *sumCall) look(buf []int64) (finished []int64, ready int64) {
	c := s.call
	c.pool.mu.Lock()
	defer c.pool.mu.Unlock()
	finished, c.finished = c.finished, buf[:0]
	ready = c.head
	for ready < c.next && (c.at(ready).state == past || c.at(ready).state == done && c.at(ready).err == nil) {
		ready++
	}
	return finished, ready
}

// accept reports finished chunks and notes the first failure, which stops
// handing out; what is in flight may finish.
func (s *sumCall) accept(finished []int64) {
	for _, seq := range finished {
		c := s.call.at(seq)
		if c.err != nil {
			s.end(c.err)
			continue
		}
		s.count++
		if s.work.OnChunk == nil {
			continue
		}
		err := s.work.OnChunk(Chunk{Seq: seq, Interval: c.iv, Worker: c.worker, Host: c.host, PID: c.pid,
			Seconds: c.seconds, Attempts: c.attempts + 1, fold: s.fold, cell: s.call.cell(c)})
		if err != nil {
			s.end(err)
		}
	}
}

// end stops handing out. The first reason is the run's.
func (s *sumCall) end(why error) {
	if s.failure == nil {
		s.failure = why
	}
	s.call.pool.mu.Lock()
	s.call.stopped = true
	s.call.pool.mu.Unlock()
}

// advance folds the partials below ready, and makes room for as many more chunks.
func (s *sumCall) advance(ready int64) error {
	c := s.call
	size := int64(0)
	for seq := s.folded; seq < ready; seq++ {
		ch := c.at(seq)
		if ch.iv.Start != s.covered.End {
			return fmt.Errorf("chunk %d is %v, but the sum ends at %d: a term would be lost or counted twice", seq, ch.iv, s.covered.End)
		}
		if ch.state == done {
			s.fold.Add(c.cell(ch))
		} else {
			s.earlier++
		}
		size += ch.size
		s.covered.End = ch.iv.End
	}
	if s.folded == ready {
		return nil
	}
	s.folded = ready
	c.pool.mu.Lock()
	defer c.pool.mu.Unlock()
	c.head = ready
	c.resultBytes -= size
	c.pool.offer()
	return nil
}

// over reports whether a run that is to end has nothing in flight any more.
func (s *sumCall) over() (bool, error) {
	s.call.pool.mu.Lock()
	defer s.call.pool.mu.Unlock()
	if len(s.call.finished) > 0 {
		return false, nil
	}
	if s.call.err != nil {
		return true, s.call.err
	}
	return s.failure != nil && s.call.inFlight == 0, s.failure
}

// outcome says what came of the run.
func (s *sumCall) outcome(wall time.Duration, err error) (Outcome, error) {
	o := Outcome{Status: statusOf(err), Grid: s.work.Grid, Chunks: s.count, Wall: wall, Earlier: s.earlier}
	s.call.pool.mu.Lock()
	o.Retries = s.call.retries
	o.Covered = s.coveredSoFar(&o)
	o.Chunks += o.Earlier
	s.call.pool.mu.Unlock()
	if err == nil && s.covered != s.work.Whole {
		err = fmt.Errorf("the partials cover %v, not %v", s.covered, s.work.Whole)
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

// coveredSoFar merges what the fold covers with the finished chunks beyond it,
// and counts those that were finished earlier. The caller holds the lock.
func (s *sumCall) coveredSoFar(o *Outcome) []ipc.Interval {
	covered := []ipc.Interval{s.covered}
	for seq := s.folded; seq < s.call.next; seq++ {
		switch c := s.call.at(seq); {
		case c.state == past:
			o.Earlier++
			covered = extend(covered, c.iv)
		case c.state == done && c.err == nil:
			covered = extend(covered, c.iv)
		}
	}
	for seq := s.call.next; s.work.Done != nil && seq < s.work.Grid.N; seq++ {
		if iv := s.work.Grid.At(seq); s.work.Done(iv) {
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
