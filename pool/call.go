package pool

import (
	"container/heap"
	"context"
	"slices"
	"time"

	"procpool/ipc"
	"procpool/task"
)

// A call is one sum or map on its way through a pool: the chunks that may still
// be handed out, those in flight, and those whose results wait for the consumer,
// which is the goroutine that called Sum or ranges over Map. The pool's lock
// guards it.
type call struct {
	pool     *Pool
	ctx      context.Context // of tasks that run in this process
	spec     *task.Spec
	supply   supply
	timeout  time.Duration // of a chunk; 0 = none
	retries  int           // how often a chunk is run again; below 0: it is never sent twice
	prefetch int           // chunks that a worker may have beside the one it runs; below 0: by its pace
	custom   bool          // results are decoded by the consumer
	assigned bool          // chunk i is for worker i

	returned []*chunk      // to be handed out again, and assigned ones, in order
	finished []*chunk      // done since the consumer looked last, in order of completion
	inFlight int           // chunks with workers
	retried  int64         // how often chunks were handed out again
	stopped  bool          // nothing more is handed out
	err      error         // why the call as a whole failed
	wake     chan struct{} // holds one when the consumer should look

	used   float64 // seconds of workers' time that it had, see Pool.pick
	listed int     // its place in pool.ready; below 0: it is not there
	drain  *slot   // takes no more until it can have the first returned chunk alone
}

// A supply makes a call's chunks, in order. The pool's lock is held.
type supply interface {
	// more reports whether there is a chunk now.
	more() bool
	// next is that chunk.
	next() *chunk
	// left is how many chunks there are now, as far as is known.
	left() int64
	// settled notes that a chunk is done, with a result of a size in bytes.
	settled(size int64)
}

// maxWaiting bounds the bytes of results that wait for the consumer while more
// is handed out, and of inputs that wait for workers while more are pulled.
const maxWaiting = 64 << 20

func (p *Pool) newCall(ctx context.Context, spec *task.Spec, o callOptions) *call {
	return &call{
		pool: p, ctx: ctx, spec: spec, timeout: o.timeout, retries: o.retries, prefetch: o.prefetch,
		custom: spec.DecodesItself(), wake: make(chan struct{}, 1), listed: -1,
	}
}

// remaining is how many chunks could be handed out.
func (c *call) remaining() int64 {
	if c.stopped {
		return 0
	}
	return c.supply.left() + int64(len(c.returned))
}

// available reports whether a worker could have a chunk.
func (c *call) available() bool {
	return !c.stopped && (len(c.returned) > 0 || c.supply.more())
}

// nextAlone reports whether the next chunk must be alone with its worker.
func (c *call) nextAlone() bool {
	return c.retries < 0 || len(c.returned) > 0 && c.returned[0].alone
}

// take gives out the lowest chunk that s may have, or nil. Of assigned chunks s
// gets its own, and those of workers that cannot begin theirs.
func (c *call) take(s *slot) *chunk {
	for i, ch := range c.returned {
		if c.assigned && ch.seq != int64(s.index) && c.pool.slots[ch.seq].canBegin(c) {
			continue
		}
		if ch.alone && len(s.inFlight) > 0 {
			continue
		}
		c.returned = slices.Delete(c.returned, i, i+1)
		return c.handOut(ch)
	}
	if !c.supply.more() {
		return nil
	}
	return c.handOut(c.supply.next())
}

func (c *call) handOut(ch *chunk) *chunk {
	ch.state, ch.recalled = inFlight, false
	c.inFlight++
	c.undrain()
	return ch
}

// undrain lets the slot take chunks that was kept free for this call.
func (c *call) undrain() {
	if c.drain != nil {
		c.drain.drains, c.drain = nil, nil
	}
}

// settle accepts what became of a chunk in flight: a result, in its cell, or an
// error. This is the only way into done, and only chunks in flight get here: a
// term is counted once.
func (c *call) settle(ch *chunk, err error) {
	ch.state, ch.err, ch.arg = done, err, nil
	c.inFlight--
	c.supply.settled(ch.size)
	c.finished = append(c.finished, ch)
	c.notify()
}

// giveBack returns a chunk in flight to be handed out again.
func (c *call) giveBack(ch *chunk) {
	ch.state = free
	c.inFlight--
	at, _ := slices.BinarySearchFunc(c.returned, ch.seq, func(r *chunk, seq int64) int { return int(r.seq - seq) })
	c.returned = slices.Insert(c.returned, at, ch)
	c.notify() // a stopped call waits for its last chunk in flight
	c.pool.list(c)
}

// stop has nothing more handed out.
func (c *call) stop() {
	c.stopped = true
	c.undrain()
}

// fail ends the call as a whole.
func (c *call) fail(err error) {
	if c.err == nil {
		c.err = err
	}
	c.stop()
	c.notify()
}

