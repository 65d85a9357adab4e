package pool

import "time"

// A serial computes for the one slot of the serial backend. It has no goroutine
// and nothing in flight: a consumer that has nothing else to do computes the next
// chunk of its own call.
type serial struct{ slot *slot }

func (s *serial) send(*chunk)  {}
func (s *serial) flush()       {}
func (s *serial) recall(int)   {}
func (s *serial) cancel(*call) {}
func (s *serial) abort()       {}
func (s *serial) end()         {}
func (s *serial) more() int    { return 0 }

// step computes one chunk of c on the calling goroutine, and reports whether there was one.
func (s *serial) step(c *call) bool {
	p := s.slot.pool
	p.mu.Lock()
	var ch *chunk
	if c.available() {
		p.list(c) // its first input may have come a moment ago
		ch = c.take(s.slot)
	}
	p.mu.Unlock()
	if ch == nil {
		return false
	}
	begin, returned := time.Now(), false
	var err error
	defer func() {
		if !returned { // the task ends the caller's goroutine (runtime.Goexit)
			err = &TaskError{Input: ch.input(), Err: goexit}
		}
		a := answer{seconds: time.Since(begin).Seconds(), began: p.moment(begin), size: ch.size, err: err}
		events := p.finished(s.slot.index, 0, []*chunk{ch}, []answer{a})
		p.mu.Lock()
		s.slot.accept(ch, 0, a)
		p.mu.Unlock()
		p.emit(events...)
	}()
	err = ch.compute(s.slot.index)
	returned = true
	return true
}
