package child

import (
	"context"
	"fmt"
	"slices"
	"sync"

	"procpool/ipc"
	"procpool/task"
)

// A request is ready to run, or holds the error to answer it with. In the queue it may
// be what is left of a batch.
type request struct {
	id       uint64  // of a batch, the first
	batch    int     // requests that are left of a batch; 0 = it is none
	began    float64 // when it began to run, if a trace is wanted; else 0
	spec     *task.Spec
	interval ipc.Interval // for a task over intervals
	with     []byte       // beside it; owned by the request
	arg      []byte       // for any other task; owned by the request; of a batch, one after the other
	options  ipc.RequestOptions
	err      error
}

// prepare looks up the task and parses the interval. An error goes into the
// request, so that it is answered in its turn.
func (s *server) prepare(r ipc.Request) request {
	if s.last == nil || string(r.Task) != s.last.Name {
		spec, ok := task.Lookup(string(r.Task))
		if !ok {
			return request{id: r.ID, batch: r.Batch, err: fmt.Errorf("this program has no task %q", r.Task[:min(len(r.Task), 100)])}
		}
		if err := spec.Check(); err != nil {
			return request{id: r.ID, batch: r.Batch, err: err}
		}
		s.last = spec
	}
	if !s.last.Sums() {
		return request{id: r.ID, batch: r.Batch, spec: s.last, arg: s.in.Keep(r.Arg), options: r.RequestOptions}
	}
	if r.Batch > 0 {
		return request{id: r.ID, batch: r.Batch, err: fmt.Errorf("task %q works on intervals, which come one by one", s.last.Name)}
	}
	iv, with, err := ipc.ParseIntervalWith(r.Arg)
	if len(with) > 0 {
		with = s.in.Keep(with)
	}
	return request{id: r.ID, spec: s.last, interval: iv, with: with, options: r.RequestOptions, err: err}
}

// count is how many requests r is, or what is left of a batch.
func (r *request) count() int { return max(r.batch, 1) }

// split takes the first n of a batch's requests off, and returns them.
func (r *request) split(n int) (first request) {
	first = *r
	first.batch, r.batch = n, r.batch-n
	first.arg, r.arg = ipc.SplitValues(r.arg, n)
	r.id += uint64(n)
	r.options.Index += uint64(n)
	return first
}

// run runs the task and appends its encoded result to dst.
func (r *request) run(ctx context.Context, dst []byte) ([]byte, error) {
	switch {
	case r.err != nil:
		return dst, r.err
	case r.spec.Sums():
		return r.spec.RunInterval(ctx, r.interval, dst)
	}
	return r.spec.Run(ctx, r.arg, dst)
}

// A requestQueue holds the requests that have arrived and do not run yet, in
// order of arrival.
type requestQueue struct {
	mu       sync.Mutex
	changed  sync.Cond
	requests []request
	first    int // requests before it have been taken
	waits    int // requests that have not been taken, those of batches too
	argBytes int
	waiting  bool // push waits for room
	closed   bool // no more requests will come
	dropped  bool // nobody wants answers

	id  uint64       // of the request that was taken and is not done
	ctx *taskContext // its task's; nil if there is none
}

// maxArgBytes limits the args that wait in the queue while no parent supervises
// the worker. The worker then stops reading, so that it does not take a whole
// file of large requests into memory.
const maxArgBytes = 8 << 20

// push appends r. If wait is set, push waits while the queue is full, either of
// requests or of args. Otherwise it returns false if the queue is full of
// requests. It also returns false if the queue was dropped.
func (q *requestQueue) push(r request, wait bool) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	for q.waits > 0 && q.waits+r.count() > ipc.MaxPending || wait && q.argBytes >= maxArgBytes {
		if !wait {
			return false
		}
		q.waiting = true
		q.changed.Wait()
		q.waiting = false
	}
	if q.dropped {
		return false
	}
	q.requests = append(q.requests, r)
	q.waits += r.count()
	q.argBytes += len(r.arg) + len(r.with)
	q.changed.Broadcast()
	return true
}

// next waits for a request and takes it out, with ctx for its task. more is false when no
// requests will come.
func (q *requestQueue) next(ctx *taskContext) (r request, more bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for q.first == len(q.requests) {
		if q.closed {
			return r, false
		}
		q.changed.Wait()
	}
	if at := &q.requests[q.first]; at.batch > 1 {
		r = at.split(1)
	} else {
		r, *at = *at, request{}
		q.first++
	}
	q.id, q.ctx = r.id, ctx
	if q.first == len(q.requests) {
		q.requests, q.first = q.requests[:0], 0
	} else if q.first >= ipc.MaxPending {
		n := copy(q.requests, q.requests[q.first:])
		clear(q.requests[n:])
		q.requests, q.first = q.requests[:n], 0
	}
	q.waits--
	if q.argBytes -= len(r.arg) + len(r.with); q.waiting {
		q.changed.Broadcast()
	}
	return r, true
}

// done says that the request that was taken last has run, and reports whether none
// waits.
func (q *requestQueue) done() (empty bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.ctx = nil
	return q.waits == 0
}

// cancel takes the request with an id out, if it waits, and reports whether it did.
// Of one that was taken it cancels the task, unless only one that waits is meant.
func (q *requestQueue) cancel(id uint64, onlyQueued bool) (queued bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for i := len(q.requests) - 1; i >= q.first; i-- {
		if r := q.requests[i]; r.id <= id && id-r.id < uint64(r.count()) {
			q.takeOut(i, int(id-r.id))
			return true
		}
	}
	if q.ctx != nil && q.id == id && !onlyQueued {
		q.ctx.cancel(context.Canceled)
	}
	return false
}

// takeOut takes one request out, which may be the one at a place in a batch. The caller
// holds mu.
func (q *requestQueue) takeOut(i, place int) {
	var left []request // of the batch
	r := q.requests[i]
	if place > 0 {
		left = append(left, r.split(place))
	}
	if r.batch > 1 {
		out := r.split(1)
		left = append(left, r)
		r = out
	}
	q.waits--
	q.argBytes -= len(r.arg) + len(r.with)
	q.requests = slices.Replace(q.requests, i, i+1, left...)
}

// close says that no more requests will come.
func (q *requestQueue) close() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.closed = true
	q.changed.Broadcast()
}

// drop closes the queue, discards its requests, cancels the task that runs, and
// wakes everyone who waits.
func (q *requestQueue) drop() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.requests, q.first, q.waits, q.argBytes = nil, 0, 0, 0
	q.closed, q.dropped = true, true
	if q.ctx != nil {
		q.ctx.cancel(context.Canceled)
	}
	q.changed.Broadcast()
}

func (q *requestQueue) isDropped() bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.dropped
}
