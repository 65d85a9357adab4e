package pool

import "time"

// cancelAll fails the calls in progress and waits until their tasks have ended or their
// workers were killed.
func (p *Pool) cancelAll() {
	p.mu.Lock()
	for c := range p.calls {
		c.fail(ErrClosed)
		c.cancel()
		for _, s := range p.slots {
			s.executor.cancel(c)
		}
	}
	p.mu.Unlock()
	// Poll: nothing signals when a worker becomes idle, and 2 ms do not matter here.
	patience := time.Now().Add(p.opts.CancelGrace + time.Second)
	for p.busy() && time.Now().Before(patience) {
		select {
		case <-p.stop:
			return
		case <-time.After(2 * time.Millisecond):
		}
	}
}

// busy reports whether any worker has something in flight.
func (p *Pool) busy() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, s := range p.slots {
		if len(s.inFlight) > 0 {
			return true
		}
	}
	return false
}
