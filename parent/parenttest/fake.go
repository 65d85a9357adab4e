// Package parenttest is a fake operating system for tests of package parent and
// of what stands on it: its processes are goroutines, their pipes are io.Pipes,
// and under testing/synctest no time passes.
package parenttest

import (
	"bytes"
	"io"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"procpool/ipc"
	"procpool/parent"
)

// A FakeSystem starts fake processes. The zero value starts honest ones.
type FakeSystem struct {
	// Act runs a process to its end. Nil runs [FakeWorker.Honest].
	Act func(*FakeWorker) parent.ExitStatus
	// Refuse says why a process cannot be started; nil starts all of them.
	Refuse func(worker, start int) error
	// Lingers has processes that are killed go on until Act returns.
	Lingers bool
	// Partial appends the encoded partial of an interval, for honest results.
	Partial func(dst []byte, iv ipc.Interval) []byte
	// Batched counts the requests that came in batches.
	Batched atomic.Int64

	mu      sync.Mutex
	starts  map[int]int // processes begun, by worker
	workers []*FakeWorker
}

// A FakeWorker is one fake process, as it sees itself.
type FakeWorker struct {
	Worker, Start int // the Start-th process of the worker, from 0
	In            *ipc.Reader
	Out, Stderr   io.Writer
	Process       *FakeProcess

	system *FakeSystem
	batch  []Request // that Next has not returned yet
}

// A FakeProcess is a fake process as its parent sees it.
type FakeProcess struct {
	pid                     int
	stdin                   *io.PipeWriter
	stdout, stderr          *io.PipeReader
	ItsIn                   *io.PipeReader
	ItsOut, itsErr          *io.PipeWriter
	HoldsStdout, HoldsInput bool          // something else keeps the pipe open after the process
	lingers                 bool          // Kill only asks; Act still says something
	Asked                   chan struct{} // closed by the first Kill
	ask                     sync.Once
	Gone                    chan struct{} // closed with the process
	end                     sync.Once
	status                  parent.ExitStatus
}

func (p *FakeProcess) Pid() int                { return p.pid }
func (p *FakeProcess) Stdin() io.WriteCloser   { return p.stdin }
func (p *FakeProcess) Stdout() io.ReadCloser   { return p.stdout }
func (p *FakeProcess) Stderr() io.ReadCloser   { return p.stderr }
func (p *FakeProcess) Wait() parent.ExitStatus { <-p.Gone; return p.status }
func (p *FakeProcess) Kill() {
	p.ask.Do(func() { close(p.Asked) })
	if !p.lingers {
		p.die(Killed)
	}
}

// Killed is how a process ends that was killed.
var Killed = parent.ExitStatus{Code: -1, Signal: "killed"}

// die ends the process: the system closes its ends of the pipes.
func (p *FakeProcess) die(how parent.ExitStatus) {
	p.end.Do(func() {
		p.status = how
		if !p.HoldsInput {
			p.ItsIn.Close()
		}
		if !p.HoldsStdout {
			p.ItsOut.Close()
		}
		p.itsErr.Close()
		close(p.Gone)
	})
}

// System is s as package parent sees it.
func (s *FakeSystem) System() parent.System {
	return parent.System{Start: s.start, ResidentSet: func(int) int64 { return 0 }, OOMKills: func() int64 { return 0 }}
}

func (s *FakeSystem) start(c parent.Command) (parent.OSProcess, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.starts == nil {
		s.starts = make(map[int]int)
	}
	start := s.starts[c.Worker]
	s.starts[c.Worker]++
	if s.Refuse != nil {
		if err := s.Refuse(c.Worker, start); err != nil {
			return nil, err
		}
	}
	p := &FakeProcess{pid: 1000*(c.Worker+1) + start, Asked: make(chan struct{}), Gone: make(chan struct{}), lingers: s.Lingers}
	p.ItsIn, p.stdin = io.Pipe()
	p.stdout, p.ItsOut = io.Pipe()
	p.stderr, p.itsErr = io.Pipe()
	w := &FakeWorker{Worker: c.Worker, Start: start, In: ipc.NewReader(p.ItsIn, 1<<20), Out: p.ItsOut, Stderr: p.itsErr, Process: p, system: s}
	s.workers = append(s.workers, w)
	go func() {
		if s.Act == nil {
			p.die(w.Honest())
		} else {
			p.die(s.Act(w))
		}
	}()
	return p, nil
}

