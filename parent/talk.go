package parent

import (
	"errors"
	"fmt"
	"io"

	"procpool/internal/pipe"
	"procpool/ipc"
)

// largeValue is the length in bytes above which an input is written from where
// it is, and an output takes the buffer over into which it was read.
const largeValue = 64 << 10

// flushAt is how many answers the handler is given between two flushes at most.
const flushAt = 256

func newReader(p *Process) *ipc.Reader {
	// A hello may be longer than any output.
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
		var fault *ipc.Fault // has its first bytes with it
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

// accept returns why a worker that says h cannot be used; nil if it can.
func (c *Config) accept(h ipc.Hello) error {
	switch {
	case c.Accept != nil:
		return c.Accept(h)
	case h.Build != ipc.Build():
		return &BuildError{Theirs: h.Build, Ours: ipc.Build()}
	}
	return nil
}

// arrived notes who says hello. Behind a launcher that may be another process,
// on another machine.
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

// streamEnded reports whether err is the end of a worker's output: its own, or
// that it was closed here because the process is gone and something else still
// holds the pipe.
func streamEnded(err error) bool {
	if err == nil { // at once: this is asked after every message, and what follows allocates
		return false
	}
	var fault *ipc.Fault
	return !errors.As(err, &fault)
}

// listen takes answers until the stream ends. It returns nil only if that
// followed a bye.
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

// take takes one message, and returns how many answers it had.
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
		p.os.Stdin().Close() // a launcher may wait for its end before it closes the output
		return 0, err
	}
	return 0, &ipc.Fault{Reason: fmt.Sprintf("a worker does not say %q", m.Kind)}
}

// result takes a result, or the answers to several requests of a batch, and returns how
// many there were.
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

// notBegun takes a request back that was cancelled in time. Its answer comes
// before those of the requests ahead of it.
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

// skip moves lastID over requests that were taken back.
func (p *Process) skip() {
	for p.skipped[p.lastID+1] {
		p.lastID++
		delete(p.skipped, p.lastID)
	}
}

// expect accepts the answer to the oldest request that has none. Workers answer
// in order, so any other is a fault.
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

// noteAnswers tells watch which requests have their answers.
func (p *Process) noteAnswers() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.lastID == p.answered {
		return // requests came back that were not begun: the oldest has no more time for that
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
