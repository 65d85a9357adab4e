package parent

import (
	"time"

	"procpool/internal/pipe"
	"procpool/ipc"
)

// A sendQueue holds the bytes to be written to a worker, in order: parts first, then buf.
type sendQueue struct {
	parts [][]byte
	buf   []byte
	spare []byte // a buffer that was written, to be reused
}

func (q *sendQueue) empty() bool { return len(q.parts) == 0 && len(q.buf) == 0 }

// take empties the queue and returns what it held.
func (q *sendQueue) take() (parts [][]byte, last []byte) {
	parts, last = q.parts, q.buf
	q.parts, q.buf, q.spare = nil, q.spare[:0], nil
	return parts, last
}

// Accepting reports whether the worker may be sent requests: it has said hello, and was
// neither told to end nor killed.
func (p *Process) Accepting() bool { return p.accepting.Load() }

// SendInterval queues a request for a task over an interval, and returns the request's
// id; the first is 1. with is an encoded value for the task, or nil. Call [Process.Flush]
// after the last of a series of requests.
func (p *Process) SendInterval(task string, iv ipc.Interval, with []byte, o ipc.RequestOptions) (id uint64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.beginRequest(task, o)
	p.queue.buf = ipc.AppendIntervalWith(p.queue.buf, iv, with)
	return p.sent
}

// SendInput is like [Process.SendInterval] for an encoded input. arg must not change until
// the request is answered.
func (p *Process) SendInput(task string, arg []byte, o ipc.RequestOptions) (id uint64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.beginRequest(task, o)
	q := &p.queue
	if len(arg) <= largeValue {
		q.buf = append(q.buf, arg...)
	} else {
		q.parts = append(q.parts, q.buf, arg)
		q.buf = nil
	}
	return p.sent
}

// SendBatch queues n requests in one message and returns the id of the first. args has
// their encoded inputs, one after the other. The ids and indices count up from the first.
// Only a worker whose hello has Batches set may be sent batches.
func (p *Process) SendBatch(task string, args []byte, n int, o ipc.RequestOptions) (first uint64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	first = p.sent + 1
	for range n {
		p.count(o)
	}
	p.queue.buf = append(ipc.AppendBatchHead(p.queue.buf, first, task, n, o), args...)
	return first
}

// beginRequest appends the part of a request before its argument. The caller holds mu.
func (p *Process) beginRequest(task string, o ipc.RequestOptions) {
	p.count(o)
	p.queue.buf = ipc.AppendRequestHeadWith(p.queue.buf, p.sent, task, o)
}

// count counts one more request that is sent. The caller holds mu.
func (p *Process) count(o ipc.RequestOptions) {
	if p.sent == p.answered {
		p.clocks.busy = 0
	}
	p.sent++
	if o.TimeoutSeconds > 0 {
		p.keepTimeout(time.Duration(o.TimeoutSeconds * float64(time.Second)))
	}
}

// Cancel cancels a request. A request that has not been begun comes back by
// [Handler.NotBegun]. If it has been begun, its task's context is cancelled, and the task
// still answers with a result or a failure. A worker that does not answer within
// Config.CancelGrace is killed.
func (p *Process) Cancel(id uint64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.cancelLocked(id)
}

func (p *Process) cancelLocked(id uint64) { p.askBack(id, true) }

// Recall asks for a request back if it has not been begun; then it comes back by
// [Handler.NotBegun]. Unlike Cancel it does not disturb a request that has been begun.
func (p *Process) Recall(id uint64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.askBack(id, false)
}

// askBack sends a cancel or, if cancel is false, a recall. The caller holds mu.
func (p *Process) askBack(id uint64, cancel bool) {
	cancelled, is := p.askedBack[id]
	if is && (cancelled || !cancel) || id <= p.answered || p.killed != nil {
		return
	}
	if p.askedBack == nil {
		p.askedBack = make(map[uint64]bool)
	}
	p.askedBack[id] = cancel
	if cancel && id == p.answered+1 {
		p.hasten(p.config.CancelGrace)
	}
	p.queue.buf = ipc.AppendCancel(p.queue.buf, ipc.Cancel{ID: id, Queued: !cancel})
	p.kick()
}

// Flush makes the writer write the queued requests. It does not wait for that.
func (p *Process) Flush() { p.kick() }

// kick wakes the writer.
func (p *Process) kick() {
	select {
	case p.wake <- struct{}{}:
	default:
	}
}

// write writes the queue to the worker until Run has stopped reading. A worker that does
// not read blocks only this goroutine; watch notices the worker's silence.
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

// inputClosed is called when writing to the worker failed. A worker that is about to end
// has drainDelay for it, and Run reports why it ended. One that goes on is killed, because
// it would never answer.
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
