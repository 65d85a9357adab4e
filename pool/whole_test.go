package pool

import (
	"fmt"
	"math"
	"slices"
	"testing"
	"time"

	"procpool/ipc"
)

// check reports what is wrong with a pool's accounts, at any moment.
func (p *Pool) check() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	for i, c := range p.ready {
		if c.listed != i {
			return fmt.Errorf("a call at place %d of the queue thinks that it is at %d", i, c.listed)
		}
		if i > 0 && p.ready.Less(i, (i-1)/2) {
			return fmt.Errorf("the queue is no heap at place %d", i)
		}
	}
	inFlight := make(map[*call]int)
	for _, s := range p.slots {
		if err := s.check(inFlight); err != nil {
			return fmt.Errorf("worker %d: %w", s.index, err)
		}
	}
	for c := range p.calls {
		if n := inFlight[c]; n != c.inFlight && p.opts.Backend != Serial {
			return fmt.Errorf("a call counts %d chunks in flight, workers have %d", c.inFlight, n)
		}
		if c.drain != nil && c.drain.drains != c {
			return fmt.Errorf("worker %d is not kept free for the call that thinks so", c.drain.index)
		}
	}
	for i, s := range p.idle {
		if !s.idle || slices.Contains(p.idle[:i], s) {
			return fmt.Errorf("worker %d is listed as idle, and is not, or twice", s.index)
		}
	}
	return nil
}

func (s *slot) check(inFlight map[*call]int) error {
	alone, ahead, batched := 0, 0.0, 0
	for _, ch := range s.inFlight {
		inFlight[ch.call]++
		ahead += ch.expected
		batched += ch.inputs - 1
		if ch.mustBeAlone() {
			alone++
		}
		if ch.state != 1 {
			return fmt.Errorf("chunk %d is in flight in state %d", ch.seq, ch.state)
		}
	}
	if math.Abs(s.ahead-ahead) > 1e-6 {
		return fmt.Errorf("%v seconds ahead, of chunks that take %v", s.ahead, ahead)
	}
	switch {
	case s.batched != batched:
		return fmt.Errorf("%d inputs in batches, of chunks that have %d", s.batched, batched)
	case s.idle && len(s.inFlight) > 0:
		return fmt.Errorf("idle with %d chunks", len(s.inFlight))
	case s.idle != slices.Contains(s.pool.idle, s):
		return fmt.Errorf("idle is %v, and it is not listed so", s.idle)
	case s.drains != nil && s.drains.drain != s:
		return fmt.Errorf("kept free for a call that does not know of it")
	case alone > 0 && len(s.inFlight) > 1:
		return fmt.Errorf("of %d chunks %d should be alone", len(s.inFlight), alone)
	}
	return nil
}

// checkNow and then checks a pool's accounts until the test ends.
func (p *Pool) checkNowAndThen(t *testing.T, every time.Duration) {
	stop, stopped := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		for {
			if err := p.check(); err != nil {
				t.Error(err)
				return
			}
			select {
			case <-stop:
				return
			case <-time.After(every):
			}
		}
	}()
	t.Cleanup(func() { close(stop); <-stopped })
}

// whole checks that nothing of earlier calls is left in a pool, and that it works.
func (p *Pool) whole(t *testing.T) {
	t.Helper()
	if err := p.check(); err != nil {
		t.Error(err)
	}
	p.mu.Lock()
	if len(p.calls) > 0 || len(p.ready) > 0 {
		t.Errorf("%d calls are left, %d of them listed", len(p.calls), len(p.ready))
	}
	p.mu.Unlock()
	if n, err := Sum(t.Context(), p, tally, ipc.Interval{End: 1000}); n != 1000 || err != nil {
		t.Errorf("a sum gives %d, %v", n, err)
	}
	i := 0
	for out, err := range Map(t.Context(), p, increment, upTo(100)) {
		if i++; out != i || err != nil {
			t.Fatalf("output %d is %d, %v", i, out, err)
		}
	}
	if i != 100 {
		t.Errorf("%d outputs of 100", i)
	}
}
