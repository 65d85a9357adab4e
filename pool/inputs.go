package pool

import (
	"sync"
	"sync/atomic"
)

// inputs is a map's supply of chunks. Its own lock, which is taken within the
// pool's, lets the goroutine that pulls add to it without the pool's.
type inputs struct {
	call       *call
	ahead      int64 // inputs beyond those that are finished
	beyond     int64 // outputs that wait to be yielded; where the order matters, inputs beyond those that were
	ordered    bool
	aheadBytes int64
	spare      int64 // inputs that there may be whatever their size
	room       chan struct{}
	over       <-chan struct{} // closed with the call

	supplied  atomic.Int64
	finished  atomic.Int64
	consumed  atomic.Int64 // yielded
	bytes     atomic.Int64 // of inputs that are not handed out
	results   atomic.Int64 // bytes of outputs that are not yielded
	waits     atomic.Bool  // the goroutine that pulls waits for room
	exhausted atomic.Bool  // there are no more inputs
	panicked  any          // what the source panicked with; set before exhausted
	goexit    bool         // the source ended its goroutine; likewise

	mu     sync.Mutex
	queue  deque[*chunk] // not handed out yet
	wanted bool          // a worker looked and found nothing
}

// wait waits until there is room for another input. It reports false when the
// call is over.
func (in *inputs) wait() bool {
	for {
		select {
		case <-in.over:
			return false
		default:
		}
		if in.hasRoom(0) {
			return true
		}
		in.waits.Store(true)
		if in.hasRoom(0) {
			in.waits.Store(false)
			return true
		}
		select {
		case <-in.room:
		case <-in.over:
			return false
		}
	}
}

// hasRoom reports whether there is room for more than least inputs.
func (in *inputs) hasRoom(least int64) bool {
	consumed, finished, supplied := in.consumed.Load(), in.finished.Load(), in.supplied.Load()
	waiting, unread := supplied-finished, finished-consumed
	if in.ordered {
		unread = supplied - consumed // that are done, or wait for one that is not
	}
	if waiting+least >= in.ahead || unread+least >= in.beyond {
		return false
	}
	return (waiting < in.spare || in.bytes.Load() < in.aheadBytes) && (supplied-consumed < in.spare || in.results.Load() < in.aheadBytes)
}

// makeRoom wakes the goroutine that pulls, when it is worth it.
func (in *inputs) makeRoom() {
	if in.waits.Load() && in.hasRoom(in.ahead/4) {
		in.waits.Store(false)
		select {
		case in.room <- struct{}{}:
		default:
		}
	}
}

// put adds an input of a size. One with an error is finished.
func (in *inputs) put(ch *chunk, size int64) {
	p := in.call.pool
	ch.size = size
	if ch.err != nil {
		ch.err = &InputError{Input: ch.input(), Err: ch.err}
		ch.arg = nil
		in.supplied.Add(1)
		p.mu.Lock()
		defer p.mu.Unlock()
		in.call.inFlight++
		ch.size = 0
		in.call.settle(ch, ch.err)
		return
	}
	in.bytes.Add(size)
	in.mu.Lock()
	in.queue.push(ch)
	in.supplied.Add(1)
	wanted := in.wanted
	in.wanted = false
	in.mu.Unlock()
	if wanted {
		p.mu.Lock()
		defer p.mu.Unlock()
		in.call.notify() // in the serial backend the consumer computes
		p.list(in.call)
		p.offer()
	}
}

// more reports whether there is a chunk now; if not, put says so when there is.
func (in *inputs) more() bool {
	in.mu.Lock()
	defer in.mu.Unlock()
	in.wanted = in.queue.len() == 0
	return !in.wanted
}

func (in *inputs) next() *chunk {
	in.mu.Lock()
	ch := in.queue.pop()
	in.mu.Unlock()
	in.bytes.Add(-ch.size)
	in.makeRoom()
	return ch
}

func (in *inputs) left() int64 {
	in.mu.Lock()
	defer in.mu.Unlock()
	return int64(in.queue.len())
}

// settled notes that an input is finished, with a result of a size.
func (in *inputs) settled(size int64) {
	in.finished.Add(1)
	in.results.Add(size)
	in.makeRoom()
}

// yielded notes that an output was taken.
func (in *inputs) yielded(ch *chunk) {
	in.consumed.Add(1)
	in.results.Add(-ch.size)
	in.makeRoom()
}
