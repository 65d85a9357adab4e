package parent

import (
	"errors"
	"io"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"procpool/ipc"
)

// A Config says how to talk to a worker process and how to watch it. Its durations are
// counted in ticks of this process, not by the clock: a job that is stopped as a whole
// and continued misses no tick, and loses no worker.
type Config struct {
	Worker         int           // its index
	Heartbeat      time.Duration // silence after which it is killed; 0 = never. A worker of another program must say that it beats
	StartupTimeout time.Duration // from its start to its hello; 0 = none
	Grace          time.Duration // from End to its end; 0 = none
	CancelGrace    time.Duration // from the cancel of a request, or its timeout, to its answer; then it is killed
	MaxMessage     int64         // bytes of a message in either direction
	Trace          bool          // results say when they were begun
	LogLine        func([]byte)  // gets each line of its standard error, without the line's end, which it must not keep; nil drops them
	LimitLines     bool          // pass on no more lines than a reader could bear

	// Accept returns an error if a worker of another program, by its hello, cannot be
	// used. If Accept is nil, only workers of this program are used.
	Accept func(ipc.Hello) error
}

// A Handler receives what a worker sends. [Process.Run] calls its methods, one at a time.
type Handler interface {
	// Hello is called first. From now on requests may be sent.
	Hello(h ipc.Hello)
	// Result receives the answer to the oldest request that has none. If owned is set,
	// the handler may keep r.Value; otherwise it is valid until Result returns. An error
	// counts as a fault of the stream and ends the process.
	Result(r ipc.Result, owned bool) error
	// Fail receives the error of the oldest request. f.Timeout is set if the request took
	// longer than its timeout.
	Fail(f ipc.Fail)
	// NotBegun receives the id of a request that was cancelled before the worker began
	// it.
	NotBegun(id uint64)
	// Flush is called after a series of answers, when no more have arrived.
	Flush()
}

// A Process is one worker process from its start to its end. Its methods but Run
// may be called from any goroutine, and never call the handler.
//
// Five goroutines belong to it, and Run waits for all of them: Run's own, which
// reads, one that writes, one that passes standard error on, one that watches the
// time, and one that waits for the process to end.
type Process struct {
	config  Config
	handler Handler
	spawner *Spawner
	os      OSProcess
	in      *ipc.Reader
	stderr  *relay
	born    time.Time

	launched *launchedProcess // os, if it is a launcher

	gotBytes atomic.Bool    // bytes came since watch looked last
	wake     chan struct{}  // holds one when there is something to write
	over     chan struct{}  // closed when the talk is over
	hurry    chan struct{}  // holds one when watch should look sooner than it means to
	helpers  sync.WaitGroup // the writer, the relay and watch
	exited   chan struct{}  // closed when status is set
	status   ExitStatus

	// Run's own.
	bye     *ipc.Bye        // the worker's last message
	lastID  uint64          // of the last answer
	asked   uint64          // requests sent, when Run looked last
	skipped map[uint64]bool // requests above lastID that came back as not begun

	accepting atomic.Bool // it may be sent requests

	mu        sync.Mutex // guards what follows
	pid       int        // of the worker, as far as it is known
	host      string     // of the worker; "" for this one. Before its hello, the one that it is to run on
	ready     bool       // it said hello
	ending    bool       // it was told to end
	killed    error      // why it was killed from here; nil if it was not
	lateID    uint64     // of the request that it was killed for
	sent      uint64     // requests
	answered  uint64     // requests
	queue     sendQueue
	clocks    clocks
	every     time.Duration            // how often watch looks
	timeouts  map[uint64]time.Duration // of requests that have one
	askedBack map[uint64]bool          // requests without an answer; true = cancelled, false = only if not begun
}

const (
	// drainDelay is how long output may still come after a process has ended:
	// something that it started may hold the pipe open for ever.
	drainDelay = time.Second
	// reapDelay is how long a killed process may take to be gone. One that the
	// kernel cannot end (it waits for a dead disk, say) is waited for in the background.
	reapDelay = 5 * time.Second
)

// newProcess makes the Process of a started one, and starts what goes with it.
func newProcess(s *Spawner, c Config, h Handler, started OSProcess, born time.Time) *Process {
	p := &Process{
		config: c, handler: h, spawner: s, os: started, born: born, pid: started.Pid(),
		wake: make(chan struct{}, 1), hurry: make(chan struct{}, 1), over: make(chan struct{}), exited: make(chan struct{}),
	}
	if l, ok := started.(*launchedProcess); ok {
		p.launched, p.host = l, s.launcher.host(c.Worker)
		s.adopt(l)
	}
	p.in = newReader(p)
	p.stderr = newRelay(c)
	go p.stderr.run(started.Stderr()) // LogLine may block it: Run waits for it, but not for ever
	p.helpers.Go(p.write)
	p.helpers.Go(p.watch)
	go p.wait()
	return p
}

// PID is the worker's process identifier, on its host once it has said hello.
func (p *Process) PID() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.pid
}

// ResidentSet is the worker's resident set in bytes; 0 if it cannot be seen from here.
func (p *Process) ResidentSet() int64 {
	if p.launched != nil {
		return 0
	}
	return p.spawner.system.ResidentSet(p.os.Pid())
}

// Far reports whether something stands between the worker and this process, so
// that messages have a way to go.
func (p *Process) Far() bool { return p.launched != nil && !p.launched.itself.Load() }

// Born is when the process began to be made.
func (p *Process) Born() time.Time { return p.born }

