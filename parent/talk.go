package parent

import (
	"errors"
	"fmt"
	"io"

	"procpool/internal/pipe"
	"procpool/ipc"
)

// largeValue is the length in bytes above which values are not copied: an input is
// written from the caller's slice, and an output keeps the buffer that it was read into.
const largeValue = 64 << 10

// flushAt is the most answers that the handler gets between two calls of Flush.
const flushAt = 256

func newReader(p *Process) *ipc.Reader {
	// A hello may be longer than MaxMessage.
	return ipc.NewReader(&pipe.WatchedReader{R: p.os.Stdout(), GotBytes: &p.gotBytes}, ipc.DefaultLimit)
}

// greet waits for the hello and opens the conversation.
func (p *Process) greet() error {
	hello, noise, err := p.in.Hello()
	if streamEnded(err) {
		err = ErrNoHello
	}
	if err == nil {
		err = p.config.accept(hello)
	}
	if err == nil {
		err = p.arrived(hello)
	}
	if err != nil {
		var fault *ipc.Fault // a fault already quotes the first bytes
		if len(noise) > 0 && !errors.As(err, &fault) {
			err = fmt.Errorf("%w; what it said instead begins with %q", err, noise[:min(len(noise), 200)])
		}
		return err
	}
	if hello.StartError != "" {
		return &StartFailure{Text: hello.StartError}
	}
	p.in.SetLimit(p.config.MaxMessage)
	p.mu.Lock()
	if p.config.Accept != nil && !hello.Beats {
		p.config.Heartbeat = 0
	}
	c := p.config
	p.queue.buf = ipc.AppendOpen(p.queue.buf, ipc.Open{HeartbeatSeconds: c.Heartbeat.Seconds(), MaxMessageBytes: c.MaxMessage, Trace: c.Trace})
	p.ready = true
	p.accepting.Store(p.killed == nil)
	p.mu.Unlock()
	p.handler.Hello(hello)
	p.kick()
	return nil
}

// accept returns why a worker with this hello cannot be used; nil if it can.
func (c *Config) accept(h ipc.Hello) error {
	switch {
	case c.Accept != nil:
		return c.Accept(h)
	case h.Build != ipc.Build():
		return &BuildError{Theirs: h.Build, Ours: ipc.Build()}
	}
	return nil
}

