package pool

import (
	"context"
	"slices"

	"procpool/ipc"
	"procpool/task"
)

// A job is one sum or map on its way through a pool: the chunks that may still
// be handed out, those in workers' hands, and those whose results wait for the
// consumer, which is the goroutine that called Sum or ranges over Map.
//
// Chunks are numbered from 0 in input order. Only those in [head, head+len(window))
// exist at any time, so memory does not grow with their number, and a late
// chunk holds dispatch back instead of letting results pile up behind it.
// Everything here is guarded by the pool's lock, but for what a comment says
// belongs to someone else meanwhile.
type job struct {
	pool  *Pool
	ctx   context.Context // of tasks that run in this process
	spec  *task.Spec
	cells cells
	grid  ipc.Grid                // of sums
	skip  func(ipc.Interval) bool // chunks that are done already; nil = none

	window   []chunk // chunk seq is window[seq%len(window)]
	head     int64   // the first chunk that the consumer has not taken
	next     int64   // the first chunk that was never handed out
	supplied int64   // chunks that exist so far; all of them for a sum
	retry    []int64 // chunks to be handed out again, in order

	finished []int64       // done since the consumer looked last, in order of completion
	waiting  int64         // bytes of results that wait for the consumer
	queued   int64         // bytes of inputs that are not done
	inHand   int           // chunks with workers
	retries  int64         // how often chunks were handed out again
	stopped  bool          // nothing more is handed out
	err      error         // why the job as a whole failed
	wake     chan struct{} // holds one when the consumer should look
}

// cells is where a job's results are kept, typed. A cell belongs to whoever
// has its chunk in hand, and to the consumer once the chunk is done.
type cells interface {
	decode(cell int, value []byte, own bool) error // own: value may be kept
	compute(ctx context.Context, cell int, c *chunk) error
}

type chunkState uint8

const (
	free   chunkState = iota // not handed out
	inHand                   // with a worker
	done                     // its result or error waits for the consumer
	past                     // needs nothing more
)

// A chunk is one piece of work. While it is in hand, its worker may read it
// without the lock.
type chunk struct {
	seq   int64
	iv    ipc.Interval // of a sum
	arg   []byte       // of a map: the encoded input
	state chunkState
	alone bool // was with a worker that died: is handed out on its own

	attempts int   // workers lost to it, or timeouts
	err      error // that it ended with
	worker   int   // that finished it
	host     string
	pid      int
	seconds  float64 // that the task took
	size     int64   // of the encoded result
}

// maxWaiting bounds the bytes of results that wait for the consumer while more
// is handed out, and of inputs that wait for workers while more are pulled.
const maxWaiting = 64 << 20

// windowSize is how many chunks of a job exist at once: enough to keep every
// worker's hand full while one chunk is late.
func windowSize(procs int, chunks int64) int {
	return int(min(max(4*int64(procs), 8*ipc.MaxPending), max(chunks, 1)))
}

func (j *job) at(seq int64) *chunk { return &j.window[seq%int64(len(j.window))] }

func (j *job) cell(c *chunk) int { return int(c.seq % int64(len(j.window))) }

// remaining is how many chunks could be handed out if the window were endless.
func (j *job) remaining() int64 {
	if j.stopped {
		return 0
	}
	return j.supplied - j.next + int64(len(j.retry))
}

// take gives out the lowest chunk that may go to a worker, or nil. A worker
// whose hand is not empty gets none that must be alone.
func (j *job) take(handEmpty bool) *chunk {
	if j.stopped {
		return nil
	}
	if len(j.retry) > 0 {
		c := j.at(j.retry[0])
		if c.alone && !handEmpty {
			return nil
		}
		j.retry = slices.Delete(j.retry, 0, 1)
		return j.hand(c)
	}
	for j.next < j.supplied && j.next < j.head+int64(len(j.window)) {
		if j.waiting > maxWaiting && j.next != j.head {
			return nil
		}
		c := j.at(j.next)
		if j.spec.Sums() {
			*c = chunk{seq: j.next, iv: j.grid.At(j.next)}
			if j.skip != nil && j.skip(c.iv) {
				c.state = past
				j.notify()
			}
		}
		j.next++
		if c.state == free {
			return j.hand(c)
		}
	}
	return nil
}

func (j *job) hand(c *chunk) *chunk {
	c.state = inHand
	j.inHand++
	return c
}

// settle accepts what became of a chunk in hand: a result, in its cell, or an
// error. This is the only way into done, and only chunks in hand get here: a
// term is counted once.
func (j *job) settle(c *chunk, err error) {
	j.queued -= int64(len(c.arg))
	c.state, c.err, c.arg = done, err, nil
	j.inHand--
	j.waiting += c.size
	j.finished = append(j.finished, c.seq)
	j.notify()
}

// giveBack returns a chunk in hand to be handed out again.
func (j *job) giveBack(c *chunk) {
	c.state = free
	j.inHand--
	j.retries++
	at, _ := slices.BinarySearch(j.retry, c.seq)
	j.retry = slices.Insert(j.retry, at, c.seq)
	j.notify() // a stopped job waits for its last chunk in hand
}

// fail ends the job as a whole: nothing more is handed out.
func (j *job) fail(err error) {
	if j.err == nil {
		j.err = err
	}
	j.stopped = true
	j.notify()
}

func (j *job) notify() {
	select {
	case j.wake <- struct{}{}:
	default:
	}
}

// input names a chunk in errors and events.
func (j *job) input(c *chunk) Input {
	return Input{Task: j.spec.Name, Index: c.seq, Interval: c.iv, IsSum: j.spec.Sums()}
}

// newJob makes a job with a window for n chunks at once.
func (p *Pool) newJob(ctx context.Context, spec *task.Spec, n int) *job {
	return &job{pool: p, ctx: ctx, spec: spec, window: make([]chunk, n), wake: make(chan struct{}, 1)}
}

// await waits until there may be something for the consumer: a result, the
// job's end, or that stop or expired is closed. In the serial backend this is
// where the work is done.
func (j *job) await(ctx context.Context, stop, expired <-chan struct{}) error {
	if s, ok := j.pool.slots[0].body.(*serial); ok && s.step(j) {
		return ctx.Err()
	}
	select {
	case <-j.wake:
	case <-stop:
	case <-expired:
	case <-ctx.Done():
	}
	return ctx.Err()
}
