package child

import (
	"io"
	"sync"
	"time"

	"procpool/internal/pipe"
	"procpool/ipc"
)

const (
	flushBytes = 32 << 10         // write as soon as this much waits
	flushDelay = time.Millisecond // write results at most this often, unless the worker is idle
	largeValue = 64 << 10         // write a longer value without copying it

	answersBytes = 16 << 10 // begin another message of answers after this many bytes
	batchedValue = 4 << 10  // send a longer value in a message of its own
)

// A sendQueue collects messages so that one write can carry several. Results
// that come within flushDelay of the last write wait for more. Everything else
// is written at once. If no more results come, a timer writes those that wait; Go
// may run it 10 ms late while a task computes without making calls.
type sendQueue struct {
	w io.Writer

	writing sync.Mutex // held during w.Write, to keep messages in order; locked before mu
	mu      sync.Mutex
	buf     []byte // messages that wait
	answers struct {
		at   int    // where in buf the last message has its answers, if it may have more; 0 = it may not
		n    int    // answers in it
		next uint64 // id of the next
	}
	spare   []byte // the other buffer; whoever holds writing owns it
	widened bool   // the pipe was widened; guarded by writing
	timer   *time.Timer
	armed   bool          // the timer runs
	wrote   time.Duration // time of the last write of a result, on the worker's clock
	active  bool          // something was queued since the last call of beat
	byeSent bool
	err     error // of the first write that failed; nothing is written after it
}

// result queues an answer that was ready at time at of the worker's clock. It
// writes the queue if the worker is idle or the last write is long enough ago, and
// reports whether it did.
func (q *sendQueue) result(r ipc.Result, value []byte, at time.Duration, idle bool) (written bool, err error) {
	if len(value) > largeValue {
		return true, q.largeResult(r, value)
	}
	q.mu.Lock()
	q.endAnswers()
	q.buf = append(ipc.AppendResultHead(q.buf, r), value...)
	q.buf = append(q.buf, '\n')
	return q.queued(at, idle)
}

// answer is result for a request of a batch: answers to requests that follow each other
// share a message.
func (q *sendQueue) answer(r ipc.Result, value []byte, at time.Duration, idle bool) (written bool, err error) {
	q.mu.Lock()
	a := &q.answers
	if a.at == 0 || a.next != r.ID || a.n == ipc.MaxAnswers || len(q.buf)-a.at > answersBytes {
		q.endAnswers()
		q.buf, a.at = ipc.AppendAnswers(q.buf, r.ID)
		a.n, a.next = 0, r.ID
	}
	q.buf = append(ipc.AppendAnswer(q.buf, r.Seconds), value...)
	a.n++
	a.next++
	return q.queued(at, idle)
}

// endAnswers ends the message that may have more answers. The caller holds mu.
func (q *sendQueue) endAnswers() {
	if a := &q.answers; a.at > 0 {
		ipc.SetAnswers(q.buf, a.at, a.n)
		q.buf = append(q.buf, '\n')
		a.at = 0
	}
}

// queued ends result and answer. It unlocks mu.
func (q *sendQueue) queued(at time.Duration, idle bool) (written bool, err error) {
	q.active = true
	now := idle || len(q.buf) >= flushBytes || at-q.wrote >= flushDelay
	if now {
		q.wrote = at
	} else if !q.armed {
		q.armed = true
		if q.timer == nil {
			q.timer = time.AfterFunc(flushDelay, q.timeout)
		} else {
			q.timer.Reset(flushDelay)
		}
	}
	q.mu.Unlock()
	if now {
		return true, q.flush()
	}
	return false, nil
}

// largeResult writes a large value without copying it. It takes the buffer while
// the head is the last message in it, so that nothing comes between head and value.
func (q *sendQueue) largeResult(r ipc.Result, value []byte) error {
	q.writing.Lock()
	defer q.writing.Unlock()
	q.mu.Lock()
	q.endAnswers()
	q.buf = ipc.AppendResultHead(q.buf, r)
	q.active = true
	full := q.take()
	q.mu.Unlock()
	if !q.widened {
		q.widened = true
		pipe.Widen(q.w)
	}
	return q.write(full, value, []byte{'\n'})
}

// send queues the message that build appends, and writes the queue.
func (q *sendQueue) send(build func(dst []byte) []byte) error {
	q.mu.Lock()
	q.endAnswers()
	q.buf = build(q.buf)
	q.active = true
	q.mu.Unlock()
	return q.flush()
}

// timeout writes the queue when the timer fires. A failed write leaves its error
// in q.err, where the next write finds it.
func (q *sendQueue) timeout() {
	q.mu.Lock()
	q.armed = false
	q.mu.Unlock()
	q.flush()
}

// beat sends a beat, unless something was queued since the last call or waits
// to be written. Nothing follows bye.
func (q *sendQueue) beat() error {
	q.mu.Lock()
	due := !q.active && !q.byeSent && len(q.buf) == 0
	q.active = false
	if due {
		q.buf = ipc.AppendBeat(q.buf)
	}
	q.mu.Unlock()
	if !due {
		return nil
	}
	return q.flush()
}

// bye sends the last message.
func (q *sendQueue) bye(b ipc.Bye) error {
	q.mu.Lock()
	q.endAnswers()
	q.buf = ipc.AppendBye(q.buf, b)
	q.byeSent = true
	q.mu.Unlock()
	return q.flush()
}

// flush writes all messages that wait.
func (q *sendQueue) flush() error {
	q.writing.Lock()
	defer q.writing.Unlock()
	q.mu.Lock()
	full := q.take()
	q.mu.Unlock()
	return q.write(full)
}

// take swaps the two buffers and returns the full one, which becomes the spare.
// The caller holds both locks, and writes the buffer before it unlocks writing.
func (q *sendQueue) take() []byte {
	q.endAnswers()
	full := q.buf
	q.buf = q.spare[:0]
	q.spare = nil
	if cap(full) <= 2*flushBytes {
		q.spare = full
	}
	return full
}

// write writes parts unless an earlier write failed. The caller holds writing.
func (q *sendQueue) write(parts ...[]byte) error {
	for _, p := range parts {
		if q.err == nil && len(p) > 0 {
			_, q.err = q.w.Write(p)
		}
	}
	return q.err
}
