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
	Worker         int           // the worker's index
	Heartbeat      time.Duration // silence after which the worker is killed; 0 = never. A worker of another program is watched only if its hello says that it sends beats
	StartupTimeout time.Duration // from the worker's start to its hello; 0 = no limit
	Grace          time.Duration // from End to the worker's exit; 0 = no limit
	CancelGrace    time.Duration // from the cancel or the timeout of a request to its answer; after that the worker is killed
	MaxMessage     int64         // limit of bytes in a message, in either direction
	Trace          bool          // results carry the time at which they were begun
	LogLine        func([]byte)  // receives each line of standard error, without its newline; it must not keep the slice. Nil drops the lines
	LimitLines     bool          // limit the rate of those lines, see pool.Options.LimitLines

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

// A Process is one worker process, from its start to its end. Run must be called once;
// the other methods may be called from any goroutine, and never call the handler.
//
// It has five goroutines, and Run waits for all of them: Run's own, which reads, one that
// writes, one that passes standard error on, one that watches the limits of time, and one
// that waits for the process to end.
type Process struct {
	config  Config
	handler Handler
	spawner *Spawner
	os      OSProcess
	in      *ipc.Reader
	stderr  *relay
	born    time.Time

	launched *launchedProcess // the same as os if there is a launcher, else nil

	gotBytes atomic.Bool    // bytes have arrived since watch looked last
	wake     chan struct{}  // holds one token when there is something to write
	over     chan struct{}  // closed when Run has stopped reading
	hurry    chan struct{}  // holds one token when watch should look before its timer ends
	helpers  sync.WaitGroup // the writer and watch
	exited   chan struct{}  // closed when status is set
	status   ExitStatus

	// Used only by Run's goroutine.
	bye     *ipc.Bye        // the worker's last message
	lastID  uint64          // id of the last request answered
	asked   uint64          // number of requests sent, when Run looked last
	skipped map[uint64]bool // requests above lastID that came back as not begun

	accepting atomic.Bool // the worker may be sent requests

	mu        sync.Mutex // guards the fields below
	pid       int        // of the worker; of the launcher until the hello
	host      string     // of the worker; "" for this machine. Before its hello, the host that it was meant for
	ready     bool       // it said hello
	ending    bool       // it was told to end
	killed    error      // why this process killed it; nil if it did not
	lateID    uint64     // the request that took longer than its timeout
	sent      uint64     // number of requests sent
	answered  uint64     // number of requests answered
	queue     sendQueue
	clocks    clocks
	every     time.Duration            // how often watch looks
	timeouts  map[uint64]time.Duration // timeouts of unanswered requests that have one
	askedBack map[uint64]bool          // unanswered requests; true = cancelled, false = recalled
}

const (
	// drainDelay is how long output is read after a process has ended. There must be a
	// limit, because something that the process started may hold the pipe open for ever.
	drainDelay = time.Second
	// reapDelay is how long Run waits for a killed process to be gone. If the kernel
	// cannot end it (it waits for a dead disk, say), it is reaped in the background.
	reapDelay = 5 * time.Second
)

// newProcess makes the Process of an OSProcess that was started, and starts its
// goroutines.
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
	go p.stderr.run(started.Stderr()) // not one of helpers: LogLine may block it for ever
	p.helpers.Go(p.write)
	p.helpers.Go(p.watch)
	go p.wait()
	return p
}

// PID returns the worker's process identifier on its host. Before the hello of a launched
// worker it is that of the launcher.
func (p *Process) PID() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.pid
}

// ResidentSet returns the worker's resident set in bytes; 0 if it is unknown, as behind a
// launcher.
func (p *Process) ResidentSet() int64 {
	if p.launched != nil {
		return 0
	}
	return p.spawner.system.ResidentSet(p.os.Pid())
}

// Far reports whether messages pass through a launcher on their way to the worker.
func (p *Process) Far() bool { return p.launched != nil && !p.launched.itself.Load() }

// Born returns the time at which the start of the process began.
func (p *Process) Born() time.Time { return p.born }

// Run reads the worker's answers and calls the handler until the worker ends, and returns
// how it ended. When it returns, the process is gone, unless the system could not end it.
func (p *Process) Run() Exit {
	err := p.greet()
	p.spawner.started()
	if err == nil {
		err = p.listen()
	}
	p.accepting.Store(false)
	if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) && !errors.Is(err, ErrNoHello) {
		p.kill(err) // if the stream only ended, the process is ending by itself
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

// wait reaps the process, and closes its output pipes after drainDelay.
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

// End asks the worker to answer the requests that it was sent, say bye and exit. A worker
// that has not said hello is killed.
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

// Abort kills the process. Its Exit has Unwanted set.
func (p *Process) Abort() { p.kill(errUnwanted) }

// kill kills the process. The first reason is kept. It also closes the process's output
// after drainDelay, so that reading ends even if something else holds the pipe open.
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
	Host     string // "" for this machine; before the worker's hello, the host that it was meant for
	Ready    bool   // it had said hello
	InOrder  bool   // it was told to end, and said bye after all its answers
	Left     bool   // it exited because this process had been silent, for example stopped
	Unwanted bool   // it was killed by Abort, or because it did not end within the grace
	LateID   uint64 // the request for whose timeout it was killed, counted from 1; 0 = none
	Launcher string // the launcher, if the worker ended before its hello; else ""

	Err      error    // what was seen first, such as an *ipc.Fault; nil if Signal and ExitCode say enough
	Signal   string   // the signal that ended it, such as "killed"; "" if it exited
	ExitCode int      // -1 if a signal ended it or the code is unknown
	Killed   bool     // this process killed it
	CPULimit int64    // the limit of CPU time in seconds, if the system ended the worker for it; else 0
	Stderr   []string // the last lines of its standard error; after a Go crash, preceded by the crash's first line

	Lived time.Duration
	Used  *ipc.Bye // what it reported in its bye, or else what the system reports; nil if unknown
}

// exit returns how the process ended. err is the error with which reading ended.
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
	// If the stream only ended, the signal or the exit code says more than err.
	var fault *ipc.Fault
	if p.killed == nil && errors.As(err, &fault) && fault.First == nil && (e.Signal != "" || e.ExitCode >= 0) {
		e.Err = nil
	}
	return e
}

// used returns what the process used: what it reported in its bye, or else what the system
// reports of an ended process.
func (p *Process) used() *ipc.Bye {
	user, system := p.status.User.Seconds(), p.status.System.Seconds()
	if p.Far() {
		user, system = 0, 0 // these are the launcher's
	}
	if p.bye == nil {
		return &ipc.Bye{Usage: ipc.Usage{UserSeconds: user, SystemSeconds: system}}
	}
	// The system's figures include the exit, which the bye cannot.
	p.bye.UserSeconds = max(p.bye.UserSeconds, user)
	p.bye.SystemSeconds = max(p.bye.SystemSeconds, system)
	return p.bye
}

// thisHost returns the name of this machine; "" if it has none.
func thisHost() string {
	host, _ := os.Hostname()
	return host
}
