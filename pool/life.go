package pool

import (
	"errors"
	"fmt"
	"io"
	"sync"
	"sync/atomic"
	"time"

	"procpool/internal/pipe"
	"procpool/ipc"
	"procpool/task"
)

// A life is one worker process from its start to its end. Three goroutines
// belong to it, and live waits for all of them: the supervisor's own, which
// reads what the worker says, one that writes to it, and one that passes its
// standard error on. A fourth waits for the process to end.
type life struct {
	pool  *Pool
	slot  *slot
	spawn *spawner
	proc  process
	in    *ipc.Reader

	launched *launched // proc, if it is a launcher
	pid      int       // of the worker, as far as it is known; on host
	host     string    // "" for this one

	heard  atomic.Bool    // bytes came since the monitor looked last
	kicked chan struct{}  // holds one when there is something to write
	over   chan struct{}  // closed when nothing more will be written
	pumps  sync.WaitGroup // the writer and the relay
	stderr *relay         // of the worker's standard error
	exited chan struct{}  // closed when status is set
	status exit           // of the process
	born   time.Time      //
	bye    *ipc.Bye       // the worker's last message
	handed []held         // a view of slot.hand; the reader's own
	seen   int            // of handed: answered, or in answers
	lastID uint64         // of the last answer
	done   []answer       // answers that are not yet settled; the reader's own

	// Guarded by the pool's lock.
	ready    bool   // it said hello and may be sent requests
	retiring bool   // it gets no more
	ended    bool   // it was told to end
	killed   error  // why the process was killed from here; nil if it was not
	late     *chunk // that it was killed for
	sent     int
	settled  int
	out      outgoing
	clocks   clocks
}

var (
	// errAborted is why a worker was killed whose work nobody wants any more.
	errAborted = errors.New("its work is wanted no more")
	errNoHello = errors.New("it ended before it said hello")
)

func newLife(w *worker) *life {
	return &life{
		pool: w.slot.pool, slot: w.slot, spawn: w.spawn, born: time.Now(),
		kicked: make(chan struct{}, 1), over: make(chan struct{}), exited: make(chan struct{}),
	}
}

// attach makes proc this life's process and starts what goes with it.
func (l *life) attach(proc process) {
	l.proc, l.pid = proc, proc.Pid()
	l.launch(proc)
	l.in = ipc.NewReader(&pipe.WatchedReader{R: proc.Stdout(), GotBytes: &l.heard}, ipc.DefaultLimit) // a hello may be longer than any output
	l.stderr = newRelay(l.pool, l.slot.index)
	l.pumps.Go(func() { l.stderr.run(proc.Stderr()) })
	l.pumps.Go(l.write)
	go l.wait()
}

const (
	// drainDelay is how long output may still come after a process has ended:
	// something that it started may hold the pipe open for ever.
	drainDelay = time.Second
	// reapDelay is how long a killed process may take to be gone. One that the
	// kernel cannot end (it waits for a dead disk, say) is waited for in the background.
	reapDelay = 5 * time.Second
)

// wait reaps the process.
func (l *life) wait() {
	l.status = l.proc.Wait()
	close(l.exited)
	time.AfterFunc(drainDelay, func() { l.proc.Stdout().Close(); l.proc.Stderr().Close() })
}

// live talks to the worker until it ends, and returns why the talk ended: nil
// if that was in order. When it returns the process is gone.
func (l *life) live() error {
	err := l.greet()
	l.spawn.started()
	if err == nil {
		err = l.listen()
	}
	l.pool.mu.Lock()
	l.retiring = true
	if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) && !errors.Is(err, errNoHello) {
		l.kill(err) // where the stream merely ended, how the process ended says more
	}
	l.pool.mu.Unlock()
	close(l.over)
	select { // a worker that has said bye, or closed its output, should be gone
	case <-l.exited:
	case <-time.After(drainDelay):
		l.pool.mu.Lock()
		l.kill(err)
		l.pool.mu.Unlock()
		select {
		case <-l.exited:
		case <-time.After(reapDelay):
		}
	}
	l.stderr.wait(drainDelay)
	l.proc.Stdin().Close()
	l.proc.Stdout().Close()
	l.proc.Stderr().Close()
	l.pumps.Wait()
	return err
}

