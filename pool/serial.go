package pool

import "time"

// A serial computes for the one slot of the serial backend. It has no goroutine
// and nothing in flight: a consumer that has nothing else to do computes the next
// chunk of its own call.
type serial struct{ slot *slot }

func (s *serial) send(flight) {}
func (s *serial) flush()      {}
func (s *serial) abort()      {}
func (s *serial) end()        {}
func (s *serial) more() int   { return 0 }

// step computes one chunk of c on the calling goroutine, and reports whether there was one.
func (s *serial) step(c *call) bool {
	p := s.slot.pool
	p.mu.Lock()
	ch := c.take(s.slot)
	p.mu.Unlock()
	if ch == nil {
		return false
	}
	begin := time.Now()
	err := c.compute(ch, s.slot.index)
	a := answer{seconds: time.Since(begin).Seconds(), began: p.moment(begin), err: err}
	f := flight{c, ch}
	events := p.finished(s.slot.index, 0, []flight{f}, []answer{a})
	p.mu.Lock()
	s.slot.accept(f, 0, a)
	p.mu.Unlock()
	p.emit(events...)
	return true
}
