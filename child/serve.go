package child

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime/debug"
	"strings"
	"sync"
	"sync/atomic"
	"time"
	"unicode"
	"unicode/utf8"

	"procpool/internal/pipe"
	"procpool/internal/role"
	"procpool/ipc"
	"procpool/task"
)

// errParentLost is Serve's error when nobody reads its output or the parent fell
// silent.
var errParentLost = errors.New("the parent is lost")

// Serve runs a worker on a pair of streams. It sends hello, answers requests in
// order of arrival, sends bye after the last one, and returns nil.
//
// It returns early with an *ipc.Fault if the input breaks the protocol, with the
// error of a failed write, or with another error if the parent is lost. A
// task may then still run and send its answer, and in is still read: either the
// process exits, or the caller waits for its tasks and closes both streams.
func Serve(ctx context.Context, in io.Reader, out io.Writer) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	s := &server{
		out:    &sendQueue{w: out},
		ended:  make(chan error, 3), // room for each goroutine below
		opened: make(chan time.Duration, 1),
	}
	s.in = ipc.NewReader(&pipe.WatchedReader{R: in, GotBytes: &s.gotBytes}, 0)
	s.queue.changed.L = &s.queue.mu
	s.limit.Store(ipc.DefaultLimit)
	failed := role.RunStartHooks(ctx)
	if err := s.out.send(func(dst []byte) []byte { return hello(dst, failed) }); err != nil {
		return asLost(err)
	}
	if failed != nil {
		return failed
	}
	go s.read()
	go s.work(ctx)
	var watching sync.WaitGroup
	watching.Go(func() { s.watch(ctx, out) })
	err := <-s.ended
	cancel()
	s.queue.drop()
	watching.Wait() // the caller may close out
	return err
}

type server struct {
	in    *ipc.Reader
	out   *sendQueue
	queue requestQueue
	ended chan error // Serve returns the first error

	limit    atomic.Int64       // bytes of a message
	opened   chan time.Duration // carries the heartbeat of open to watch
	trace    atomic.Bool        // open asks for a trace
	ranOn    cpuLog             // sampled by work and watch
	gotBytes atomic.Bool        // bytes came from the parent since watch checked last
	gotEnd   atomic.Bool        // the parent said end and may be silent from now on
	last     *task.Spec         // task of the previous request; only read uses it
}

// hello appends a hello. failed is why the worker cannot work; nil if it can.
func hello(dst []byte, failed error) []byte {
	host := thisHost()
	h := ipc.Hello{Build: ipc.Build(), PID: int64(os.Getpid()), Host: host, CPUs: allowedCPUs(), Tasks: task.Names(), Abouts: task.Abouts(), Beats: true, Batches: true}
	if failed != nil {
		h.StartError = clip(ipc.Fail{Error: failed.Error()}, ipc.MaxNoise).Error
	}
	return ipc.AppendHello(dst, h)
}

// thisHost returns the name of this machine as a hello may have it.
func thisHost() string {
	name, _ := os.Hostname()
	name = strings.Map(func(r rune) rune {
		if r == utf8.RuneError || !unicode.IsPrint(r) {
			return '?'
		}
		return r
	}, name)
	if len(name) > ipc.MaxHost {
		name = strings.ToValidUTF8(name[:ipc.MaxHost], "")
	}
	return name
}

// read reads messages until there are no more. It runs beside work, so it
// notices a lost parent while a task computes.
func (s *server) read() {
	err := s.readAll()
	if err != nil {
		s.ended <- err
		return
	}
	s.queue.close()
}

// readAll queues the requests that arrive. It returns nil when no more will come.
func (s *server) readAll() error {
	opened := false
	for first := true; ; first = false {
		m, err := s.in.Next()
		if err == io.EOF && !opened {
			return nil
		}
		if err == io.EOF || errors.Is(err, io.ErrUnexpectedEOF) && opened {
			return errParentLost
		}
		if err != nil {
			return err
		}
		switch m.Kind {
		case ipc.KindRequest:
			r, err := ipc.ParseRequest(m.Body)
			if err != nil {
				return err
			}
			if !s.queue.push(s.prepare(r), !opened) {
				return &ipc.Fault{Reason: fmt.Sprintf("more than %d requests unanswered", ipc.MaxPending)}
			}
		case ipc.KindOpen:
			if !first {
				return &ipc.Fault{Reason: "open is not the first message"}
			}
			if err := s.open(m.Body); err != nil {
				return err
			}
			opened = true
		case ipc.KindCancel:
			c, err := ipc.ParseCancel(m.Body)
			if err == nil && !opened {
				err = &ipc.Fault{Reason: "cancel without open"}
			}
			if err == nil {
				err = s.cancel(c)
			}
			if err != nil {
				return err
			}
		case ipc.KindBeat:
		case ipc.KindEnd:
			s.gotEnd.Store(true)
			s.queue.close()
			for err == nil { // what still comes is read, so that no writer blocks
				_, err = s.in.Next()
			}
			return nil
		default:
			return &ipc.Fault{Reason: fmt.Sprintf("a parent does not say %q", m.Kind)}
		}
	}
}

// cancel gives up a request: one that waits is answered at once, and the task of one
// that runs is told by its context. The answer to one that has run is on its way.
func (s *server) cancel(c ipc.Cancel) error {
	if s.queue.cancel(c.ID, c.Queued) {
		return asLost(s.out.send(func(dst []byte) []byte {
			return ipc.AppendFail(dst, ipc.Fail{ID: c.ID, Error: "cancelled before it was begun", NotBegun: true})
		}))
	}
	return nil
}

