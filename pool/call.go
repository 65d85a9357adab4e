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

// A call is one sum or map on its way through a pool: the chunks that may still
// be handed out, those in flight, and those whose results wait for the consumer,
// which is the goroutine that called Sum or ranges over Map. The pool's lock
// guards it.
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
	again    []error                                  // of a task for which a chunk is run again
	prefetch int                                      // chunks that a worker may have beside the one it runs; below 0: by its pace
	custom   bool                                     // results are decoded by the consumer
	assigned bool                                     // chunk i is for worker i

	returned []*chunk      // to be handed out again, and assigned ones, in order
	finished []*chunk      // done since the consumer looked last, in order of completion
	inFlight int           // chunks with workers
	retried  int64         // how often chunks were handed out again
	stopped  bool          // nothing more is handed out
	err      error         // why the call as a whole failed
	wake     chan struct{} // holds one when the consumer should look

	used     float64      // seconds of workers' time that it had, and for what is in flight may have, see Pool.pick
	ahead    float64      // of these for what is in flight
	pace     float64      // seconds that its intervals or inputs take, smoothed; 0 = unknown
	maxBatch int          // inputs that its chunks may ever have
	batch    atomic.Int64 // inputs that its chunks may have now, by its pace; the goroutine that pulls reads it without the lock
	learned  *float64     // the same of all calls of its task
	measured bool         // pace is its own, and not that of other calls
	listed   int          // its place in pool.ready; below 0: it is not there
	drain    *slot        // takes no more until it can have the first returned chunk alone
}

// A supply makes a call's chunks, in order. The pool's lock is held.
type supply interface {
	// more reports whether there is a chunk now.
	more() bool
	// next is that chunk.
	next() *chunk
	// left is how many intervals or inputs there are now, as far as is known.
	left() int64
	// settled notes that a chunk is done, with a result of its size.
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

// limit is how long the task of a chunk has from now: its timeout, and no longer
// than the call's context. 0 is no limit.
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

// overdue reports whether the call's context is over in time, so that a task which
// ends of that is not to blame.
func (c *call) overdue() bool { return !c.deadline.IsZero() && !time.Now().Before(c.deadline) }

// triesAgain reports whether a chunk that failed of its task's error is run again.
func (c *call) triesAgain(err error) bool {
	return slices.ContainsFunc(c.again, func(target error) bool { return errors.Is(err, target) })
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

// candidate is the place in returned of the lowest chunk that s may have: its own,
// where they are assigned, or one of a worker that cannot begin its own. It is -1 if
// there is none.
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

// take gives out the next chunk that s may have, or nil.
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

// undrain lets the slot take chunks that was kept free for this call.
func (c *call) undrain() {
	if c.drain != nil {
		c.drain.drains, c.drain = nil, nil
	}
}

// settle accepts what became of a chunk in flight: a result, in its cell, or an
// error. This is the only way into done, and only chunks in flight get here: a
// term is counted once. A task that fails after its call was cancelled failed of
// that: the call's end is the error, and no input is blamed.
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

// A queue holds the calls that may have chunks to hand out, the one first that will
// have had the least of the workers' time when its next chunk is done: long chunks do
// not come before many short ones.
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

// next is how many seconds the call's next chunk may take.
func (c *call) next() float64 { return cmp.Or(c.pace*float64(c.batch.Load()), unknownSeconds) }

// fitBatch makes batches as large as the call's pace allows.
func (c *call) fitBatch() {
	if c.maxBatch > 1 && c.pace > 0 {
		c.batch.Store(int64(min(max(batchSeconds/c.pace, 1), float64(c.maxBatch))))
	}
}

// unknownSeconds is what a chunk counts for until the first of its call is done.
const unknownSeconds = aheadSeconds

// list puts a call into the queue, if it is not there. A call that was away has no
// claim to the time that others had meanwhile.
func (p *Pool) list(c *call) {
	if c.listed < 0 && c.available() {
		c.used = max(c.used, p.leastServed())
		heap.Push(&p.ready, c)
	}
}

// leastServed is about the time that a call had which has had least, without what is
// only on its way: that may come back.
func (p *Pool) leastServed() float64 {
	if len(p.ready) == 0 {
		return p.served
	}
	return min(p.served, p.ready[0].used-p.ready[0].ahead)
}

// paceOf is where the pace of a task is kept: a new call's chunks may take as long
// as those of calls before.
func (p *Pool) paceOf(spec *task.Spec) *float64 {
	if p.paces[spec] == nil {
		p.paces[spec] = new(float64)
	}
	return p.paces[spec]
}

// charge adds to the time that a call had.
func (p *Pool) charge(c *call, seconds float64) {
	c.used += seconds
	if c.listed >= 0 && len(p.ready) > 1 {
		heap.Fix(&p.ready, c.listed)
	}
}

// pick chooses a chunk for s: of the call that had the least of the workers' time,
// of those that may have more in flight with s. If there is no room for it yet, s
// takes nothing until there is. So calls that run at once have equal shares, however
// long their chunks are, and none waits for the end of another.
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
	if s.drains != nil { // what it was kept free for is no more
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

// picked charges a call for the chunk of its that goes to s, as far as is known now.
func (p *Pool) picked(s *slot, ch *chunk) *chunk {
	ch.expected = s.estimate(ch.call) * float64(ch.inputs)
	ch.charge(max(cmp.Or(ch.expected, unknownSeconds), leastSeconds))
	return ch
}

// charge charges a chunk's call for so many more seconds that it takes.
func (ch *chunk) charge(seconds float64) {
	ch.charged += seconds
	ch.call.ahead += seconds
	ch.call.pool.charge(ch.call, seconds)
}

// settleCharge charges a chunk's call for what the chunk took in the end.
func (ch *chunk) settleCharge(seconds float64) {
	c := ch.call
	c.ahead -= ch.charged
	c.pool.charge(c, seconds-ch.charged)
	ch.charged = 0
}

// leastSeconds is what handing a chunk out costs a call at least, so that calls
// take turns also while nothing is known of their pace.
const leastSeconds = 1e-6

func (ch *chunk) mustBeAlone() bool { return ch.alone || ch.call.retries < 0 }

// estimate is how many seconds an interval or an input of c takes here, 0 if that is
// unknown.
func (s *slot) estimate(c *call) float64 {
	if s.paceOf == c {
		return s.pace
	}
	return c.pace
}

// hasItsShare reports whether the slot has as many chunks in flight as are left for
// each worker: more would queue behind them, while others have nothing to do.
func (s *slot) hasItsShare() bool {
	p := s.pool
	want := int64(len(s.inFlight)+1) * int64(p.present())
	if int64(len(p.ready)) >= want { // nearly all have one at least
		return false
	}
	for _, c := range p.ready {
		if want -= c.remaining(); want <= 0 {
			return false
		}
	}
	return true
}

// fits reports whether the slot may have another chunk, of c: what it does in 10 ms
// (in 200 ms if they have a way to go), but no more than its share of what is left.
// waits is set if the slot takes nothing until c's chunk fits.
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
		// A chunk of unknown pace comes when all others are done but one.
		estimate := s.estimate(c)
		ahead := s.ahead
		if s.series >= n && s.lastCall == c {
			ahead = max(ahead, float64(n+s.batched)*estimate) // its pace has changed
		}
		room = estimate > 0 && ahead+estimate*float64(c.batch.Load()) <= most && (c.measured || s.count(c) < aheadChunks)
	}
	return room, !room
}
