package child

import (
	"io"
	"sync"
	"time"

	"procpool/internal/pipe"
	"procpool/ipc"
)

const (
	flushBytes = 32 << 10             // write at the latest when so much waits
	flushDelay = 5 * time.Millisecond // or so long after the first of it; Go may take 10 ms more to preempt a busy task
	largeValue = 64 << 10             // a longer value is written from where it is
)

// An outbox holds messages until they are worth a write. Results wait while
// more requests are at hand, at most flushDelay; everything else leaves at once.
type outbox struct {
	w io.Writer

	writing sync.Mutex // held around w.Write, which keeps messages in order. Taken before mu
	mu      sync.Mutex
	buf     []byte // waits to be written
	spare   []byte // the other buffer, owned by who holds writing
	wide    bool   // w was widened; likewise
	timer   *time.Timer
	armed   bool
	moved   bool  // something was appended since the last beat was due
	err     error // of the first failed write; nothing is written after it
}

// result appends an answer. Settle must follow.
func (o *outbox) result(r ipc.Result, value []byte) error {
	if len(value) > largeValue {
		return o.resultInPlace(r, value)
	}
	o.mu.Lock()
	o.buf = append(ipc.AppendResultHead(o.buf, r), value...)
	o.buf = append(o.buf, '\n')
	o.moved = true
	o.mu.Unlock()
	return nil
}

// resultInPlace writes a large value without copying it. Head and value must
// stay together, so the buffer is taken while the head is its last message.
func (o *outbox) resultInPlace(r ipc.Result, value []byte) error {
	o.writing.Lock()
	defer o.writing.Unlock()
	o.mu.Lock()
	o.buf = ipc.AppendResultHead(o.buf, r)
	o.moved = true
	full := o.take()
	o.mu.Unlock()
	if !o.wide {
		o.wide = true
		pipe.Widen(o.w)
	}
	return o.write(full, value, []byte{'\n'})
}

// send appends the message that build builds and writes everything at once.
func (o *outbox) send(build func(dst []byte) []byte) error {
	o.mu.Lock()
	o.buf = build(o.buf)
	o.moved = true
	o.mu.Unlock()
	return o.flush()
}

// settle is called when an answer is complete: it writes now if the worker has
// nothing else to do, else soon.
func (o *outbox) settle(idle bool) error {
	o.mu.Lock()
	now := idle || len(o.buf) >= flushBytes
	if !now && !o.armed && len(o.buf) > 0 {
		o.armed = true
		if o.timer == nil {
			o.timer = time.AfterFunc(flushDelay, o.late)
		} else {
			o.timer.Reset(flushDelay)
		}
	}
	o.mu.Unlock()
	if now {
		return o.flush()
	}
	return nil
}

// late runs on a goroutine of its own while a task computes. An error stays in
// o.err, where the next settle finds it.
func (o *outbox) late() {
	o.mu.Lock()
	o.armed = false
	o.mu.Unlock()
	o.flush()
}

// quiet reports whether nothing was sent since it was asked last.
func (o *outbox) quiet() bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	quiet := !o.moved
	o.moved = false
	return quiet
}

// flush writes what waits.
func (o *outbox) flush() error {
	o.writing.Lock()
	defer o.writing.Unlock()
	o.mu.Lock()
	full := o.take()
	o.mu.Unlock()
	return o.write(full)
}

// take swaps the buffers and returns the full one, which is the spare one from
// then on. The caller holds both locks and writes it before it lets go of writing.
func (o *outbox) take() []byte {
	full := o.buf
	o.buf = o.spare[:0]
	o.spare = nil
	if cap(full) <= 2*flushBytes {
		o.spare = full
	}
	return full
}

// write writes parts unless an earlier write failed. The caller holds writing.
func (o *outbox) write(parts ...[]byte) error {
	for _, p := range parts {
		if o.err == nil && len(p) > 0 {
			_, o.err = o.w.Write(p)
		}
	}
	return o.err
}
