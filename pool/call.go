package pool

import (
	"cmp"
	"container/heap"
	"context"
	"errors"
	"slices"
	"sync/atomic"
	"time"

	"procpool/ipc"
	"procpool/task"
)

// A call is one sum or map in progress. It holds the chunks that may still be handed
// out, those in flight, and those whose results wait for the consumer: the goroutine
// that called Sum or ranges over Map. The pool's lock guards it.
type call struct {
	pool     *Pool
	ctx      context.Context // of tasks that run in this process
	cancel   context.CancelFunc
	spec     *task.Spec
	supply   supply
	with     func(dst []byte, iv ipc.Interval) []byte // see Workload.With; may be nil
	timeout  time.Duration                            // of a chunk; 0 = none
	deadline time.Time                                // of ctx; zero = none
	retries  int                                      // how often a chunk is run again; below 0: it is never sent twice
	again    []error                                  // errors of a task after which its chunk is run again
	prefetch int                                      // chunks that a worker may have beside the one it runs; below 0: by its pace
	custom   bool                                     // results are decoded by the consumer
	assigned bool                                     // chunk i is for worker i

	returned []*chunk      // chunks to be handed out again, and assigned chunks, in order
	finished []*chunk      // done since the consumer looked last, in order of completion
	inFlight int           // chunks with workers
	retried  int64         // how often chunks were handed out again
	stopped  bool          // nothing more is handed out
	err      error         // why the call as a whole failed
	wake     chan struct{} // holds one token when the consumer should look

	used     float64      // seconds of workers' time that the call has had, plus an estimate for chunks in flight; see Pool.pick
	ahead    float64      // the part of used that is an estimate for chunks in flight
	pace     float64      // seconds an interval or input takes, smoothed; 0 = unknown
	maxBatch int          // upper limit of inputs in a chunk
	batch    atomic.Int64 // inputs that a chunk may have now, by the call's pace; the goroutine that pulls reads it without the lock
	learned  *float64     // pace over all calls of its task
	measured bool         // pace was measured in this call, not taken over from earlier ones
	listed   int          // index in pool.ready; below 0: not in it
	drain    *slot        // slot that takes no more chunks until it is empty and can take the first returned chunk alone
}

// A supply makes a call's chunks, in order. The pool's lock is held.
type supply interface {
	// more reports whether there is a chunk now.
	more() bool
	// next returns the next chunk. It must only be called after more reported true.
	next() *chunk
	// left returns how many intervals or inputs are known to remain.
	left() int64
	// settled notes that a chunk is done, and counts ch.size bytes for its result.
	settled(ch *chunk)
}

// maxWaiting bounds the bytes of results that wait for the consumer while more
// is handed out, and of inputs that wait for workers while more are pulled.
const maxWaiting = 64 << 20

func (p *Pool) newCall(ctx context.Context, spec *task.Spec, o callOptions) *call {
	deadline, _ := ctx.Deadline()
	c := &call{
		pool: p, ctx: ctx, spec: spec, timeout: o.timeout, deadline: deadline, retries: o.retries, again: o.again, prefetch: o.prefetch,
		custom: spec.DecodesItself(), wake: make(chan struct{}, 1), listed: -1, maxBatch: 1,
	}
	c.batch.Store(1)
	return c
}

// limit returns how long the task of a chunk may take from now: the timeout or the
// time left in the call's context, whichever is shorter. 0 means no limit.
func (c *call) limit() time.Duration {
	if c.deadline.IsZero() {
		return c.timeout
	}
	left := max(time.Until(c.deadline), 1)
	if c.timeout > 0 {
		left = min(left, c.timeout)
	}
	return left
}

// overdue reports whether the deadline of the call's context has passed. A task that
// times out after that is not blamed.
func (c *call) overdue() bool { return !c.deadline.IsZero() && !time.Now().Before(c.deadline) }

// triesAgain reports whether a chunk whose task returned err is run again.
func (c *call) triesAgain(err error) bool {
	return slices.ContainsFunc(c.again, func(target error) bool { return errors.Is(err, target) })
}

// remaining returns how many intervals or inputs could still be handed out.
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

