package parent

import (
	"time"

	"procpool/internal/pipe"
	"procpool/ipc"
)

// A sendQueue holds what waits to be written to a worker, in order: parts
// first, then buf.
type sendQueue struct {
	parts [][]byte
	buf   []byte
	spare []byte // a buffer that was written, to be used again
}

func (q *sendQueue) empty() bool { return len(q.parts) == 0 && len(q.buf) == 0 }

// take hands out everything to be written.
func (q *sendQueue) take() (parts [][]byte, last []byte) {
	parts, last = q.parts, q.buf
	q.parts, q.buf, q.spare = nil, q.spare[:0], nil
	return parts, last
}

// Accepting reports whether the worker may be sent requests: it has said hello
// and was neither told to end nor killed.
func (p *Process) Accepting() bool { return p.accepting.Load() }

// SendInterval queues a request for a task over an interval. [Process.Flush]
// must follow, after any number of them.
func (p *Process) SendInterval(task string, iv ipc.Interval) {
	p.mu.Lock()
	p.beginRequest(task)
	p.queue.buf = ipc.AppendInterval(p.queue.buf, iv)
	p.mu.Unlock()
}

// SendInput queues a request with an encoded input, which must not change until
// it is answered. [Process.Flush] must follow, after any number of them.
func (p *Process) SendInput(task string, arg []byte) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.beginRequest(task)
	q := &p.queue
	if len(arg) <= largeValue {
		q.buf = append(q.buf, arg...)
		return
	}
	q.parts = append(q.parts, q.buf, arg)
	q.buf = nil
}

// beginRequest appends what stands before a request's argument. The caller
// holds mu.
func (p *Process) beginRequest(task string) {
	if p.sent == p.answered {
		p.clocks.busy = 0
	}
	p.sent++
	p.queue.buf = ipc.AppendRequestHead(p.queue.buf, p.sent, task)
}

// Flush has the queued requests written.
func (p *Process) Flush() { p.kick() }

// kick wakes the writer.
func (p *Process) kick() {
	select {
	case p.wake <- struct{}{}:
	default:
	}
}

// write carries what is queued to the worker until the talk is over. A worker
// that does not read blocks it alone; watch notices the silence.
func (p *Process) write() {
	stdin, wide := p.os.Stdin(), false
	for {
		select {
		case <-p.over:
			return
		case <-p.wake:
		}
		p.mu.Lock()
		parts, last := p.queue.take()
		p.clocks.sinceSent = 0
		p.mu.Unlock()
		if len(parts) > 0 && !wide {
			wide = true
			pipe.Widen(stdin)
		}
		for _, part := range append(parts, last) {
			if len(part) == 0 {
				continue
			}
			if _, err := stdin.Write(part); err != nil {
				p.inputClosed()
				return
			}
		}
		p.mu.Lock()
		p.queue.spare = last
		p.mu.Unlock()
	}
}

// inputClosed is called when the worker's input is closed. If the worker is about
// to end, Run sees that and says what happened; if not, it would never answer.
func (p *Process) inputClosed() {
	select {
	case <-p.over:
	case <-p.exited:
	case <-time.After(drainDelay):
		p.mu.Lock()
		defer p.mu.Unlock()
		if !p.ending {
			p.killLocked(errInputClosed)
		}
	}
}