// Starts is how many processes of a worker were begun.
func (s *FakeSystem) Starts(worker int) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.starts[worker]
}

// Workers lists all processes that were begun.
func (s *FakeSystem) Workers() []*FakeWorker {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.workers)
}

// Say writes to the parent, and reports whether that was possible.
func (w *FakeWorker) Say(b []byte) bool {
	_, err := w.Out.Write(b)
	return err == nil
}

// Hello says hello as this build does.
func (w *FakeWorker) Hello() bool {
	return w.Say(ipc.AppendHello(nil, ipc.Hello{Build: ipc.Build(), PID: int64(w.Process.pid), Host: "fake", Batches: true}))
}

// A Request is a request as a worker sees it.
type Request struct {
	ID       uint64
	Task     string
	Interval ipc.Interval // of a task over intervals
	Arg      []byte       // of any other
	Options  ipc.RequestOptions
}

// requests makes a Request of a message, or several of a batch.
func (w *FakeWorker) requests(m ipc.Message) []Request {
	q, err := ipc.ParseRequest(m.Body)
	if err != nil {
		panic(err)
	}
	r := Request{ID: q.ID, Task: string(q.Task), Options: q.RequestOptions}
	if q.Batch == 0 {
		if r.Interval, err = ipc.ParseInterval(q.Arg); err != nil {
			r.Arg = bytes.Clone(q.Arg)
		}
		return []Request{r}
	}
	w.system.Batched.Add(int64(q.Batch))
	batch, rest := make([]Request, q.Batch), bytes.Clone(q.Arg)
	for i := range batch {
		r.Arg, rest = ipc.SplitValues(rest, 1)
		batch[i] = r
		r.ID++
		r.Options.Index++
	}
	return batch
}

// Next waits for a request; ok is false when there will be no more.
func (w *FakeWorker) Next() (r Request, ok bool) {
	for len(w.batch) == 0 {
		m, err := w.In.Next()
		switch {
		case err != nil || m.Kind == ipc.KindEnd:
			return r, false
		case m.Kind == ipc.KindRequest:
			w.batch = w.requests(m)
		}
	}
	r, w.batch = w.batch[0], w.batch[1:]
	return r, true
}

// Result is the right answer to r, in the bytes of the wire.
func (w *FakeWorker) Result(r Request) []byte { return w.ResultFor(r, r.Interval, 0.001) }

// ResultFor is an answer to r that echoes an interval, and took that many seconds.
func (w *FakeWorker) ResultFor(r Request, echoed ipc.Interval, seconds float64) []byte {
	if r.Arg != nil {
		b := ipc.AppendResultHead(nil, ipc.Result{ID: r.ID, Seconds: seconds})
		return append(append(b, r.Arg...), '\n') // the task of a map gives back what it gets
	}
	b := ipc.AppendResultHead(nil, ipc.Result{ID: r.ID, HasInterval: true, Interval: echoed, Seconds: seconds})
	if w.system.Partial == nil {
		return append(b, 0xc0, '\n')
	}
	return append(w.system.Partial(b, r.Interval), '\n')
}

// Bye takes leave in order.
func (w *FakeWorker) Bye() parent.ExitStatus {
	w.Say(ipc.AppendBye(nil, ipc.Bye{Usage: ipc.Usage{UserSeconds: 1}}))
	return parent.ExitStatus{}
}

// Serve answers until no more is asked for, and takes leave.
func (w *FakeWorker) Serve() parent.ExitStatus {
	for {
		r, ok := w.Next()
		if !ok {
			return w.Bye()
		}
		if !w.Say(w.Result(r)) {
			return parent.ExitStatus{Code: 1}
		}
	}
}

// Honest says hello and serves.
func (w *FakeWorker) Honest() parent.ExitStatus {
	w.Hello()
	return w.Serve()
}

// Hang does nothing more until the process is killed.
func (w *FakeWorker) Hang() parent.ExitStatus {
	<-w.Process.Gone
	return Killed
}

// Beat does nothing but say that it lives, until the process is killed.
func (w *FakeWorker) Beat() parent.ExitStatus {
	for w.Say(ipc.AppendBeat(nil)) {
		w.Sleep(100 * time.Millisecond)
	}
	return w.Hang()
}

// Sleep ends early with the process.
func (w *FakeWorker) Sleep(d time.Duration) {
	select {
	case <-w.Process.Gone:
	case <-time.After(d):
	}
}