// greet waits for the hello and opens the conversation.
func (l *life) greet() error {
	hello, noise, err := l.in.Hello()
	if streamEnded(err) {
		err = errNoHello
	}
	if err == nil {
		err = l.recognise(hello)
	}
	if err == nil {
		err = l.arrived(hello)
	}
	if err != nil {
		var fault *ipc.Fault // has its first bytes with it
		if len(noise) > 0 && !errors.As(err, &fault) {
			err = fmt.Errorf("%w; what it said instead begins with %q", err, noise[:min(len(noise), 200)])
		}
		return err
	}
	startup := time.Since(l.born).Seconds()
	p := l.pool
	l.in.SetLimit(p.opts.MaxMessage)
	p.mu.Lock()
	l.ready = true
	l.slot.stats.Host, l.slot.stats.CPUs = hello.Host, hello.CPUs
	l.slot.stats.StartupSeconds += startup
	l.out.buf = ipc.AppendOpen(l.out.buf, ipc.Open{HeartbeatSeconds: p.opts.Heartbeat.Seconds(), MaxMessageBytes: p.opts.MaxMessage, Trace: p.opts.Trace})
	if p.closed {
		l.sayEnd()
	} else {
		l.slot.draw()
	}
	l.kick()
	p.mu.Unlock()
	p.emit(Event{Kind: WorkerStarted, Worker: l.slot.index, PID: l.pid, Seconds: startup, Began: l.born})
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

// recognise refuses a worker that runs another program than this one.
func (l *life) recognise(h ipc.Hello) error {
	if h.Build != ipc.Build() {
		return fmt.Errorf("the worker is another build: it is %q, this is %q", h.Build, ipc.Build())
	}
	return nil
}

// settleAt is how many answers are settled at once at the latest.
const settleAt = 256

// listen takes answers until the stream ends. It returns nil only if that
// followed a bye.
func (l *life) listen() error {
	for {
		m, err := l.in.Next()
		if streamEnded(err) && l.bye != nil {
			return nil
		}
		if streamEnded(err) {
			return &ipc.Fault{Reason: "the stream ends without bye", Err: io.ErrUnexpectedEOF}
		}
		if err == nil {
			err = l.hear(m)
		}
		if err != nil {
			l.settle()
			return err
		}
		if len(l.done) > 0 && (len(l.done) >= settleAt || !l.in.Buffered()) {
			l.settle()
		}
	}
}

func (l *life) hear(m ipc.Message) error {
	switch {
	case l.bye != nil:
		return &ipc.Fault{Reason: fmt.Sprintf("%q after bye", m.Kind)}
	case m.Kind == ipc.KindResult || m.Kind == ipc.KindFail:
		return l.answer(m)
	case m.Kind == ipc.KindBeat:
		return nil
	case m.Kind == ipc.KindBye:
		bye, err := ipc.ParseBye(m.Body)
		l.bye = &bye
		l.proc.Stdin().Close() // a launcher may wait for its end before it closes the output
		return err
	}
	return &ipc.Fault{Reason: fmt.Sprintf("a worker does not say %q", m.Kind)}
}

// answer takes the answer to the oldest request that has none. Workers answer
// in order, so any other is a fault.
func (l *life) answer(m ipc.Message) error {
	h, ok := l.oldest()
	if !ok {
		return &ipc.Fault{Reason: fmt.Sprintf("a %s that nobody asked for", m.Kind)}
	}
	l.lastID++
	if m.Kind == ipc.KindFail {
		f, err := ipc.ParseFail(m.Body)
		if err != nil {
			return err
		}
		if f.ID != l.lastID {
			return &ipc.Fault{Reason: fmt.Sprintf("a fail for request %d, the oldest is %d", f.ID, l.lastID)}
		}
		l.done = append(l.done, answer{err: &TaskError{Input: h.job.input(h.chunk), Err: &task.Error{Text: f.Error, Stack: f.Stack}}})
		return nil
	}
	r, err := ipc.ParseResult(m.Body)
	if err != nil {
		return err
	}
	if r.ID != l.lastID {
		return &ipc.Fault{Reason: fmt.Sprintf("a result for request %d, the oldest is %d", r.ID, l.lastID)}
	}
	if h.job.spec.Sums() && (!r.HasInterval || r.Interval != h.chunk.iv) {
		return &ipc.Fault{Reason: fmt.Sprintf("a result for interval %v, asked was %v", r.Interval, h.chunk.iv)}
	}
	large := len(r.Value) > largeValue
	if large {
		r.Value = l.in.Keep(r.Value)
	}
	if err := h.job.cells.decode(h.job.cell(h.chunk), r.Value, large); err != nil {
		return &ipc.Fault{Reason: "a result of another type", Err: err}
	}
	l.done = append(l.done, answer{seconds: r.Seconds, began: r.Began, size: int64(len(r.Value))})
	return nil
}

// oldest is the chunk that was sent first of those not answered. What is in a
// hand stays there until it is settled here, so a view of it is enough.
func (l *life) oldest() (held, bool) {
	if l.seen == len(l.handed) {
		l.pool.mu.Lock()
		l.handed = l.slot.hand
		l.pool.mu.Unlock()
		l.seen = len(l.done)
	}
	if l.seen >= len(l.handed) {
		return held{}, false
	}
	h := l.handed[l.seen]
	l.seen++
	return h, true
}

// settle accepts the answers that have come and sends more work.
func (l *life) settle() {
	if len(l.done) == 0 {
		return
	}
	p := l.pool
	events := p.finished(l.slot.index, l.pid, l.handed, l.done)
	tooLarge := p.opts.MaxRSS > 0 && l.host == "" && p.sys.residentSet(l.pid) > p.opts.MaxRSS
	p.mu.Lock()
	l.slot.answered(l.pid, l.done)
	l.settled += len(l.done)
	l.clocks.busy = 0
	if tooLarge || p.opts.MaxChunksPerChild > 0 && l.settled >= p.opts.MaxChunksPerChild {
		l.retiring = true
	}
	l.slot.draw()
	if l.retiring && len(l.slot.hand) == 0 {
		l.sayEnd()
	}
	p.mu.Unlock()
	p.emit(events...)
	l.done, l.handed, l.seen = l.done[:0], nil, 0
}

// The rest is called with the pool's lock held.

// request puts a chunk on the way to the worker.
func (l *life) request(h held) {
	if len(l.slot.hand) == 1 {
		l.clocks.busy = 0
	}
	l.sent++
	l.out.request(uint64(l.sent), h)
}

// sayEnd lets the worker finish in order.
func (l *life) sayEnd() {
	if !l.ended {
		l.ended, l.retiring = true, true
		l.out.buf = ipc.AppendEnd(l.out.buf)
		l.kick()
	}
}

// kick lets the writer look.
func (l *life) kick() {
	select {
	case l.kicked <- struct{}{}:
	default:
	}
}

// kill ends the process. The first reason is kept. Should its output stay open
// although it is gone, reading ends soon.
func (l *life) kill(why error) {
	if l.killed == nil {
		l.killed = why
	}
	l.retiring = true
	l.proc.Kill()
	time.AfterFunc(drainDelay, func() { l.proc.Stdout().Close() })
}