// open applies an open message.
func (s *server) open(body []byte) error {
	o, err := ipc.ParseOpen(body)
	if err != nil {
		return err
	}
	s.in.SetLimit(o.MaxMessageBytes)
	s.limit.Store(o.MaxMessageBytes)
	s.trace.Store(o.Trace)
	ignoreSignals() // from now on the parent decides
	s.opened <- time.Duration(o.HeartbeatSeconds * float64(time.Second))
	return nil
}

// work answers requests. It reports its end to Serve even if a task calls
// runtime.Goexit.
func (s *server) work(ctx context.Context) {
	err := errors.New("a task ended its goroutine (runtime.Goexit)")
	defer func() { s.ended <- err }()
	err = s.workAll(ctx)
}

func (s *server) workAll(ctx context.Context) error {
	var scratch []byte
	var unused *taskContext
	var fresh []taskContext // room for more
	worker := role.CallOf(ctx).Worker
	start := time.Now() // time.Since reads one clock, time.Now two
	origin := ipc.Now()
	begin, sampled := time.Duration(0), time.Duration(-sampleEvery)
	idle := true
	for {
		if unused == nil {
			if len(fresh) == 0 {
				fresh = make([]taskContext, 16)
			}
			unused, fresh = &fresh[0], fresh[1:]
			unused.worker = ctx
		}
		c := unused
		r, more := s.queue.next(c)
		if !more {
			break
		}
		if idle {
			begin = time.Since(start)
		}
		if begin-sampled >= sampleEvery {
			sampled = begin
			s.ranOn.sample()
		}
		if s.trace.Load() {
			r.began = origin + begin.Seconds()
		}
		c.call = role.Call{Worker: worker, Index: int64(r.options.Index), Attempt: int(r.options.Attempt), With: r.with}
		c.begin(time.Duration(r.options.TimeoutSeconds * float64(time.Second)))
		value, err := r.run(c, scratch[:0])
		end := time.Since(start)
		idle = s.queue.done()
		used, late := c.end()
		if used || r.spec == nil || !r.spec.Sums() { // a map's task may keep its context
			unused = nil
		}
		if scratch = value; cap(scratch) > largeValue {
			scratch = nil
		}
		written, err := s.answer(&r, value, err, late, begin, end, idle)
		if err != nil {
			return asLost(err)
		}
		if begin = end; written { // a slow write is not part of the next task's time
			begin = time.Since(start)
		}
	}
	if s.queue.isDropped() {
		return nil // Serve has returned
	}
	role.RunExitHooks()
	return asLost(s.out.bye(s.summary()))
}

// sampleEvery is how often the CPU that runs the tasks is noted, at most.
const sampleEvery = time.Millisecond

// summary returns what bye reports about this process.
func (s *server) summary() ipc.Bye {
	s.ranOn.sample()
	bye := ipc.Bye{Usage: usage(), RanOn: s.ranOn.String()}
	if s.trace.Load() {
		var gc debug.GCStats
		debug.ReadGCStats(&gc)
		bye.GC = &ipc.GC{Cycles: ipc.CountOf(gc.NumGC), PauseSeconds: gc.PauseTotal.Seconds()}
	}
	return bye
}

// answer sends the value or error of r, at once if the worker is idle. An error of a
// task whose time is over, late, is one of that. It reports whether it wrote to the
// stream, which blocks while the parent does not read.
func (s *server) answer(r *request, value []byte, err error, late bool, begin, end time.Duration, idle bool) (written bool, _ error) {
	limit := s.limit.Load()
	if err == nil && int64(len(value))+resultOverhead > limit {
		err = &task.Error{Text: fmt.Sprintf("the result of %d bytes is over the limit of %d bytes a message", len(value), limit)}
	}
	if err != nil {
		f := ipc.Fail{ID: r.id, Error: err.Error(), Timeout: late}
		var e *task.Error
		if errors.As(err, &e) {
			f.Stack, f.Is = e.Stack, r.spec.Is(e)
		}
		return true, s.out.send(func(dst []byte) []byte { return ipc.AppendFail(dst, clip(f, limit)) })
	}
	result := ipc.Result{ID: r.id, Seconds: (end - begin).Seconds(), Began: r.began, HasInterval: r.spec.Sums(), Interval: r.interval}
	if r.batch > 0 && len(value) <= batchedValue && answersBytes+batchedValue+resultOverhead < limit {
		return s.out.answer(result, value, end, idle)
	}
	return s.out.result(result, value, end, idle)
}

// resultOverhead is the largest length of a result message without its value.
const resultOverhead = 128

// clip shortens the texts of f so that the message stays below limit bytes, and
// makes them valid UTF-8, which msgpack libraries of other languages require.
func clip(f ipc.Fail, limit int64) ipc.Fail {
	room := max(int(limit-resultOverhead)/2, 0)
	fit := func(s string) string { return strings.ToValidUTF8(s[:min(len(s), room)], "?") }
	f.Error, f.Stack = fit(f.Error), fit(f.Stack)
	return f
}

// asLost replaces a write error that means that nobody reads by errParentLost.
func asLost(err error) error {
	if isBrokenPipe(err) {
		return errParentLost
	}
	return err
}