// candidate returns the index in returned of the lowest chunk that s may take, or -1.
// Where chunks are assigned, s may take its own, or that of a worker which cannot begin
// its own.
func (c *call) candidate(s *slot) int {
	for i, ch := range c.returned {
		if !c.assigned || ch.seq == int64(s.index) || !c.pool.slots[ch.seq].canBegin(c) {
			return i
		}
	}
	return -1
}

// nextAlone reports whether the next chunk for s must be alone with its worker.
func (c *call) nextAlone(s *slot) bool {
	if c.retries < 0 {
		return true
	}
	i := c.candidate(s)
	return i >= 0 && c.returned[i].alone
}

// take hands out the next chunk that s may have, or returns nil.
func (c *call) take(s *slot) *chunk {
	if i := c.candidate(s); i >= 0 {
		ch := c.returned[i]
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

// undrain lets the slot that was draining for this call take chunks again.
func (c *call) undrain() {
	if c.drain != nil {
		c.drain.drains, c.drain = nil, nil
	}
}

// settle marks a chunk in flight as done, with the result in its cell or with err.
// It is the only place that sets the state done, and it is called only for chunks in
// flight, so each term is counted once. If the task fails after the call's context has
// ended, the context's error takes the place of err and no input is blamed.
func (c *call) settle(ch *chunk, err error) {
	if _, failed := err.(*TaskError); failed && c.ctx.Err() != nil {
		err = c.ctx.Err()
	}
	ch.state, ch.err, ch.arg = done, err, nil
	c.inFlight--
	c.supply.settled(ch)
	c.finished = append(c.finished, ch)
	c.notify()
}

// giveBack returns a chunk in flight to be handed out again.
func (c *call) giveBack(ch *chunk) {
	ch.state = free
	c.inFlight--
	at, _ := slices.BinarySearchFunc(c.returned, ch.seq, func(r *chunk, seq int64) int { return int(r.seq - seq) })
	c.returned = slices.Insert(c.returned, at, ch)
	c.notify() // the consumer of a stopped call waits for its last chunk in flight
	c.pool.list(c)
}

// stop ends handing out. Chunks in flight may still finish.
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

// await waits until a chunk is done, the call ends, stop or expired is closed, or ctx is
// done. In the serial backend it computes a chunk instead of waiting. It returns ctx's
// error.
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

// A queue is a heap of the calls that may have chunks to hand out. First is the call
// that will have used the least worker time once its next chunk is done; the next chunk
// counts, so that a call with long chunks does not overtake one with short chunks.
type queue []*call

func (q queue) Len() int           { return len(q) }
func (q queue) Less(i, j int) bool { return q[i].used+q[i].next() < q[j].used+q[j].next() }
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

// next estimates the seconds that the call's next chunk takes.
func (c *call) next() float64 { return cmp.Or(c.pace*float64(c.batch.Load()), unknownSeconds) }

// fitBatch sets the batch size so that a batch takes about batchSeconds.
func (c *call) fitBatch() {
	if c.maxBatch > 1 && c.pace > 0 {
		c.batch.Store(int64(min(max(batchSeconds/c.pace, 1), float64(c.maxBatch))))
	}
}

// unknownSeconds is charged for a chunk until the first chunk of its call is done.
const unknownSeconds = aheadSeconds

// list puts a call into the queue, if it is not there. It raises used to that of the
// call served least, so that a call does not make up for the time it was not queued.
func (p *Pool) list(c *call) {
	if c.listed < 0 && c.available() {
		c.used = max(c.used, p.leastServed())
		heap.Push(&p.ready, c)
	}
}

// leastServed returns about the least worker time that any queued call has had. It
// leaves out the estimates for chunks in flight, because these may be returned.
func (p *Pool) leastServed() float64 {
	if len(p.ready) == 0 {
		return p.served
	}
	return min(p.served, p.ready[0].used-p.ready[0].ahead)
}

// paceOf returns the pace of a task over all calls; a new call begins with it.
func (p *Pool) paceOf(spec *task.Spec) *float64 {
	if p.paces[spec] == nil {
		p.paces[spec] = new(float64)
	}
	return p.paces[spec]
}

// charge adds seconds to the worker time that a call has used.
func (p *Pool) charge(c *call, seconds float64) {
	c.used += seconds
	if c.listed >= 0 && len(p.ready) > 1 {
		heap.Fix(&p.ready, c.listed)
	}
}

// pick chooses a chunk for s, or returns nil. It takes the chunk from the call that has
// used the least worker time among those that may have more in flight with s. If that
// call's chunk does not fit yet, s takes nothing until it does. So concurrent calls get
// equal shares of worker time, however long their chunks are, and none waits for another
// to end.
func (p *Pool) pick(s *slot) (picked *chunk) {
	if len(s.inFlight) > 0 && s.inFlight[0].mustBeAlone() {
		return nil
	}
	if c := s.drains; c != nil && c.available() {
		if len(s.inFlight) > 0 {
			return nil
		}
		if ch := c.take(s); ch != nil {
			return p.picked(s, ch)
		}
	}
	if s.drains != nil { // the call it drained for has no chunk any more
		s.drains.undrain()
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
		if picked != nil || waits {
			break
		}
		heap.Pop(&p.ready)
		passed = append(passed, c)
	}
	if picked != nil {
		p.picked(s, picked)
	}
	for _, c := range passed {
		heap.Push(&p.ready, c)
	}
	clear(passed)
	p.passed = passed[:0]
	return picked
}

// picked charges the chunk's call for the time that the chunk is expected to take on s.
func (p *Pool) picked(s *slot, ch *chunk) *chunk {
	ch.expected = s.estimate(ch.call) * float64(ch.inputs)
	ch.charge(max(cmp.Or(ch.expected, unknownSeconds), leastSeconds))
	return ch
}

// charge charges the chunk's call for so many more seconds while the chunk is in flight.
func (ch *chunk) charge(seconds float64) {
	ch.charged += seconds
	ch.call.ahead += seconds
	ch.call.pool.charge(ch.call, seconds)
}

// settleCharge replaces what the call was charged for the chunk by seconds, the time
// that it took.
func (ch *chunk) settleCharge(seconds float64) {
	c := ch.call
	c.ahead -= ch.charged
	c.pool.charge(c, seconds-ch.charged)
	ch.charged = 0
}

// leastSeconds is the least that a call is charged for a chunk. It makes calls take
// turns even if their chunks take no measurable time.
const leastSeconds = 1e-6

func (ch *chunk) mustBeAlone() bool { return ch.alone || ch.call.retries < 0 }

// estimate returns the seconds that an interval or input of c takes in this slot; 0 if
// unknown.
func (s *slot) estimate(c *call) float64 {
	if s.paceOf == c {
		return s.pace
	}
	return c.pace
}

// hasItsShare reports whether the slot has as many chunks in flight as there remain for
// each worker. One more would queue here while other workers are idle.
func (s *slot) hasItsShare() bool {
	p := s.pool
	want := int64(len(s.inFlight)+1) * int64(p.present())
	if int64(len(p.ready)) >= want { // nearly all queued calls have at least one chunk left
		return false
	}
	for _, c := range p.ready {
		if want -= c.remaining(); want <= 0 {
			return false
		}
	}
	return true
}

// fits reports whether the slot may take another chunk, of c. A slot may have work for
// aheadSeconds in flight (farSeconds behind a launcher), but no more than its share of
// what remains. waits is set if the slot must take nothing until c's chunk fits.
func (s *slot) fits(c *call) (fits, waits bool) {
	n := len(s.inFlight)
	switch {
	case n == 0:
		return true, false
	case n+s.batched+c.maxBatch > ipc.MaxPending:
		return false, true
	case c.nextAlone(s):
		if c.drain == nil {
			c.drain, s.drains = s, c
		}
		return false, c.drain == s
	case c.prefetch >= 0 && s.count(c) > c.prefetch:
		return false, true
	case c.prefetch > 0 && len(c.pool.ready) == 1: // nobody else waits
		return true, false
	}
	if s.hasItsShare() {
		return false, true
	}
	most, long := aheadSeconds, longSeconds
	if s.far {
		most, long = farSeconds, farLongSeconds
	}
	room := s.inFlight[0].charged <= long
	if room && n >= aheadChunks {
		// A chunk of unknown pace is taken only when at most one other is in flight.
		estimate := s.estimate(c)
		ahead := s.ahead
		if s.series >= n && s.lastCall == c {
			ahead = max(ahead, float64(n+s.batched)*estimate) // its pace has changed
		}
		room = estimate > 0 && ahead+estimate*float64(c.batch.Load()) <= most && (c.measured || s.count(c) < aheadChunks)
	}
	return room, !room
}