// Run talks to the worker until it ends, and says how it ended. When it returns
// the process is gone, unless the system could not end it.
func (p *Process) Run() Exit {
	err := p.greet()
	p.spawner.started()
	if err == nil {
		err = p.listen()
	}
	p.accepting.Store(false)
	if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) && !errors.Is(err, ErrNoHello) {
		p.kill(err) // where the stream merely ended, how the process ended says more
	}
	close(p.over)
	if !p.isGoneWithin(drainDelay) { // one that has said bye, or closed its output, should be gone
		p.kill(err)
		p.isGoneWithin(reapDelay)
	}
	p.stderr.wait(drainDelay)
	p.os.Stdin().Close()
	p.os.Stdout().Close()
	p.os.Stderr().Close()
	p.helpers.Wait()
	return p.exit(err)
}

// wait reaps the process.
func (p *Process) wait() {
	p.status = p.os.Wait()
	close(p.exited)
	time.AfterFunc(drainDelay, func() { p.os.Stdout().Close(); p.os.Stderr().Close() })
}

func (p *Process) isGoneWithin(d time.Duration) bool {
	select {
	case <-p.exited:
		return true
	case <-time.After(d):
		return false
	}
}

// End lets the worker answer what it was sent, say bye and exit. One that has
// not said hello is killed.
func (p *Process) End() {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case !p.ready:
		p.killLocked(errUnwanted)
	case !p.ending:
		p.ending = true
		p.accepting.Store(false)
		p.queue.buf = ipc.AppendEnd(p.queue.buf)
		p.hasten(p.config.Grace)
		p.kick()
	}
}

// Abort kills the process: nobody wants its work any more.
func (p *Process) Abort() { p.kill(errUnwanted) }

// kill ends the process. The first reason is kept. Should its output stay open
// although it is gone, reading ends soon.
func (p *Process) kill(why error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.killLocked(why)
}

func (p *Process) killLocked(why error) {
	if p.killed == nil {
		p.killed = why
	}
	p.accepting.Store(false)
	p.os.Kill()
	time.AfterFunc(drainDelay, func() { p.os.Stdout().Close() })
}

// An Exit says how a worker process ended.
type Exit struct {
	PID      int
	Host     string // "" for this one; before its hello, the one that it was to run on
	Ready    bool   // it had said hello
	InOrder  bool   // it was told to end, and said bye after all its answers
	Left     bool   // it left because this process was silent: it had been stopped
	Unwanted bool   // it was killed by Abort, or did not end within the grace
	LateID   uint64 // the request that it was killed for, counted from 1; 0 = none
	Launcher string // that did not bring it to its hello; "" if it said hello or was started without one

	Err      error    // what was seen first, such as an *ipc.Fault; nil where the exit says it better
	Signal   string   // that ended it, such as "killed"; "" if it exited
	ExitCode int      // -1 if a signal ended it or it is unknown
	Killed   bool     // it was killed from here
	CPULimit int64    // the limit of CPU time, in seconds, for which the system ended it; 0 if it did not
	Stderr   []string // the last lines of its standard error; before them, of a Go crash, the first

	Lived time.Duration
	Used  *ipc.Bye // what it used, as it said itself, or else as the system tells; nil if unknown
}

// exit says how the process ended whose talk ended with err.
func (p *Process) exit(err error) Exit {
	p.mu.Lock()
	defer p.mu.Unlock()
	e := Exit{
		PID: p.pid, Host: p.host, Ready: p.ready, Err: err, ExitCode: -1,
		InOrder: err == nil && p.ending && p.lastID == p.sent,
		Left:    p.bye != nil && p.bye.ParentSilent, Unwanted: p.killed == errUnwanted, Killed: p.killed != nil,
		Stderr: p.stderr.last(), Lived: time.Since(p.born),
	}
	if p.launched != nil && !p.ready {
		e.Launcher = p.spawner.launcher.text
	}
	if p.killed != nil {
		e.Err = p.killed
	}
	if p.killed == errTimeout {
		e.LateID = p.lateID
	}
	if !p.ready && p.stderr.atTerminal() {
		e.Err = ErrTerminal
	}
	select {
	case <-p.exited:
		e.Signal, e.ExitCode, e.Used = p.status.Signal, p.status.Code, p.used()
		if p.launched == nil && !e.Killed {
			e.CPULimit = limitReached(p.status)
		}
	default:
	}
	// A stream that merely ended says nothing that the exit does not say better.
	var fault *ipc.Fault
	if p.killed == nil && errors.As(err, &fault) && fault.First == nil && (e.Signal != "" || e.ExitCode >= 0) {
		e.Err = nil
	}
	return e
}

// used is what the process used: what it said itself, or else what the system
// tells of a process that is gone.
func (p *Process) used() *ipc.Bye {
	user, system := p.status.User.Seconds(), p.status.System.Seconds()
	if p.Far() {
		user, system = 0, 0 // are the launcher's
	}
	if p.bye == nil {
		return &ipc.Bye{Usage: ipc.Usage{UserSeconds: user, SystemSeconds: system}}
	}
	// Exit itself costs time that a worker cannot know of.
	p.bye.UserSeconds = max(p.bye.UserSeconds, user)
	p.bye.SystemSeconds = max(p.bye.SystemSeconds, system)
	return p.bye
}

// thisHost is the name of this machine; "" if it has none.
func thisHost() string {
	host, _ := os.Hostname()
	return host
}
