package child

import (
	"context"
	"fmt"
	"sync"

	"procpool/ipc"
	"procpool/task"
)

// A job is a request made ready to run, or its failure.
type job struct {
	id       uint64
	began    float64 // when it began to run, for a trace; else 0
	spec     *task.Spec
	interval ipc.Interval
	arg      []byte // its own; unused for tasks over intervals
	err      error
}

// newJob finds the task and reads the interval, so that an unreadable request is
// answered in its turn.
func (s *server) newJob(r ipc.Request) job {
	if s.last == nil || string(r.Task) != s.last.Name {
		spec, ok := task.Lookup(string(r.Task))
		if !ok {
			return job{id: r.ID, err: fmt.Errorf("this program has no task %q", r.Task[:min(len(r.Task), 100)])}
		}
		if err := spec.Check(); err != nil {
			return job{id: r.ID, err: err}
		}
		s.last = spec
	}
	if !s.last.Sums() {
		return job{id: r.ID, spec: s.last, arg: s.in.Keep(r.Arg)}
	}
	iv, err := ipc.ParseInterval(r.Arg)
	return job{id: r.ID, spec: s.last, interval: iv, err: err}
}

func (j *job) run(ctx context.Context, dst []byte) ([]byte, error) {
	switch {
	case j.err != nil:
		return dst, j.err
	case j.spec.Sums():
		return j.spec.RunInterval(ctx, j.interval, dst)
	}
	return j.spec.Run(ctx, j.arg, dst)
}

// A queue holds requests that have come and not been begun, in order.
type queue struct {
	mu      sync.Mutex
	ready   sync.Cond // something changed
	jobs    []job
	bytes   int // of their args
	closed  bool
	dropped bool
}

// waitingArgs is how many bytes of args may wait where the parent can be made
// to wait as well: a file of large requests is not taken in at once.
const waitingArgs = 8 << 20

// push appends j. If the queue is full it waits when it may, else it reports
// false, as it does when the queue was dropped; args can make it full only when
// it may wait.
func (q *queue) push(j job, wait bool) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	for len(q.jobs) >= ipc.MaxPending || wait && q.bytes >= waitingArgs {
		if !wait {
			return false
		}
		q.ready.Wait()
	}
	if q.dropped {
		return false
	}
	q.jobs = append(q.jobs, j)
	q.bytes += len(j.arg)
	q.ready.Broadcast()
	return true
}

// take waits for jobs and hands out all of them in exchange for an empty
// slice; more is false when there will be none.
func (q *queue) take(empty []job) (jobs []job, more bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for len(q.jobs) == 0 && !q.closed {
		q.ready.Wait()
	}
	jobs = q.jobs
	q.jobs, q.bytes = empty[:0], 0
	q.ready.Broadcast()
	return jobs, len(jobs) > 0
}

func (q *queue) empty() bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	return len(q.jobs) == 0
}

func (q *queue) close() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.closed = true
	q.ready.Broadcast()
}

// drop forgets what waits and lets go of whoever waits: nobody is left to be answered.
func (q *queue) drop() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.jobs, q.bytes = nil, 0
	q.closed, q.dropped = true, true
	q.ready.Broadcast()
}

func (q *queue) isDropped() bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.dropped
}
