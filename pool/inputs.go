package pool

import (
	"sync"
	"sync/atomic"
)

// inputs is the supply of a map: the queue of inputs that were pulled and not handed
// out. It has a lock of its own, so that the goroutine that pulls can add to it without
// the pool's lock. If both are held, the pool's was locked first.
type inputs struct {
	call       *call
	ahead      int64 // limit of inputs that are pulled and not finished
	beyond     int64 // limit of outputs not yielded; where the order matters, of inputs pulled and not yielded
	ordered    bool
	aheadBytes int64
	spare      int64           // inputs that are allowed whatever their size
	room       chan struct{}   // holds one token when wait should look again
	over       <-chan struct{} // closed with the call

	supplied  atomic.Int64
	finished  atomic.Int64
	consumed  atomic.Int64 // inputs whose outputs were yielded
	bytes     atomic.Int64 // size of the inputs that are not handed out
	results   atomic.Int64 // size of the outputs that are not yielded
	waits     atomic.Bool  // the goroutine that pulls waits for room
	stalls    atomic.Bool  // nothing is handed out until outputs are yielded
	exhausted atomic.Bool  // there are no more inputs
	panicked  any          // what the source panicked with; set before exhausted
	goexit    bool         // the source called runtime.Goexit; set before exhausted

	mu     sync.Mutex
	queue  deque[*chunk] // not handed out yet
	queued int64         // inputs in it
	last   *chunk        // last chunk of the queue, if more inputs may join it
	wanted bool          // a worker found the queue empty
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

// hasRoom reports whether more than least further inputs are allowed.
func (in *inputs) hasRoom(least int64) bool {
	consumed, finished, supplied := in.consumed.Load(), in.finished.Load(), in.supplied.Load()
	waiting, unread := supplied-finished, finished-consumed
	if in.ordered {
		unread = supplied - consumed // an output that is done may wait for an earlier one
	}
	if waiting+least >= in.ahead || unread+least >= in.beyond {
		return false
	}
	return (waiting < in.spare || in.bytes.Load() < in.aheadBytes) && (supplied-consumed < in.spare || in.results.Load() < in.aheadBytes)
}

// makeRoom wakes the goroutine that pulls once a quarter of ahead is free, so that it is
// not woken for each input.
func (in *inputs) makeRoom() {
	if in.waits.Load() && in.hasRoom(in.ahead/4) {
		in.waits.Store(false)
		select {
		case in.room <- struct{}{}:
		default:
		}
	}
}

// put adds an input of size bytes. One with an error is finished at once, with an
// InputError.
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

	// batchSeconds is how long a batch may take by the pace of its call: much longer
	// than a message costs, much shorter than a delay that a user notices.
	batchSeconds = 200e-6
)

// join adds an encoded input to the last chunk of the queue. It reports whether the
// chunk had room.
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

// more reports whether a chunk can be handed out now. If not, put or yielded lists the
// call again when there is one. Outputs that are not yielded also bound handing out.
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
	return in.outputsFit() // again: yielded may have run before stalls was set
}

// outputsFit reports whether the outputs that are not yielded leave room for that of
// another input. The caller holds mu.
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

// settled counts a chunk's inputs as finished, and ch.size bytes of outputs.
func (in *inputs) settled(ch *chunk) {
	in.finished.Add(int64(ch.inputs))
	in.results.Add(ch.size)
	in.makeRoom()
}

// yielded counts a chunk's outputs as yielded. If handing out was stalled for them, it
// goes on.
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
