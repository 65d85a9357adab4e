package cli

import (
	"context"
	"sync"
	"time"

	"procpool/ipc"
	"procpool/pool"
)

// A here keeps account of a run whose tasks run in this process. Such a task cannot be
// killed. One that does not end in time is left behind, computing until this process
// exits, and what it still reports is dropped. A nil here drops nothing.
type here struct {
	mu      sync.Mutex
	left    bool // behind
	covered ipc.Ledger
	chunks  int64
}

// enter begins a report from the pool, which leave ends. It returns false if nobody
// listens any more.
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

// around returns onChunk with account of what it is told.
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

// An outcome is what p.Run returns.
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

// tooLate waits until the pool is closed, or for some time longer than it may take.
// The error is then why it had to end.
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
