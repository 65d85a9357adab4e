package pool

import "time"

// A serial is the executor of the one slot of the serial backend. It has no goroutine:
// the consumer of a call computes the call's chunks itself, in await.
type serial struct{ slot *slot }

func (s *serial) send(*chunk)  {}
func (s *serial) flush()       {}
func (s *serial) recall(int)   {}
func (s *serial) cancel(*call) {}
func (s *serial) abort()       {}
func (s *serial) end()         {}
func (s *serial) more() int    { return 0 }

// step computes one chunk of c on the calling goroutine. It reports false if there was
// none.
func (s *serial) step(c *call) bool {
	p := s.slot.pool
	p.mu.Lock()
	var ch *chunk
	if c.available() {
		p.list(c) // an input may have come since the queue was last looked at
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
