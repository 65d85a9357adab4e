package pool

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"sync"
	"testing"
	"time"

	"procpool/ipc"
)

// A theatre is a fake operating system: processes are actors on goroutines,
// their pipes are io.Pipes, and under testing/synctest no time passes.
type theatre struct {
	// act plays a process to its end. Nil plays all of them honestly.
	act func(*actor) exit
	// refuse says why a process cannot be started; nil starts all of them.
	refuse func(worker, life int) error

	// lingers has processes that are killed go on until their actor returns.
	lingers bool

	mu     sync.Mutex
	lives  map[int]int // processes begun, by worker
	actors []*actor
	events []Event
}

// An actor plays one process.
type actor struct {
	worker, life int // the life-th process of the worker, from 0
	in           *ipc.Reader
	out, stderr  io.Writer
	proc         *fakeProcess
}

// A fakeProcess is an actor as its parent sees it.
type fakeProcess struct {
	pid                     int
	stdin                   *io.PipeWriter
	stdout, stderr          *io.PipeReader
	itsIn                   *io.PipeReader
	itsOut, itsErr          *io.PipeWriter
	holdsStdout, holdsInput bool          // something else keeps the pipe open after the process
	lingers                 bool          // Kill only asks; the actor still says something
	asked                   chan struct{} // closed by the first Kill
	ask                     sync.Once
	gone                    chan struct{} // closed with the process
	end                     sync.Once
	status                  exit
}

func (p *fakeProcess) Pid() int              { return p.pid }
func (p *fakeProcess) Stdin() io.WriteCloser { return p.stdin }
func (p *fakeProcess) Stdout() io.ReadCloser { return p.stdout }
func (p *fakeProcess) Stderr() io.ReadCloser { return p.stderr }
func (p *fakeProcess) Wait() exit            { <-p.gone; return p.status }
func (p *fakeProcess) Kill() {
	p.ask.Do(func() { close(p.asked) })
	if !p.lingers {
		p.die(killed)
	}
}

var killed = exit{code: -1, signal: "killed"}

// die ends the process: the system closes its ends of the pipes.
func (p *fakeProcess) die(how exit) {
	p.end.Do(func() {
		p.status = how
		if !p.holdsInput {
			p.itsIn.Close()
		}
		if !p.holdsStdout {
			p.itsOut.Close()
		}
		p.itsErr.Close()
		close(p.gone)
	})
}

func (th *theatre) start(c command) (process, error) {
	th.mu.Lock()
	defer th.mu.Unlock()
	if th.lives == nil {
		th.lives = make(map[int]int)
	}
	life := th.lives[c.worker]
	th.lives[c.worker]++
	if th.refuse != nil {
		if err := th.refuse(c.worker, life); err != nil {
			return nil, err
		}
	}
	p := &fakeProcess{pid: 1000*(c.worker+1) + life, asked: make(chan struct{}), gone: make(chan struct{}), lingers: th.lingers}
	p.itsIn, p.stdin = io.Pipe()
	p.stdout, p.itsOut = io.Pipe()
	p.stderr, p.itsErr = io.Pipe()
	a := &actor{worker: c.worker, life: life, in: ipc.NewReader(p.itsIn, 1<<20), out: p.itsOut, stderr: p.itsErr, proc: p}
	th.actors = append(th.actors, a)
	go func() {
		if th.act == nil {
			p.die(a.honest())
		} else {
			p.die(th.act(a))
		}
	}()
	return p, nil
}

func (th *theatre) note(e Event) {
	th.mu.Lock()
	defer th.mu.Unlock()
	th.events = append(th.events, e)
}

// of lists the events of a kind.
func (th *theatre) of(kind EventKind) (out []Event) {
	th.mu.Lock()
	defer th.mu.Unlock()
	for _, e := range th.events {
		if e.Kind == kind {
			out = append(out, e)
		}
	}
	return out
}