func (c *call) notify() {
	select {
	case c.wake <- struct{}{}:
	default:
	}
}

// await waits until there may be something for the consumer: a result, the
// call's end, or that stop or expired is closed. In the serial backend the work
// is done here.
func (c *call) await(ctx context.Context, stop, expired <-chan struct{}) error {
	if s, ok := c.pool.slots[0].executor.(*serial); ok && s.step(c) {
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

// A queue holds the calls that may have chunks to hand out, the one that had the
// least of the workers' time first.
type queue []*call

func (q queue) Len() int           { return len(q) }
func (q queue) Less(i, j int) bool { return q[i].used < q[j].used }
func (q queue) Swap(i, j int) {
	q[i], q[j] = q[j], q[i]
	q[i].listed, q[j].listed = i, j
}
func (q *queue) Push(c any) {
	c.(*call).listed = len(*q)
	*q = append(*q, c.(*call))
}
func (q *queue) Pop() any {
	last := len(*q) - 1
	c := (*q)[last]
	(*q)[last] = nil
	*q = (*q)[:last]
	c.listed = -1
	return c
}

// list puts a call into the queue, if it is not there. A call that was away has no
// claim to the time that others had meanwhile.
func (p *Pool) list(c *call) {
	if c.listed < 0 && c.available() {
		c.used = max(c.used, p.leastUsed)
		heap.Push(&p.ready, c)
	}
}

// charge adds to the time that a call had.
func (p *Pool) charge(c *call, seconds float64) {
	c.used += seconds
	if c.listed >= 0 && len(p.ready) > 1 {
		heap.Fix(&p.ready, c.listed)
	}
}

// pick chooses a chunk for s: of the call that had the least of the workers' time,
// if it has one that s may take. So calls that run at once have equal shares, however
// long their chunks are, and none waits for the end of another.
func (p *Pool) pick(s *slot) (picked *chunk) {
	if len(s.inFlight) > 0 && s.inFlight[0].mustBeAlone() {
		return nil
	}
	passed := p.passed[:0]
	for len(p.ready) > 0 && picked == nil {
		c := p.ready[0]
		if !c.available() {
			heap.Pop(&p.ready)
			continue
		}
		fits, waits := s.fits(c)
		if fits {
			picked = c.take(s)
		}
		if picked != nil {
			break
		}
		heap.Pop(&p.ready)
		passed = append(passed, c)
		if waits {
			break
		}
	}
	if picked != nil {
		c := picked.call
		p.leastUsed = max(p.leastUsed, c.used)
		picked.estimate = s.estimate(c.spec)
		p.charge(c, max(picked.estimate, leastSeconds))
	}
	for _, c := range passed {
		heap.Push(&p.ready, c)
	}
	clear(passed)
	p.passed = passed[:0]
	return picked
}

// leastSeconds is what handing a chunk out costs a call at least, so that calls
// take turns also while nothing is known of their pace.
const leastSeconds = 1e-6

func (ch *chunk) mustBeAlone() bool { return ch.alone || ch.call.retries < 0 }

// count is how many of c's chunks the slot has in flight.
func (s *slot) count(c *call) (n int64) {
	for _, ch := range s.inFlight {
		if ch.call == c {
			n++
		}
	}
	return n
}

// estimate is how many seconds a chunk takes here, 0 if unknown.
func (s *slot) estimate(spec *task.Spec) float64 {
	if s.paceOf != spec {
		return 0
	}
	return s.pace
}

// fits reports whether the slot may have another chunk, of c: what it does in 10 ms
// (in 200 ms if they have a way to go), but no more of c's than its share of what
// is left, so that the last chunks are not queued behind a slow one while another
// worker is idle. waits is set if the slot takes nothing else until it is empty.
func (s *slot) fits(c *call) (fits, waits bool) {
	n := len(s.inFlight)
	if s.drains != nil && s.drains != c {
		return false, false
	}
	if n == 0 {
		return true, false
	}
	if c.nextAlone() {
		if c.drain == nil {
			c.drain, s.drains = s, c
		}
		return false, c.drain == s
	}
	if c.prefetch >= 0 {
		return s.count(c) <= int64(c.prefetch) && n < ipc.MaxPending, false
	}
	if n >= aheadChunks {
		estimate := s.estimate(c.spec)
		// Chunks that were sent before anything was known of their pace count as
		// much as this one.
		ahead := max(s.ahead, float64(n)*estimate)
		if estimate <= 0 || ahead+estimate > s.aheadSeconds() {
			return false, false
		}
	}
	if share := c.remaining() / int64(s.pool.present()); share < int64(n)+1 {
		return s.count(c) < max(share, 1), false
	}
	return true, false
}

func (s *slot) aheadSeconds() float64 {
	if s.far {
		return farSeconds
	}
	return aheadSeconds
}
