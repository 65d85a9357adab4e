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

// errParentLost ends a worker that nobody listens to any more.
var errParentLost = errors.New("the parent is lost")

// lookEvery is how often a worker looks whether anybody still reads its output.
const lookEvery = 300 * time.Millisecond

// Serve is a worker's life on a pair of streams: it says hello, answers
// requests in order of arrival, and after the last says bye. It returns nil
// then, and otherwise why it broke off: an *ipc.Fault of the incoming stream,
// a lost parent, or a failed write. When it breaks off, a task may still be
// running, and be answered, and in is still being read: the process must end,
// or the caller wait for its tasks and close both streams.
func Serve(ctx context.Context, in io.Reader, out io.Writer) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	s := &server{
		out:    &outbox{w: out},
		ended:  make(chan error, 3), // one for each goroutine below
		opened: make(chan time.Duration, 1),
	}
	s.in = ipc.NewReader(&pipe.HeardReader{R: in, Heard: &s.heard}, 0)
	s.queue.ready.L = &s.queue.mu
	s.limit.Store(ipc.DefaultLimit)
	if err := s.out.send(hello); err != nil {
		return lost(err)
	}
	go s.read()
	go s.work(ctx)
	var watching sync.WaitGroup
	watching.Go(func() { s.watch(ctx, out) })
	err := <-s.ended
	cancel()
	s.queue.drop()
	watching.Wait() // out is the caller's again, who may close it
	return err
}

type server struct {
	in    *ipc.Reader
	out   *outbox
	queue queue
	ended chan error // how the worker's life ended; the first word counts

	limit  atomic.Int64       // of a message, in bytes
	opened chan time.Duration // tells watch the heartbeat that open asks for
	trace  atomic.Bool        // open asked for it
	seen   cpusSeen           // by work and watch
	heard  atomic.Bool        // bytes came from the parent since watch looked last
	told   atomic.Bool        // the parent has said end: its silence is in order
	last   *task.Spec         // of the request before; read's own
}

func hello(dst []byte) []byte {
	host, _ := os.Hostname()
	return ipc.AppendHello(dst, ipc.Hello{
		Build: ipc.Build(), PID: int64(os.Getpid()), Host: host, CPUs: allowedCPUs(), Tasks: task.Names(),
	})
}

// read takes messages in until there are no more. It runs beside the work, so
// that a lost parent is noticed in the middle of a chunk.
func (s *server) read() {
	err := s.readAll()
	if err != nil {
		s.ended <- err
		return
	}
	s.queue.close()
}

// readAll returns nil when no more requests will come.
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
			if !s.queue.push(s.newJob(r), !opened) {
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
			s.told.Store(true)
			s.queue.close()
			for err == nil { // whatever still comes, nobody shall wait to be read
				_, err = s.in.Next()
			}
			return nil
		default:
			return &ipc.Fault{Reason: fmt.Sprintf("a parent does not say %q", m.Kind)}
		}
	}
}

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

// work answers requests. Whatever ends it, Serve hears of it.
func (s *server) work(ctx context.Context) {
	err := errors.New("a task ended its goroutine (runtime.Goexit)")
	defer func() { s.ended <- err }()
	err = s.workAll(ctx)
}

func (s *server) workAll(ctx context.Context) error {
	var jobs []job
	var scratch []byte
	start := time.Now() // Since a fixed time takes one look at a clock, Now two
	origin := ipc.Now()
	for {
		var more bool
		if jobs, more = s.queue.take(jobs); !more {
			break
		}
		s.seen.look()
		begin := time.Since(start)
		for i := range jobs {
			if s.trace.Load() {
				jobs[i].began = origin + begin.Seconds()
			}
			value, err := jobs[i].run(ctx, scratch[:0])
			end := time.Since(start)
			if scratch = value; cap(scratch) > largeValue {
				scratch = nil
			}
			idle := i == len(jobs)-1 && s.queue.empty()
			wrote, err := s.answer(&jobs[i], value, err, begin, end, idle)
			if err != nil {
				return lost(err)
			}
			jobs[i] = job{}
			begin = end
			if wrote { // which may have taken long, and is not the next task's time
				begin = time.Since(start)
			}
		}
	}
	if s.queue.isDropped() {
		return nil // Serve has returned
	}
	role.RunExitHooks()
	return lost(s.out.bye(s.lastWords()))
}

