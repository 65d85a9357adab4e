package pool

import (
	"context"
	"slices"

	"procpool/ipc"
	"procpool/task"
)

// A call is one sum or map on its way through a pool: the chunks that may still
// be handed out, those in flight, and those whose results wait for the consumer,
// which is the goroutine that called Sum or ranges over Map.
//
// Chunks are numbered from 0 in input order. Only those in [head, head+len(window))
// exist at any time, so memory does not grow with their number, and a late
// chunk holds dispatch back instead of letting results pile up behind it.
// The pool's lock guards all of it, except where a comment names another owner.
type call struct {
	pool     *Pool
	ctx      context.Context // of tasks that run in this process
	spec     *task.Spec
	cells    cells
	grid     ipc.Grid                // of sums
	skip     func(ipc.Interval) bool // reports chunks that are done already; nil = none
	assigned bool                    // chunk i is for worker i, see take

	window   []chunk // chunk seq is window[seq%len(window)]
	head     int64   // the first chunk that the consumer has not taken
	next     int64   // the first chunk that has not been in waiting and was never handed out
	supplied int64   // chunks that exist so far; all of them for a sum
	waiting  []int64 // chunks below next to be handed out, in order: returned ones, and assigned ones

	finished    []int64       // done since the consumer looked last, in order of completion
	resultBytes int64         // of results that wait for the consumer
	inputBytes  int64         // of inputs that are not done
	inFlight    int           // chunks with workers
	retries     int64         // how often chunks were handed out again
	stopped     bool          // nothing more is handed out
	err         error         // why the call as a whole failed
	wake        chan struct{} // holds one when the consumer should look
}

// cells keep a call's results, typed. A cell belongs to the worker that has its
// chunk in flight, and to the consumer once the chunk is done.
type cells interface {
	decode(cell int, value []byte, owned bool) error // owned: value may be kept
	compute(ctx context.Context, cell int, c *chunk) error
}

type chunkState uint8

const (
	free     chunkState = iota // not handed out
	inFlight                   // with a worker
	done                       // its result or error waits for the consumer
	past                       // needs nothing more
)

// A chunk is one piece of work. While it is in flight, its worker may read it
// without the lock.
type chunk struct {
	seq   int64
	iv    ipc.Interval // of a sum
	arg   []byte       // of a map: the encoded input
	state chunkState
	alone bool // it was with a worker that died, and is handed out on its own

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

// windowSize is how many chunks of a call exist at once: enough to keep every
// worker busy while one chunk is late.
func windowSize(procs int, chunks int64) int {
	return int(min(max(4*int64(procs), 8*ipc.MaxPending), max(chunks, 1)))
}

// newCall makes a call with a window for n chunks at once.
func (p *Pool) newCall(ctx context.Context, spec *task.Spec, n int) *call {
	return &call{pool: p, ctx: ctx, spec: spec, window: make([]chunk, n), wake: make(chan struct{}, 1)}
}

// assign makes chunk i worker i's. The window must have room for all chunks.
func (c *call) assign() {
	c.assigned = true
	for c.next < c.supplied {
		if c.create().state == free {
			c.waiting = append(c.waiting, c.next-1)
		}
	}
}

// create makes chunk next of a sum.
func (c *call) create() *chunk {
	ch := c.at(c.next)
	*ch = chunk{seq: c.next, iv: c.grid.At(c.next)}
	if c.skip != nil && c.skip(ch.iv) {
		ch.state = past
		c.notify()
	}
	c.next++
	return ch
}

func (c *call) at(seq int64) *chunk { return &c.window[seq%int64(len(c.window))] }

func (c *call) cell(ch *chunk) int { return int(ch.seq % int64(len(c.window))) }

// remaining is how many chunks could be handed out if the window were endless.
func (c *call) remaining() int64 {
	if c.stopped {
		return 0
	}
	return c.supplied - c.next + int64(len(c.waiting))
}

// take gives out the lowest chunk that s may have, or nil. A worker that has
// something in flight gets none that must be alone. Of assigned chunks s gets
// its own, and those of workers that cannot begin theirs.
func (c *call) take(s *slot) *chunk {
	if c.stopped {
		return nil
	}
	for i, seq := range c.waiting {
		if c.assigned && seq != int64(s.index) && c.pool.slots[seq].canBegin(c) {
			continue
		}
		ch := c.at(seq)
		if ch.alone && len(s.inFlight) > 0 {
			return nil
		}
		c.waiting = slices.Delete(c.waiting, i, i+1)
		return c.handOut(ch)
	}
	for c.next < c.supplied && c.next < c.head+int64(len(c.window)) {
		if c.resultBytes > maxWaiting && c.next != c.head {
			return nil
		}
		ch := c.at(c.next)
		if c.spec.Sums() {
			c.create()
		} else {
			c.next++
		}
		if ch.state == free {
			return c.handOut(ch)
		}
	}
	return nil
}

func (c *call) handOut(ch *chunk) *chunk {
	ch.state = inFlight
	c.inFlight++
	return ch
}

// settle accepts what became of a chunk in flight: a result, in its cell, or an
// error. This is the only way into done, and only chunks in flight get here: a
// term is counted once.
func (c *call) settle(ch *chunk, err error) {
	c.inputBytes -= int64(len(ch.arg))
	ch.state, ch.err, ch.arg = done, err, nil
	c.inFlight--
	c.resultBytes += ch.size
	c.finished = append(c.finished, ch.seq)
	c.notify()
}

// giveBack returns a chunk in flight to be handed out again.
func (c *call) giveBack(ch *chunk) {
	ch.state = free
	c.inFlight--
	c.retries++
	at, _ := slices.BinarySearch(c.waiting, ch.seq)
	c.waiting = slices.Insert(c.waiting, at, ch.seq)
	c.notify() // a stopped call waits for its last chunk in flight
}

// fail ends the call as a whole: nothing more is handed out.
func (c *call) fail(err error) {
	if c.err == nil {
		c.err = err
	}
	c.stopped = true
	c.notify()
}

func (c *call) notify() {
	select {
	case c.wake <- struct{}{}:
	default:
	}
}

// input names a chunk in errors and events.
func (c *call) input(ch *chunk) Input {
	return Input{Task: c.spec.Name, Index: ch.seq, Interval: ch.iv, IsSum: c.spec.Sums()}
}

// await waits until there may be something for the consumer: a result, the
// call's end, or that stop or expired is closed. In the serial backend the work
// is done here.
func (c *call) await(ctx context.Context, stop, expired <-chan struct{}) error {
	if s, ok := c.pool.slots[0].body.(*serial); ok && s.step(c) {
		return ctx.Err()
	}
	select {
	case <-c.wake:
	case <-stop:
	case <-expired:
	case <-ctx.Done():
	}
	return ctx.Err()
}
