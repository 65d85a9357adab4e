package pool

import "time"

const (
	// patience is how long a worker may be busy with one chunk before what waits
	// behind it is taken back, if others could begin that.
	patience = 20 * time.Millisecond
	// longPatience is the same if nobody waits for it now: who is free first has it.
	longPatience = time.Duration(longSeconds * float64(time.Second))
)

// lookAgain has rebalance called when workers may have turned out slow. The caller
// holds the lock.
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

// rebalance takes back what waits behind a slow chunk where others could begin it
// sooner: idle workers, or a call that has nothing in flight. It also charges calls
// for what runs. It does so now, and again as long as anything is in flight. The
// caller holds the lock.
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

// unbegun is how many intervals or inputs in flight wait behind one that has been
// running for longer than d: another worker may begin them sooner.
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
		n-- // runs
	}
	return n
}

// starves reports whether the call whose turn it is has nothing in flight.
func (p *Pool) starves() bool {
	return len(p.ready) > 0 && p.ready[0].inFlight == 0 && p.ready[0].available()
}

// takenBack returns a chunk that was not begun, for another worker.
func (s *slot) takenBack(ch *chunk) {
	ch.call.giveBack(ch)
	s.pool.offer()
}