// open makes a pool over the theatre.
func (th *theatre) open(t *testing.T, o Options) *Pool {
	t.Helper()
	o.Stderr, o.OnEvent = io.Discard, th.note
	p, err := newPool(t.Context(), o, system{
		start: th.start, residentSet: func(int) int64 { return 0 }, oomKills: func() int64 { return 0 },
	})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// What actors do.

func (a *actor) say(b []byte) bool {
	_, err := a.out.Write(b)
	return err == nil
}

func (a *actor) hello() bool {
	return a.say(ipc.AppendHello(nil, ipc.Hello{Build: ipc.Build(), PID: int64(a.proc.pid), Host: "stage"}))
}

// A plea is a request as an actor holds it.
type plea struct {
	id uint64
	iv ipc.Interval
}

// next waits for a request; ok is false when there will be no more.
func (a *actor) next() (r plea, ok bool) {
	for {
		m, err := a.in.Next()
		switch {
		case err != nil || m.Kind == ipc.KindEnd:
			return r, false
		case m.Kind == ipc.KindRequest:
			q, err := ipc.ParseRequest(m.Body)
			if err != nil {
				panic(err)
			}
			r.id = q.ID
			r.iv, err = ipc.ParseInterval(q.Arg)
			if err != nil {
				panic(err)
			}
			return r, true
		}
	}
}

// result is the right answer to r, in the bytes of the wire.
func (a *actor) result(r plea) []byte { return resultOf(r, r.iv) }

func resultOf(r plea, echoed ipc.Interval) []byte {
	b := ipc.AppendResultHead(nil, ipc.Result{ID: r.id, HasInterval: true, Interval: echoed, Seconds: 0.001})
	b, err := pi.Spec().RunInterval(context.Background(), r.iv, b)
	if err != nil {
		panic(err)
	}
	return append(b, '\n')
}

// bye takes leave in order.
func (a *actor) bye() exit {
	a.say(ipc.AppendBye(nil, ipc.Bye{Usage: ipc.Usage{UserSeconds: 1}}))
	return exit{}
}

// serve answers until no more is asked for, and takes leave.
func (a *actor) serve() exit {
	for {
		r, ok := a.next()
		if !ok {
			return a.bye()
		}
		if !a.say(a.result(r)) {
			return exit{code: 1}
		}
	}
}

func (a *actor) honest() exit {
	a.hello()
	return a.serve()
}

// hang does nothing more until the process is killed.
func (a *actor) hang() exit {
	<-a.proc.gone
	return killed
}

// beat does nothing but say that it lives, until the process is killed.
func (a *actor) beat() exit {
	for a.say(ipc.AppendBeat(nil)) {
		a.sleep(100 * time.Millisecond)
	}
	return a.hang()
}

// sleep ends early with the process.
func (a *actor) sleep(d time.Duration) {
	select {
	case <-a.proc.gone:
	case <-time.After(d):
	}
}

const span = 1000 // of a chunk in these tests

// expected is the sum over n chunks as one goroutine computes it.
func expected(t *testing.T, n int64) float64 {
	t.Helper()
	p := openPool(t, Options{Backend: Serial, ChunkSize: span})
	sum, err := Sum(t.Context(), p, pi, ipc.Interval{End: n * span})
	if err != nil {
		t.Fatal(err)
	}
	return sum
}

// sum runs n chunks and checks that a sum that is said to be right is right,
// to the last bit, and that OnEvent was told of each chunk once. A run that would hang ends after a day of fake time.
func (th *theatre) sum(t *testing.T, o Options, n int64) (Outcome, error) {
	t.Helper()
	o.ChunkSize = span
	p := th.open(t, o)
	ctx, cancel := context.WithTimeout(t.Context(), 24*time.Hour)
	defer cancel()
	out, err := p.Run(ctx, Workload{Task: pi.Spec(), Whole: ipc.Interval{End: n * span}})
	p.Close()
	if err == nil && math.Float64bits(out.Total.(float64)) != math.Float64bits(expected(t, n)) {
		t.Errorf("the sum is %v, want %v", out.Total, expected(t, n))
	}
	told := make(map[ipc.Interval]bool)
	for _, e := range th.of(ChunkFinished) {
		if told[e.Input.Interval] {
			t.Errorf("told twice: %v", e.Input)
		}
		told[e.Input.Interval] = true
	}
	if err == nil && int64(len(told)) != n {
		t.Errorf("told of %d chunks, not %d", len(told), n)
	}
	return out, err
}

// firstLife plays act as the first process of worker 0 and all others honestly.
func firstLife(act func(*actor) exit) func(*actor) exit {
	return func(a *actor) exit {
		if a.worker == 0 && a.life == 0 {
			return act(a)
		}
		return a.honest()
	}
}

func asLost(err error) (*LostWorkerError, error) {
	var lost *LostWorkerError
	if !errors.As(err, &lost) {
		return nil, fmt.Errorf("not a lost worker but %T: %v", err, err)
	}
	return lost, nil
}
