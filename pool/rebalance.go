package pool

import "time"

const (
	// patience is how long a worker may be busy with one chunk before the chunks that
	// wait behind it are recalled for workers that could begin them now.
	patience = 20 * time.Millisecond
	// longPatience is the same if no worker is idle: the first to become free takes them.
	longPatience = time.Duration(longSeconds * float64(time.Second))
)

// lookAgain schedules a call of rebalance after patience. The caller holds the lock.
func (p *Pool) lookAgain() {
	if p.rebalancing || p.closed {
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

// rebalance recalls chunks that wait behind a slow one, if a worker is idle or a call has
// nothing in flight. It also charges calls for the time that running chunks have taken.
// While anything is in flight it schedules itself again. The caller holds the lock.
func (p *Pool) rebalance() {
	if p.rebalancing || p.closed {
		return
	}
	p.rebalancing = true // also while recall offers what it took back
	now, some := time.Now(), false
	for _, s := range p.slots {
		s.accrue(now)
		some = some || len(s.inFlight) > 0
	}
	starves := p.starves()
	for _, s := range p.slots {
		idle := len(p.idle)
		switch n := s.unbegun(now, patience); {
		case n == 0:
		case idle > 0:
			s.executor.recall((n*idle + idle) / (idle + 1))
		case starves, s.unbegun(now, longPatience) > 0 && (len(p.calls) > 1 || s.inFlight[len(s.inFlight)-1].call.prefetch <= 0):
			s.executor.recall(n)
		}
	}
	p.rebalancing = false
	if some {
		p.lookAgain()
	}
}

// unbegun returns how many intervals or inputs in flight wait behind one that has been
// running for longer than d, and have not been recalled.
func (s *slot) unbegun(now time.Time, d time.Duration) int {
	if len(s.inFlight)+s.batched < 2 || now.Sub(s.since) < d {
		return 0
	}
	n := 0
	for _, ch := range s.inFlight {
		if !ch.recalled {
			n += ch.inputs
		}
	}
	if !s.inFlight[0].recalled {
		n-- // the first one is running
	}
	return n
}

// starves reports whether the call that is next in the queue has nothing in flight.
func (p *Pool) starves() bool {
	return len(p.ready) > 0 && p.ready[0].inFlight == 0 && p.ready[0].available()
}

// takenBack gives a chunk that was not begun to another worker.
func (s *slot) takenBack(ch *chunk) {
	ch.call.giveBack(ch)
	s.pool.offer()
}
