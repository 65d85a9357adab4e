package child

import (
	"io"
	"sync"
	"time"

	"procpool/internal/pipe"
	"procpool/ipc"
)

const (
	flushBytes = 32 << 10         // write at the latest when so much waits
	flushDelay = time.Millisecond // or so long after the write before
	largeValue = 64 << 10         // a longer value is written from where it is
)

// An outbox holds messages until they are worth a write. Results that follow
// one another within flushDelay wait for more; everything else leaves at once.
// Should no more results come, a timer writes those that wait: beside a task that
// makes no calls, Go takes 10 ms and more to run it.
type outbox struct {
	w io.Writer

	writing sync.Mutex // held around w.Write, which keeps messages in order. Taken before mu
	mu      sync.Mutex
	buf     []byte // waits to be written
	spare   []byte // the other buffer, owned by who holds writing
	wide    bool   // w was widened; likewise
	timer   *time.Timer
	armed   bool
	wrote   time.Duration // when a result was written last, by the worker's clock
	moved   bool          // something was appended since the last beat was due
	done    bool          // bye was appended
	err     error         // of the first failed write; nothing is written after it
}

// result appends an answer that was ready at a time of the worker's clock. It is
// written now if the worker is idle, else now or soon. wrote reports which.
func (o *outbox) result(r ipc.Result, value []byte, at time.Duration, idle bool) (wrote bool, err error) {
	if len(value) > largeValue {
		return true, o.resultInPlace(r, value)
	}
	o.mu.Lock()
	o.buf = append(ipc.AppendResultHead(o.buf, r), value...)
	o.buf = append(o.buf, '\n')
	o.moved = true
	now := idle || len(o.buf) >= flushBytes || at-o.wrote >= flushDelay
	if now {
		o.wrote = at
	} else if !o.armed {
		o.armed = true
		if o.timer == nil {
			o.timer = time.AfterFunc(flushDelay, o.late)
		} else {
			o.timer.Reset(flushDelay)
		}
	}
	o.mu.Unlock()
	if now {
		return true, o.flush()
	}
	return false, nil
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

// late runs on a goroutine of its own while a task computes. An error stays in
// o.err, where the next write finds it.
func (o *outbox) late() {
	o.mu.Lock()
	o.armed = false
	o.mu.Unlock()
	o.flush()
}

// beat sends a beat, unless something was sent since it was called last, waits
// to be, or was bye, behind which nothing may stand.
func (o *outbox) beat() error {
	o.mu.Lock()
	due := !o.moved && !o.done && len(o.buf) == 0
	o.moved = false
	if due {
		o.buf = ipc.AppendBeat(o.buf)
	}
	o.mu.Unlock()
	if !due {
		return nil
	}
	return o.flush()
}

// bye sends the last message.
func (o *outbox) bye(b ipc.Bye) error {
	o.mu.Lock()
	o.buf = ipc.AppendBye(o.buf, b)
	o.done = true
	o.mu.Unlock()
	return o.flush()
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
