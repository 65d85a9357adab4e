package pool

import (
	"slices"
	"time"
)

// A slot is a worker's place in the pool. One process after another may fill it. The
// pool's lock guards its fields.
type slot struct {
	pool     *Pool
	index    int
	executor executor
	inFlight []*chunk  // chunks that the worker was sent and has not answered, in the order of sending
	store    []*chunk  // an empty slice of the array that inFlight lies in
	batched  int       // inputs in flight beyond one for each chunk
	since    time.Time // when the first chunk in flight became the first
	stats    WorkerStats

	far      bool      // its worker is behind a launcher
	idle     bool      // in pool.idle
	lost     bool      // its last process was lost, and the next has not said hello
	parked   bool      // its worker was ended because it was idle; see Options.IdleTimeout
	idleAt   time.Time // when it became idle
	failing  bool      // maxFailedStarts starts in a row have failed
	drains   *call     // the slot takes nothing until it is empty, then a chunk of this call alone
	ahead    float64   // seconds that the chunks in flight are expected to take
	series   int       // number of chunks of lastCall sent since one of another call
	lastCall *call
	pace     float64 // seconds that an interval or input of paceOf takes here, smoothed
	paceOf   *call   // the call answered last
}

// count returns how many of c's chunks the slot has in flight.
func (s *slot) count(c *call) (n int) {
	for _, ch := range s.inFlight {
		if ch.call == c {
			n++
		}
	}
	return n
}

// An executor computes a slot's chunks. There is one for each backend. Its
// methods are called with the pool's lock held.
type executor interface {
	// send sends the worker a chunk that was just put in flight.
	send(*chunk)
	// more returns how many more chunks the worker may be sent.
	more() int
	// flush is called after a series of sends.
	flush()
	// recall asks the worker to give back about n of the intervals or inputs that were
	// sent last and have not begun.
	recall(n int)
	// cancel cancels a call's chunks in flight; their results are not wanted.
	cancel(*call)
	// abort kills the worker with all chunks in flight.
	abort()
	// end asks the worker to exit; nothing is in flight.
	end()
}

const (
	aheadSeconds = 0.010 // seconds of work that a worker may have in flight, by its own pace
	aheadChunks  = 2     // chunks that it may have in flight whatever they take, to hide the round trip
	longSeconds  = 0.100 // a worker has no chunk beside one that takes longer: the round trip is short against it

	// farSeconds takes the place of aheadSeconds behind a launcher, and must be longer
	// than a round trip. Slurm before 24.05 delays each message over 1,024 bytes by
	// 44 ms in each direction when nothing follows it.
	farSeconds     = 0.200
	farLongSeconds = 20 // takes the place of longSeconds behind a launcher
)

// smooth adds a sample to a moving average. An average of 0 has no samples yet.
func smooth(average *float64, sample float64) {
	if *average == 0 {
		*average = sample
		return
	}
	*average += (sample - *average) / 8
}

// fill sends the slot's worker as many chunks as it may have. If it has none afterwards,
// the slot becomes idle. The caller holds the lock.
func (s *slot) fill() {
	sent := false
	for s.executor.more() > 0 {
		ch := s.pool.pick(s)
		if ch == nil {
			break
		}
		s.push(ch)
		s.executor.send(ch)
		sent = true
	}
	if sent {
		s.executor.flush()
		s.pool.lookAgain()
	}
	if len(s.inFlight) == 0 && !s.idle && s.executor.more() > 0 {
		s.idle, s.idleAt = true, time.Now()
		s.pool.idle = append(s.pool.idle, s)
		s.pool.rebalance()
	}
}

// unlist removes the slot from the idle ones, because its worker is gone.
func (s *slot) unlist() {
	if s.idle {
		s.idle = false
		s.pool.idle = slices.DeleteFunc(s.pool.idle, func(other *slot) bool { return other == s })
	}
}

// canBegin reports whether the slot's worker can begin a chunk of c that is assigned to
// it: the worker runs or is starting, and is not busy with another call.
func (s *slot) canBegin(c *call) bool {
	return !s.lost && !s.failing && !s.parked && (len(s.inFlight) == 0 || s.inFlight[0].call == c)
}

// An answer is a worker's answer to a chunk in flight.
type answer struct {
	seconds float64 // how long the task took
	began   float64 // when it began, on the clock of ipc.Now; 0 without Options.Trace
	size    int64   // of the encoded result, in bytes
	err     error
}

