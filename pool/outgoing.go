package pool

import (
	"errors"
	"time"

	"procpool/internal/pipe"
	"procpool/ipc"
)

// largeValue is the length in bytes above which an input is written from where
// it is, and an output takes the buffer over into which it was read.
const largeValue = 64 << 10

// An outgoing holds what waits to be written to a worker, in order: parts
// first, then buf.
type outgoing struct {
	parts [][]byte
	buf   []byte
	spare []byte // a buffer that was written, to be used again
}

// request appends a request.
func (o *outgoing) request(id uint64, h held) {
	o.buf = ipc.AppendRequestHead(o.buf, id, h.job.spec.Name)
	switch arg := h.chunk.arg; {
	case h.job.spec.Sums():
		o.buf = ipc.AppendInterval(o.buf, h.chunk.iv)
	case len(arg) > largeValue:
		o.parts = append(o.parts, o.buf, arg)
		o.buf = nil
	default:
		o.buf = append(o.buf, arg...)
	}
}

func (o *outgoing) empty() bool { return len(o.parts) == 0 && len(o.buf) == 0 }

// take hands out everything to be written.
func (o *outgoing) take() (parts [][]byte, last []byte) {
	parts, last = o.parts, o.buf
	o.parts, o.buf, o.spare = nil, o.spare[:0], nil
	return parts, last
}

// write carries what is outgoing to the worker until the life is over. A
// worker that does not read blocks it alone; the monitor notices the silence.
func (l *life) write() {
	stdin, wide := l.proc.Stdin(), false
	for {
		select {
		case <-l.over:
			return
		case <-l.kicked:
		}
		l.pool.mu.Lock()
		parts, last := l.out.take()
		l.clocks.sinceSent = 0
		l.pool.mu.Unlock()
		if len(parts) > 0 && !wide {
			wide = true
			pipe.Widen(stdin)
		}
		for _, part := range append(parts, last) {
			if len(part) == 0 {
				continue
			}
			if _, err := stdin.Write(part); err != nil {
				l.deaf()
				return
			}
		}
		l.pool.mu.Lock()
		l.out.spare = last
		l.pool.mu.Unlock()
	}
}

// deaf is called when the worker's input is closed. If the worker is about to
// end, the reader sees that and says what happened; if not, it would never answer.
func (l *life) deaf() {
	select {
	case <-l.over:
	case <-l.exited:
	case <-time.After(drainDelay):
		l.pool.mu.Lock()
		defer l.pool.mu.Unlock()
		if !l.ended {
			l.kill(errors.New("it closed its input"))
		}
	}
}
