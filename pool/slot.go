package pool

import (
	"time"

	"procpool/ipc"
	"procpool/task"
)

// A slot is a worker's place in the pool. It outlives the processes that fill
// it one after the other. The pool's lock guards its fields.
type slot struct {
	pool     *Pool
	index    int
	executor executor
	inFlight []*chunk  // that its worker was sent and has not answered, in the order of sending
	store    []*chunk  // an empty slice of the array that inFlight lies in
	ahead    float64   // seconds that inFlight is expected to take
	since    time.Time // when the first chunk in flight became the first
	stats    WorkerStats

	far     bool       // its worker is behind a launcher
	idle    bool       // in pool.idle
	lost    bool       // its last process was lost, and the next has not said hello
	parked  bool       // its worker was ended since there was nothing to do
	idleAt  time.Time  // since when it is idle
	failing bool       // its processes end without having done anything, again and again
	drains  *call      // takes nothing until it is empty, for this call's chunk
	pace    float64    // seconds that a chunk of paceOf takes here, smoothed
	paceOf  *task.Spec // nil before the first
}

// An executor computes a slot's chunks. There is one for each backend. Its
// methods are called with the pool's lock held.
type executor interface {
	// send begins work on a chunk that was just put in flight.
	send(*chunk)
	// more says how many chunks the executor may still be sent.
	more() int
	// flush is called after a series of sends.
	flush()
	// recall asks for up to n chunks back that were sent last and not begun.
	recall(n int)
	// cancel gives up a call's chunks in flight: nobody wants them any more.
	cancel(*call)
	// abort gives up everything in flight, and the worker with it.
	abort()
	// end asks for an orderly end; nothing is in flight.
	end()
}

const (
	aheadSeconds = 0.010 // of work that a worker may have in flight, by its own pace
	aheadChunks  = 2     // chunks that it may always have in flight, to hide the way there and back

	// farSeconds is aheadSeconds of a worker behind a launcher: longer than a way
	// there and back. Slurm before 24.05 delays each message over 1,024 bytes by
	// 44 ms in each direction when nothing follows it.
	farSeconds = 0.200
)

// fill sends the slot's worker as much as it may have. The caller holds the lock.
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
	}
	if len(s.inFlight) == 0 && !s.idle && s.executor.more() > 0 {
		s.idle, s.idleAt = true, time.Now()
		s.pool.idle = append(s.pool.idle, s)
		s.pool.rebalance()
	}
}

// canBegin reports whether the slot's worker will begin a chunk of c that is
// assigned to it: it is there or on its way, and busy with no other call.
func (s *slot) canBegin(c *call) bool {
	return !s.lost && !s.failing && !s.parked && (len(s.inFlight) == 0 || s.inFlight[0].call == c)
}

// An answer says what became of a chunk in flight.
type answer struct {
	seconds float64 // that the task took
	began   float64 // when, on the clock of ipc.Now; 0 without a trace
	size    int64   // of the encoded result, in bytes
	err     error
}

// answered accepts the answers to the first chunks in flight.
func (s *slot) answered(pid int, answers []answer) {
	for i, a := range answers {
		s.accept(s.inFlight[i], pid, a)
	}
	clear(s.inFlight[:len(answers)])
	s.inFlight = s.inFlight[len(answers):]
	s.since = time.Now()
	if len(s.inFlight) == 0 {
		s.ahead = 0 // of rounding
	}
}

func (s *slot) accept(ch *chunk, pid int, a answer) {
	c := ch.call
	ch.worker, ch.host, ch.pid, ch.seconds, ch.size = s.index, s.stats.Host, pid, a.seconds, a.size
	s.stats.Chunks++
	s.stats.BusySeconds += a.seconds
	s.ahead -= ch.estimate
	s.pool.charge(c, a.seconds-ch.estimate)
	if seconds := max(a.seconds, 1e-9); s.paceOf != c.spec {
		s.paceOf, s.pace = c.spec, seconds
	} else {
		s.pace += (seconds - s.pace) / 8
	}
	c.settle(ch, a.err)
}

// push puts ch last in flight. inFlight moves through its store as chunks are
// answered at the front, and goes back to the start when it has room to spare.
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
	s.ahead += ch.estimate
}

// remove takes chunk i out of those in flight.
func (s *slot) remove(i int) *chunk {
	ch := s.inFlight[i]
	s.ahead -= ch.estimate
	s.pool.charge(ch.call, -ch.estimate)
	copy(s.inFlight[i:], s.inFlight[i+1:])
	last := len(s.inFlight) - 1
	s.inFlight[last] = nil
	s.inFlight = s.inFlight[:last]
	return ch
}

// takeAll takes all chunks out of those in flight.
func (s *slot) takeAll() []*chunk {
	flights := s.inFlight
	s.inFlight, s.ahead = nil, 0
	for _, ch := range flights {
		s.pool.charge(ch.call, -ch.estimate)
	}
	if s.drains != nil {
		s.drains.undrain()
	}
	return flights
}

// unbegun is how many chunks in flight wait behind one that has been running for
// longer than a worker is sent work ahead: another worker would begin them sooner.
func (s *slot) unbegun(now time.Time) int {
	if len(s.inFlight) < 2 || now.Sub(s.since) < patience {
		return 0
	}
	n := 0
	for _, ch := range s.inFlight[1:] {
		if !ch.recalled {
			n++
		}
	}
	return n
}

// patience is how long a worker may be busy with one chunk before others are
// given what waits behind it.
const patience = 20 * time.Millisecond

// rebalance has idle workers take over what waits behind a slow chunk, now or when
// some worker turns out slow. The caller holds the lock.
func (p *Pool) rebalance() {
	if p.rebalancing || len(p.idle) == 0 || p.closed {
		return
	}
	now, waiting := time.Now(), false
	for _, s := range p.slots {
		if n := s.unbegun(now); n > 0 {
			idle := len(p.idle)
			s.executor.recall((n*idle + idle) / (idle + 1))
		}
		waiting = waiting || len(s.inFlight) > 1
	}
	if !waiting {
		return
	}
	p.rebalancing = true
	time.AfterFunc(patience, func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.rebalancing = false
		p.rebalance()
	})
}

// takenBack returns a chunk that was not begun, for another worker.
func (s *slot) takenBack(ch *chunk) {
	ch.call.giveBack(ch)
	s.pool.offer()
}

var _ = ipc.MaxPending
