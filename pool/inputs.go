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
	stalls    atomic.Bool  // nothing is handed out until outputs are taken
	exhausted atomic.Bool  // there are no more inputs
	panicked  any          // what the source panicked with; set before exhausted
	goexit    bool         // the source ended its goroutine; likewise

	mu     sync.Mutex
	queue  deque[*chunk] // not handed out yet
	queued int64         // inputs in it
	last   *chunk        // of the queue, if it may have more inputs
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
		in.mu.Lock()
		in.last = nil // the next input does not follow it
		in.supplied.Add(1)
		in.mu.Unlock()
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
	in.queued++
	in.supplied.Add(1)
	if in.last = nil; in.call.batch.Load() > 1 && size <= maxBatchBytes {
		in.last = ch
	}
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

const (
	maxBatch      = 128     // inputs
	maxBatchBytes = 4 << 10 // encoded

	// batchSeconds is how long a batch may take by the pace of its call: long against
	// what a message costs, short against all that is felt.
	batchSeconds = 200e-6
)

// join adds an encoded input to the last chunk, and reports whether that was possible.
func (in *inputs) join(arg []byte) bool {
	in.mu.Lock()
	defer in.mu.Unlock()
	ch := in.last
	if ch == nil || int64(ch.inputs) >= in.call.batch.Load() || len(ch.arg)+len(arg) > maxBatchBytes {
		return false
	}
	ch.arg = append(ch.arg, arg...)
	ch.size += int64(len(arg))
	ch.inputs++
	in.queued++
	in.supplied.Add(1)
	in.bytes.Add(int64(len(arg)))
	return true
}

// more reports whether there is a chunk now; if not, put or yielded says so when
// there is. What nobody takes bounds what is handed out, too.
func (in *inputs) more() bool {
	in.mu.Lock()
	defer in.mu.Unlock()
	in.wanted = in.queue.len() == 0
	if in.wanted {
		return false
	}
	if in.outputsFit() {
		return true
	}
	in.stalls.Store(true)
	return in.outputsFit() // meanwhile some may have been taken
}

// outputsFit reports whether another input may be handed out, for what its output
// adds to those that wait to be taken. The caller holds mu.
func (in *inputs) outputsFit() bool {
	handedOut := in.supplied.Load() - in.queued
	return in.results.Load() < in.aheadBytes || handedOut-in.consumed.Load() < in.spare
}

func (in *inputs) next() *chunk {
	in.mu.Lock()
	ch := in.queue.pop()
	in.queued -= int64(ch.inputs)
	if in.last == ch {
		in.last = nil
	}
	in.mu.Unlock()
	in.bytes.Add(-ch.size)
	in.makeRoom()
	return ch
}

func (in *inputs) left() int64 {
	in.mu.Lock()
	defer in.mu.Unlock()
	return in.queued
}

// settled notes that a chunk's inputs are finished, with results of its size.
func (in *inputs) settled(ch *chunk) {
	in.finished.Add(int64(ch.inputs))
	in.results.Add(ch.size)
	in.makeRoom()
}

// yielded notes that a chunk's outputs are taken.
func (in *inputs) yielded(ch *chunk) {
	in.consumed.Add(int64(ch.inputs))
	in.results.Add(-ch.size)
	in.makeRoom()
	if in.stalls.Load() && in.stalls.Swap(false) {
		p := in.call.pool
		p.mu.Lock()
		defer p.mu.Unlock()
		p.list(in.call)
		p.offer()
	}
}
