package pool

import "time"

// parkIdle ends workers that have been idle for Options.IdleTimeout. It returns when the
// pool is closed.
func (p *Pool) parkIdle() {
	ticker := time.NewTicker(max(p.opts.IdleTimeout/4, time.Millisecond))
	defer ticker.Stop()
	for {
		select {
		case now := <-ticker.C:
			p.mu.Lock()
			p.parkSince(now.Add(-p.opts.IdleTimeout))
			p.mu.Unlock()
		case <-p.stop:
			return
		}
	}
}

// parkSince ends workers that became idle before moment, those with the highest index
// first. The caller holds the lock.
func (p *Pool) parkSince(moment time.Time) {
	for i := len(p.slots) - 1; i >= 0 && len(p.slots)-p.parked > p.opts.MinProcs; i-- {
		s := p.slots[i]
		w := s.executor.(*worker)
		if s.idle && !s.parked && s.idleAt.Before(moment) && w.current != nil && w.current.ready {
			s.parked, w.current.retiring = true, true
			s.unlist()
			p.parked++
			w.current.process.End()
		}
	}
}

// unpark starts as many parked workers again as there is work for. The caller holds the
// lock.
func (p *Pool) unpark() {
	if p.parked == 0 {
		return
	}
	want := int64(0)
	for _, c := range p.ready {
		if c.available() {
			want += max(c.remaining(), 1)
		}
	}
	for _, s := range p.slots {
		if want > 0 && s.parked {
			s.parked = false
			p.parked--
			want--
			select {
			case s.executor.(*worker).unparked <- struct{}{}:
			default: // there is a token already
			}
		}
	}
}

// waitParked waits until there is work for the worker. It reports false if the pool is
// closed first.
func (w *worker) waitParked() bool {
	p := w.slot.pool
	for {
		p.mu.Lock()
		parked := w.slot.parked
		p.mu.Unlock()
		if !parked {
			return true
		}
		select {
		case <-w.unparked: // may be left from an earlier time, so look at parked again
		case <-p.stop:
			return false
		}
	}
}
