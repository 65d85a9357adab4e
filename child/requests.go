package child

import (
	"context"
	"fmt"
	"slices"
	"sync"

	"procpool/ipc"
	"procpool/task"
)

// A request is ready to run, or holds the error to answer it with.
type request struct {
	id       uint64
	began    float64 // when it began to run, if a trace is wanted; else 0
	spec     *task.Spec
	interval ipc.Interval // for a task over intervals
	with     []byte       // beside it; owned by the request
	arg      []byte       // for any other task; owned by the request
	options  ipc.RequestOptions
	err      error
}

// prepare looks up the task and parses the interval. An error goes into the
// request, so that it is answered in its turn.
func (s *server) prepare(r ipc.Request) request {
	if s.last == nil || string(r.Task) != s.last.Name {
		spec, ok := task.Lookup(string(r.Task))
		if !ok {
			return request{id: r.ID, err: fmt.Errorf("this program has no task %q", r.Task[:min(len(r.Task), 100)])}
		}
		if err := spec.Check(); err != nil {
			return request{id: r.ID, err: err}
		}
		s.last = spec
	}
	if !s.last.Sums() {
		return request{id: r.ID, spec: s.last, arg: s.in.Keep(r.Arg), options: r.RequestOptions}
	}
	iv, with, err := ipc.ParseIntervalWith(r.Arg)
	if len(with) > 0 {
		with = s.in.Keep(with)
	}
	return request{id: r.ID, spec: s.last, interval: iv, with: with, options: r.RequestOptions, err: err}
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
	argBytes int
	waiting  bool // push waits for room
	closed   bool // no more requests will come
	dropped  bool // nobody wants answers

	runs      bool         // a request was taken and is not done
	id        uint64       // its
	ctx       *taskContext // its task's; nil until begin
	cancelled bool         // it was cancelled before that
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
	for len(q.requests)-q.first >= ipc.MaxPending || wait && q.argBytes >= maxArgBytes {
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
	q.argBytes += len(r.arg) + len(r.with)
	q.changed.Broadcast()
	return true
}

// next waits for a request and takes it out. more is false when no requests will come.
func (q *requestQueue) next() (r request, more bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for q.first == len(q.requests) {
		if q.closed {
			return r, false
		}
		q.changed.Wait()
	}
	r = q.requests[q.first]
	q.runs, q.id, q.ctx, q.cancelled = true, r.id, nil, false
	q.requests[q.first] = request{}
	if q.first++; q.first == len(q.requests) {
		q.requests, q.first = q.requests[:0], 0
	} else if q.first >= ipc.MaxPending {
		n := copy(q.requests, q.requests[q.first:])
		clear(q.requests[n:])
		q.requests, q.first = q.requests[:n], 0
	}
	if q.argBytes -= len(r.arg) + len(r.with); q.waiting {
		q.changed.Broadcast()
	}
	return r, true
}

// begin gives the request that was taken last its task's context.
func (q *requestQueue) begin(ctx *taskContext) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.ctx = ctx; q.cancelled || q.dropped {
		ctx.cancel(context.Canceled)
	}
}

// done says that the request that was taken last has run.
func (q *requestQueue) done() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.runs, q.ctx = false, nil
}

// cancel takes the request with an id out, if it waits, and reports whether it did.
// Of one that was taken it cancels the task, unless only one that waits is meant.
func (q *requestQueue) cancel(id uint64, onlyQueued bool) (queued bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for i := len(q.requests) - 1; i >= q.first; i-- {
		if q.requests[i].id == id {
			q.argBytes -= len(q.requests[i].arg) + len(q.requests[i].with)
			q.requests = slices.Delete(q.requests, i, i+1)
			return true
		}
	}
	if q.runs && q.id == id && !onlyQueued {
		q.cancelTaken()
	}
	return false
}

// cancelTaken cancels the task of the request that was taken last. The caller
// holds mu.
func (q *requestQueue) cancelTaken() {
	if q.cancelled = true; q.ctx != nil {
		q.ctx.cancel(context.Canceled)
	}
}

func (q *requestQueue) empty() bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.first == len(q.requests)
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
	q.requests, q.first, q.argBytes = nil, 0, 0
	q.closed, q.dropped = true, true
	q.cancelTaken()
	q.changed.Broadcast()
}

func (q *requestQueue) isDropped() bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.dropped
}
