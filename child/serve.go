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
	if err := s.out.send(hello); err != nil {
		return asLost(err)
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

func hello(dst []byte) []byte {
	host, _ := os.Hostname()
	return ipc.AppendHello(dst, ipc.Hello{
		Build: ipc.Build(), PID: int64(os.Getpid()), Host: host, CPUs: allowedCPUs(), Tasks: task.Names(),
	})
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

// open applies an open message.
func (s *server) open(body []byte) error {
	o, err := ipc.ParseOpen(body)
	if err != nil {
		return err
	}
	s.in.SetLimit(o.MaxMessageBytes)
	s.limit.Store(o.MaxMessageBytes)
	s.trace.Store(o.Trace)
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
	var requests []request
	var scratch []byte
	start := time.Now() // time.Since reads one clock, time.Now two
	origin := ipc.Now()
	for {
		var more bool
		if requests, more = s.queue.take(requests); !more {
			break
		}
		s.ranOn.sample()
		begin := time.Since(start)
		for i := range requests {
			r := &requests[i]
			if s.trace.Load() {
				r.began = origin + begin.Seconds()
			}
			value, err := r.run(ctx, scratch[:0])
			end := time.Since(start)
			if scratch = value; cap(scratch) > largeValue {
				scratch = nil
			}
			idle := i == len(requests)-1 && s.queue.empty()
			written, err := s.answer(r, value, err, begin, end, idle)
			if err != nil {
				return asLost(err)
			}
			*r = request{}
			begin = end
			if written { // a slow write is not part of the next task's time
				begin = time.Since(start)
			}
		}
	}
	if s.queue.isDropped() {
		return nil // Serve has returned
	}
	role.RunExitHooks()
	return asLost(s.out.bye(s.summary()))
}

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

// answer sends the value or error of r, at once if the worker is idle. It reports
// whether it wrote to the stream, which blocks while the parent does not read.
func (s *server) answer(r *request, value []byte, err error, begin, end time.Duration, idle bool) (written bool, _ error) {
	limit := s.limit.Load()
	if err == nil && int64(len(value))+resultOverhead > limit {
		err = &task.Error{Text: fmt.Sprintf("the result of %d bytes is over the limit of %d bytes a message", len(value), limit)}
	}
	if err != nil {
		f := ipc.Fail{ID: r.id, Error: err.Error()}
		var e *task.Error
		if errors.As(err, &e) {
			f.Stack = e.Stack
		}
		return true, s.out.send(func(dst []byte) []byte { return ipc.AppendFail(dst, clip(f, limit)) })
	}
	result := ipc.Result{ID: r.id, Seconds: (end - begin).Seconds(), Began: r.began, HasInterval: r.spec.Sums(), Interval: r.interval}
	return s.out.result(result, value, end, idle)
}

// resultOverhead is the largest length of a result message without its value.
const resultOverhead = 128

// clip shortens the texts of f so that the message stays below limit bytes, and
// makes them valid UTF-8, which msgpack libraries of other languages require.
func clip(f ipc.Fail, limit int64) ipc.Fail {
	room := max(int(limit-resultOverhead)/2, 0)
	fit := func(s string) string { return strings.ToValidUTF8(s[:min(len(s), room)], "?") }
	return ipc.Fail{ID: f.ID, Error: fit(f.Error), Stack: fit(f.Stack)}
}

// asLost replaces a write error that means that nobody reads by errParentLost.
func asLost(err error) error {
	if isBrokenPipe(err) {
		return errParentLost
	}
	return err
}
