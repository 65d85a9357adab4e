package cli

import (
	"context"
	"sync"
	"time"

	"procpool/ipc"
	"procpool/pool"
)

// A here counts the finished chunks of a run whose tasks run in this process. Such tasks
// cannot be killed: a task that does not end in time goes on until this process exits,
// and its later reports are dropped. A nil here drops nothing.
type here struct {
	mu      sync.Mutex
	left    bool // the run is over; drop what is still reported
	covered ipc.Ledger
	chunks  int64
}

// enter locks h for a report from the pool; leave unlocks it. It returns false, without
// the lock, if the run is over.
func (h *here) enter() bool {
	if h == nil {
		return true
	}
	if h.mu.Lock(); h.left {
		h.mu.Unlock()
		return false
	}
	return true
}

func (h *here) leave() {
	if h != nil {
		h.mu.Unlock()
	}
}

// around wraps onChunk so that finished chunks are counted.
func (h *here) around(onChunk func(pool.Chunk) error) func(pool.Chunk) error {
	return func(c pool.Chunk) error {
		if !h.enter() {
			return pool.ErrStopped
		}
		defer h.leave()
		h.chunks++
		if err := h.covered.Add(c.Interval); err != nil || onChunk == nil {
			return err
		}
		return onChunk(c)
	}
}

// An outcome holds both results of p.Run.
type outcome struct {
	pool.Outcome
	err error
}

// runHere runs w in this process and closes the pool. It does not wait for tasks that
// do not end when they must.
func (r *runCommand) runHere(ctx context.Context, p *pool.Pool, w pool.Workload) (pool.Outcome, error) {
	w.OnChunk = r.here.around(w.OnChunk)
	ran, closed := make(chan outcome, 1), make(chan struct{})
	go func() {
		defer close(closed)
		o, err := p.Run(ctx, w)
		ran <- outcome{o, err}
		p.Close()
	}()
	err := r.tooLate(ctx, closed)
	r.here.enter()
	defer r.here.leave()
	r.here.left = true
	select {
	case o := <-ran:
		return o.Outcome, o.err
	default:
	}
	o := pool.Outcome{Status: pool.Interrupted, Grid: w.Grid, Chunks: r.here.chunks}
	if err == pool.ErrDeadline {
		o.Status = pool.Deadline
	}
	for iv := range r.here.covered.Runs() {
		o.Covered = append(o.Covered, iv)
	}
	return o, err
}

// tooLate waits until the pool is closed and returns nil. If the pool should have closed
// by now, it waits a little longer and returns why the run had to end.
func (r *runCommand) tooLate(ctx context.Context, closed <-chan struct{}) (err error) {
	var deadline, graceOver <-chan time.Time
	if !r.until.IsZero() {
		deadline = time.After(time.Until(r.until))
	}
	for stop := r.signals.stop; err == nil; {
		select {
		case <-closed:
			return nil
		case <-stop:
			stop, graceOver = nil, time.After(r.options.Grace)
		case <-deadline:
			err = pool.ErrDeadline
		case <-graceOver:
			err = pool.ErrStopped
		case <-ctx.Done():
			err = pool.ErrStopped
		}
	}
	select {
	case <-closed:
	case <-time.After(endsWithin / 2):
	}
	return err
}
