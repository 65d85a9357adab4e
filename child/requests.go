package child

import (
	"context"
	"fmt"
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
	arg      []byte       // for any other task; owned by the request
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
		return request{id: r.ID, spec: s.last, arg: s.in.Keep(r.Arg)}
	}
	iv, err := ipc.ParseInterval(r.Arg)
	return request{id: r.ID, spec: s.last, interval: iv, err: err}
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
	argBytes int
	closed   bool // no more requests will come
	dropped  bool // nobody wants answers
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
	for len(q.requests) >= ipc.MaxPending || wait && q.argBytes >= maxArgBytes {
		if !wait {
			return false
		}
		q.changed.Wait()
	}
	if q.dropped {
		return false
	}
	q.requests = append(q.requests, r)
	q.argBytes += len(r.arg)
	q.changed.Broadcast()
	return true
}

// take waits for requests and returns all of them; the queue uses the memory of
// empty for the next ones. more is false when no requests will come.
func (q *requestQueue) take(empty []request) (requests []request, more bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for len(q.requests) == 0 && !q.closed {
		q.changed.Wait()
	}
	requests = q.requests
	q.requests, q.argBytes = empty[:0], 0
	q.changed.Broadcast()
	return requests, len(requests) > 0
}

func (q *requestQueue) empty() bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	return len(q.requests) == 0
}

// close says that no more requests will come.
func (q *requestQueue) close() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.closed = true
	q.changed.Broadcast()
}

// drop closes the queue, discards its requests and wakes everyone who waits.
func (q *requestQueue) drop() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.requests, q.argBytes = nil, 0
	q.closed, q.dropped = true, true
	q.changed.Broadcast()
}

func (q *requestQueue) isDropped() bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.dropped
}