// lastWords is what bye says: with a trace also of the garbage collector.
func (s *server) lastWords() ipc.Bye {
	s.seen.look()
	bye := ipc.Bye{Usage: usage(), RanOn: s.seen.list()}
	if s.trace.Load() {
		var gc debug.GCStats
		debug.ReadGCStats(&gc)
		bye.GC = &ipc.GC{Cycles: ipc.CountOf(gc.NumGC), PauseSeconds: gc.PauseTotal.Seconds()}
	}
	return bye
}

// answer sends a job's value or failure, at once if the worker is idle then. It
// reports whether it wrote, which may have waited for the parent.
func (s *server) answer(j *job, value []byte, err error, begin, end time.Duration, idle bool) (wrote bool, _ error) {
	if err == nil && int64(len(value))+resultOverhead > s.limit.Load() {
		err = &task.Error{Text: fmt.Sprintf("the result of %d bytes is over the limit of %d bytes a message", len(value), s.limit.Load())}
	}
	if err != nil {
		f := ipc.Fail{ID: j.id, Error: err.Error()}
		var e *task.Error
		if errors.As(err, &e) {
			f.Stack = e.Stack
		}
		return true, s.out.send(func(dst []byte) []byte { return ipc.AppendFail(dst, clip(f, s.limit.Load())) })
	}
	r := ipc.Result{ID: j.id, Seconds: (end - begin).Seconds(), Began: j.began, HasInterval: j.spec.Sums(), Interval: j.interval}
	return s.out.result(r, value, end, idle)
}

// resultOverhead is the most that a result's message is longer than its value.
const resultOverhead = 128

// clip makes a fail message fit, whatever a task put into its error: under the
// limit, and text in UTF-8, which other languages insist on.
func clip(f ipc.Fail, limit int64) ipc.Fail {
	room := max(int(limit-resultOverhead)/2, 0)
	fit := func(s string) string { return strings.ToValidUTF8(s[:min(len(s), room)], "?") }
	return ipc.Fail{ID: f.ID, Error: fit(f.Error), Stack: fit(f.Stack)}
}

// tooYoung is how long after its open a worker still dies of the signals that the
// parent decides about. To take and drop them needs a thread, which costs a worker
// that lives no longer a tenth of its start; one that is lost to such a
// signal is replaced, or was to end anyway.
const tooYoung = 10 * time.Millisecond

// watch sends beats, leaves signals to the parent once the worker has lived for
// a moment, and notices a silent parent and an output that nobody reads. Silence
// is counted in its own ticks, not in time: a job that is stopped as a whole and
// continued has missed no tick.
func (s *server) watch(ctx context.Context, out io.Writer) {
	every, heartbeat := lookEvery, time.Duration(0)
	tick := time.NewTicker(every)
	defer tick.Stop()
	var grown <-chan time.Time
	var sinceHeard, sinceBeat time.Duration
	for {
		select {
		case <-ctx.Done():
			return
		case heartbeat = <-s.opened:
			grown = time.After(tooYoung)
			if heartbeat > 0 {
				every = max(min(lookEvery, heartbeat/8), time.Millisecond)
				tick.Reset(every)
			}
			continue
		case <-grown:
			ignoreSignals()
			continue
		case <-tick.C:
		}
		s.seen.look()
		if sinceHeard += every; s.heard.Swap(false) || s.told.Load() {
			sinceHeard = 0
		}
		if nobodyReads(out) || heartbeat > 0 && sinceHeard > heartbeat {
			s.ended <- errParentLost
			return
		}
		if sinceBeat += every; heartbeat > 0 && sinceBeat >= heartbeat/4 {
			sinceBeat = 0
			go s.out.beat() // a full pipe must not stop the watch
		}
	}
}

// lost makes a parent that went away of a write error that says so.
func lost(err error) error {
	if isBrokenPipe(err) {
		return errParentLost
	}
	return err
}