// arrived stores the worker's pid and host. Behind a launcher they may be those of another
// process, on another machine.
func (p *Process) arrived(h ipc.Hello) error {
	if p.launched == nil {
		return nil
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.killed != nil {
		p.killed = ErrHeldBack
		return ErrHeldBack
	}
	here := thisHost()
	if p.host = h.Host; h.Host == here {
		p.host = ""
	}
	p.launched.itself.Store(h.Host == here && h.PID == int64(p.os.Pid()))
	p.pid = int(h.PID)
	return nil
}

// streamEnded reports whether err means the end of a worker's output: the worker closed
// it, or this process did, because the worker is gone and something else holds the pipe.
func streamEnded(err error) bool {
	if err == nil { // fast path: it is called for every message, and errors.As below allocates
		return false
	}
	var fault *ipc.Fault
	return !errors.As(err, &fault)
}

// listen handles messages until the stream ends. It returns nil only if the stream ended
// after a bye.
func (p *Process) listen() error {
	waiting := 0 // answers since the last flush
	for {
		m, err := p.in.Next()
		if streamEnded(err) && p.bye != nil {
			return nil
		}
		if streamEnded(err) {
			return &ipc.Fault{Reason: "the stream ends without bye", Err: io.ErrUnexpectedEOF}
		}
		if err == nil {
			var answers int
			answers, err = p.take(m)
			waiting += answers
		}
		if waiting > 0 && (err != nil || waiting >= flushAt || !p.in.Buffered()) {
			p.noteAnswers()
			p.handler.Flush()
			waiting = 0
		}
		if err != nil {
			return err
		}
	}
}

// take handles one message, and returns how many answers it had.
func (p *Process) take(m ipc.Message) (answers int, err error) {
	switch {
	case p.bye != nil:
		return 0, &ipc.Fault{Reason: fmt.Sprintf("%q after bye", m.Kind)}
	case m.Kind == ipc.KindResult:
		return p.result(m)
	case m.Kind == ipc.KindFail:
		if err = p.fail(m); err == nil {
			answers = 1
		}
		return answers, err
	case m.Kind == ipc.KindBeat:
		return 0, nil
	case m.Kind == ipc.KindBye:
		bye, err := ipc.ParseBye(m.Body)
		p.bye = &bye
		p.os.Stdin().Close() // a launcher may keep the output open until its input ends
		return 0, err
	}
	return 0, &ipc.Fault{Reason: fmt.Sprintf("a worker does not say %q", m.Kind)}
}

// result handles a result, or the answers to several requests of a batch, and returns how
// many answers there were.
func (p *Process) result(m ipc.Message) (answers int, err error) {
	r, err := ipc.ParseResult(m.Body)
	if err != nil {
		return 0, err
	}
	for one := r; ; one.ID++ {
		if r.Answers != nil {
			one.Seconds, one.Value, r.Answers, err = ipc.NextAnswer(r.Answers)
		}
		if err == nil {
			err = p.oneResult(one)
		}
		if err != nil {
			return answers, err
		}
		if answers++; len(r.Answers) == 0 {
			return answers, nil
		}
	}
}

func (p *Process) oneResult(r ipc.Result) error {
	if err := p.expect(ipc.KindResult, r.ID); err != nil {
		return err
	}
	owned := len(r.Value) > largeValue
	if owned {
		r.Value = p.in.Keep(r.Value)
	}
	return p.handler.Result(r, owned)
}

func (p *Process) fail(m ipc.Message) error {
	f, err := ipc.ParseFail(m.Body)
	if err == nil && f.NotBegun {
		return p.notBegun(f.ID)
	}
	if err == nil {
		err = p.expect(m.Kind, f.ID)
	}
	if err == nil {
		p.mu.Lock()
		f.Timeout = f.Timeout || f.ID == p.lateID
		p.mu.Unlock()
		p.handler.Fail(f)
	}
	return err
}

// notBegun handles the return of a request that was not begun. It arrives before the
// answers to the requests ahead of it.
func (p *Process) notBegun(id uint64) error {
	p.mu.Lock()
	_, asked := p.askedBack[id]
	delete(p.askedBack, id)
	p.mu.Unlock()
	if !asked || id <= p.lastID {
		return &ipc.Fault{Reason: fmt.Sprintf("request %d comes back as not begun, and was not asked back", id)}
	}
	if p.skipped == nil {
		p.skipped = make(map[uint64]bool)
	}
	p.skipped[id] = true
	p.skip()
	p.handler.NotBegun(id)
	return nil
}

// skip moves lastID over requests that came back as not begun.
func (p *Process) skip() {
	for p.skipped[p.lastID+1] {
		p.lastID++
		delete(p.skipped, p.lastID)
	}
}

// expect checks that id is the oldest unanswered request. Workers answer in order, so any
// other answer is a fault.
func (p *Process) expect(kind ipc.Kind, id uint64) error {
	if p.lastID >= p.asked {
		p.mu.Lock()
		p.asked = p.sent
		p.mu.Unlock()
	}
	if p.lastID == p.asked {
		return &ipc.Fault{Reason: fmt.Sprintf("a %s that nobody asked for", kind)}
	}
	p.lastID++
	if id != p.lastID {
		return &ipc.Fault{Reason: fmt.Sprintf("a %s for request %d, the oldest is %d", kind, id, p.lastID)}
	}
	if len(p.skipped) > 0 {
		p.skip()
	}
	return nil
}

// noteAnswers removes answered requests from the limits that watch enforces.
func (p *Process) noteAnswers() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.lastID == p.answered {
		return // only requests that were not begun came back: the clocks of the oldest run on
	}
	for id := p.answered + 1; id <= p.lastID && len(p.timeouts)+len(p.askedBack) > 0; id++ {
		delete(p.timeouts, id)
		delete(p.askedBack, id)
	}
	p.answered = p.lastID
	p.clocks.busy, p.clocks.cancelling = 0, 0
	p.hasten(p.timeouts[p.answered+1])
	if p.askedBack[p.answered+1] {
		p.hasten(p.config.CancelGrace)
	}
}