// answered accepts answers, which belong to the first chunks in flight.
func (s *slot) answered(pid int, answers []answer) {
	if len(answers) == 0 {
		return
	}
	for i, a := range answers {
		s.accept(s.inFlight[i], pid, a)
	}
	clear(s.inFlight[:len(answers)])
	s.inFlight = s.inFlight[len(answers):]
	s.since = time.Now()
	if len(s.inFlight) == 0 {
		s.ahead = 0 // drop what rounding has left
	}
}

func (s *slot) accept(ch *chunk, pid int, a answer) {
	c := ch.call
	ch.worker, ch.host, ch.pid, ch.seconds, ch.size = s.index, s.stats.Host, pid, a.seconds, a.size
	s.stats.Chunks += int64(ch.inputs)
	s.stats.BusySeconds += a.seconds
	s.ahead -= ch.expected
	s.batched -= ch.inputs - 1
	seconds := max(a.seconds/float64(ch.inputs), 1e-9)
	if !c.measured {
		c.pace, c.measured = 0, true
	}
	if s.paceOf != c {
		s.pace, s.paceOf = c.pace, c
	}
	smooth(&s.pace, seconds)
	smooth(&c.pace, seconds)
	smooth(c.learned, seconds)
	c.fitBatch()
	ch.settleCharge(a.seconds)
	s.pool.served = c.used - c.ahead
	c.settle(ch, a.err)
}

// push adds ch to the end of inFlight. Answered chunks leave inFlight at the front; when
// it reaches the end of store, push moves it back to the start, or to a larger store.
func (s *slot) push(ch *chunk) {
	if len(s.inFlight) == 0 {
		s.since = time.Now()
	}
	if len(s.inFlight) == cap(s.inFlight) {
		if len(s.inFlight) > cap(s.store)/2 {
			s.store = make([]*chunk, 0, 4*len(s.inFlight)+aheadChunks)
		}
		s.inFlight = append(s.store, s.inFlight...)
	}
	s.inFlight = append(s.inFlight, ch)
	s.ahead += ch.expected
	s.batched += ch.inputs - 1
	if s.series++; s.lastCall != ch.call {
		s.series, s.lastCall = 1, ch.call
	}
}

// remove takes chunk i out of inFlight and charges its call nothing for it.
func (s *slot) remove(i int) *chunk {
	ch := s.inFlight[i]
	s.ahead -= ch.expected
	s.batched -= ch.inputs - 1
	s.series = max(s.series-1, 0)
	ch.settleCharge(0)
	copy(s.inFlight[i:], s.inFlight[i+1:])
	last := len(s.inFlight) - 1
	s.inFlight[last] = nil
	s.inFlight = s.inFlight[:last]
	return ch
}

// split splits batch i of inFlight into two chunks, the first with n inputs.
func (s *slot) split(i, n int) {
	ch := s.inFlight[i]
	part := float64(n) / float64(ch.inputs)
	first := ch.cell.split(n)
	first.expected, first.charged = ch.expected*part, ch.charged*part
	ch.expected, ch.charged = ch.expected-first.expected, ch.charged-first.charged
	s.inFlight = slices.Insert(s.inFlight, i, first)
	s.batched--
	if s.lastCall == ch.call {
		s.series++
	}
	ch.call.inFlight++
}

// accrue charges the call of the first chunk in flight for the time since that chunk
// became the first, which the worker has spent on it.
func (s *slot) accrue(now time.Time) {
	if len(s.inFlight) == 0 {
		return
	}
	ch := s.inFlight[0]
	if passed := now.Sub(s.since).Seconds(); passed > ch.charged {
		ch.charge(passed - ch.charged)
	}
}

// takeFirst takes the first chunk out of inFlight. Its call stays charged for the time
// that the worker spent on it.
func (s *slot) takeFirst() *chunk {
	now := time.Now()
	spent := now.Sub(s.since).Seconds()
	s.since = now
	ch := s.remove(0)
	s.pool.charge(ch.call, spent)
	return ch
}

// takeAll takes all chunks out of inFlight.
func (s *slot) takeAll() (flights []*chunk) {
	for len(s.inFlight) > 0 {
		flights = append(flights, s.takeFirst())
	}
	s.inFlight, s.ahead = nil, 0
	if s.drains != nil {
		s.drains.undrain()
	}
	return flights
}
