package pool

import (
	"context"
	"fmt"
	"time"

	"procpool/ipc"
	"procpool/task"
)

// A summing is the consumer of a sum: it takes finished chunks in the order in
// which they come, and folds their partials in the order of their intervals.
type summing struct {
	run    Workload
	job    *job
	fold   task.Fold
	cancel context.CancelFunc

	folded  int64           // chunks in the fold: all below this number
	covered ipc.Interval    // by the fold
	count   int64           // chunks finished now
	earlier int64           // chunks passed over by the fold
	expired <-chan struct{} // closed when the run must end; nil if it need not
	failure error
}

func newSumming(ctx context.Context, p *Pool, r Workload) *summing {
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
	stop := s.run.Stop
	if !s.run.Deadline.IsZero() {
		deadline, release := context.WithDeadline(context.Background(), s.run.Deadline)
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
