package parent_test

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"procpool/ipc"
	"procpool/parent"
	"procpool/parent/parenttest"
)

// A script is a handler that sends requests when it hears hello and notes
// everything that it is told.
type script struct {
	process   *parent.Process
	requests  int
	results   []uint64
	fails     []string
	flushes   int
	hello     ipc.Hello
	refuse    error // of the first result
	endAfter  bool  // End is called at hello, behind the requests
	meanwhile func(*parent.Process)
	timeout   time.Duration // of each request
	notBegun  []uint64
}

func (s *script) Hello(h ipc.Hello) {
	s.hello = h
	for i := range s.requests {
		s.process.SendInterval("t", ipc.Interval{Start: int64(i), End: int64(i) + 1}, nil, ipc.RequestOptions{TimeoutSeconds: s.timeout.Seconds()})
	}
	s.process.Flush()
	if s.endAfter {
		s.process.End()
	}
}

func (s *script) Result(r ipc.Result, _ bool) error {
	s.results = append(s.results, r.ID)
	return s.refuse
}

func (s *script) Fail(f ipc.Fail)    { s.fails = append(s.fails, fmt.Sprint(f.ID, f.Error)) }
func (s *script) NotBegun(id uint64) { s.notBegun = append(s.notBegun, id) }
func (s *script) Flush()             { s.flushes++ }

type worker = parenttest.FakeWorker

// run runs one process of the fake system to its end.
func (s *script) run(t *testing.T, act func(*worker) parent.ExitStatus, c parent.Config) parent.Exit {
	t.Helper()
	system := &parenttest.FakeSystem{Act: act}
	spawner := parent.NewSpawner(parent.SpawnerConfig{System: system.System()})
	defer spawner.Close()
	if c.MaxMessage == 0 {
		c.MaxMessage = 1 << 20
	}
	var err error
	if s.process, err = spawner.Start(c, s); err != nil {
		t.Fatal(err)
	}
	if s.meanwhile != nil {
		go s.meanwhile(s.process)
	}
	return s.process.Run()
}

func TestAConversationInOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &script{requests: 3, endAfter: true}
		exit := s.run(t, nil, parent.Config{})
		if !exit.InOrder || !exit.Ready || exit.Err != nil || exit.PID != 1000 || exit.ExitCode != 0 || exit.Used == nil || exit.Used.UserSeconds != 1 {
			t.Errorf("%+v", exit)
		}
		if fmt.Sprint(s.results) != "[1 2 3]" || s.flushes == 0 || s.hello.PID != 1000 || s.process.Accepting() {
			t.Errorf("%+v", s)
		}
	})
}

func TestFailsAreAnswers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &script{requests: 2, endAfter: true}
		exit := s.run(t, func(w *worker) parent.ExitStatus {
			w.Hello()
			r, _ := w.Next()
			w.Say(ipc.AppendFail(nil, ipc.Fail{ID: r.ID, Error: "no"}))
			return w.Serve()
		}, parent.Config{})
		if !exit.InOrder || fmt.Sprint(s.fails, s.results) != "[1no] [2]" {
			t.Errorf("%+v, %+v", s, exit)
		}
	})
}

// Everything that a worker can do wrong ends its process and says so.
func TestHowProcessesEnd(t *testing.T) {
	answer := func(text string) func(*worker) parent.ExitStatus {
		return func(w *worker) parent.ExitStatus {
			w.Hello()
			w.Next()
			w.Say([]byte(text))
			return w.Hang()
		}
	}
	var silence *parent.SilenceError
	var build *parent.BuildError
	var fault *ipc.Fault
	for name, c := range map[string]struct {
		act    func(*worker) parent.ExitStatus
		config parent.Config
		check  func(e parent.Exit) bool
	}{
		"no hello": {(*worker).Hang, parent.Config{StartupTimeout: time.Second},
			func(e parent.Exit) bool {
				return errors.As(e.Err, &silence) && silence.Starting && e.Killed && !e.Ready
			}},
		"another build": {func(w *worker) parent.ExitStatus {
			w.Say(ipc.AppendHello(nil, ipc.Hello{Build: "v0"}))
			return w.Hang()
		}, parent.Config{},
			func(e parent.Exit) bool { return errors.As(e.Err, &build) && build.Theirs == "v0" }},
		"dies at once": {func(*worker) parent.ExitStatus { return parent.ExitStatus{Code: 127} }, parent.Config{},
			func(e parent.Exit) bool { return e.ExitCode == 127 && errors.Is(e.Err, parent.ErrNoHello) && !e.Killed }},
		"at a terminal": {func(w *worker) parent.ExitStatus {
			io.WriteString(w.Stderr, "procpool: child is a worker: it reads msgpack requests on "+ipc.AtTerminal+"\n")
			return parent.ExitStatus{Code: 2}
		}, parent.Config{}, func(e parent.Exit) bool { return errors.Is(e.Err, parent.ErrTerminal) }},
		"dies with a request": {func(w *worker) parent.ExitStatus {
			w.Hello()
			w.Next()
			io.WriteString(w.Stderr, "panic: oh\n")
			return parent.ExitStatus{Code: 2}
		}, parent.Config{}, func(e parent.Exit) bool { return e.ExitCode == 2 && e.Err == nil && e.Stderr[0] == "panic: oh" }},
		"silent": {func(w *worker) parent.ExitStatus { w.Hello(); w.Next(); return w.Hang() }, parent.Config{Heartbeat: time.Second},
			func(e parent.Exit) bool {
				return errors.As(e.Err, &silence) && !silence.Starting && e.Signal == "killed" && e.LateID == 0
			}},
		"late": {func(w *worker) parent.ExitStatus { w.Hello(); w.Next(); return w.Beat() }, parent.Config{CancelGrace: time.Second},
			func(e parent.Exit) bool { return e.LateID == 1 && e.Killed }},
		"late with the second": {func(w *worker) parent.ExitStatus {
			w.Hello()
			r, _ := w.Next()
			w.Say(w.Result(r))
			return w.Beat()
		}, parent.Config{CancelGrace: time.Second}, func(e parent.Exit) bool { return e.LateID == 2 }},
		"garbage": {answer("nonsense"), parent.Config{}, func(e parent.Exit) bool {
			return errors.As(e.Err, &fault) && strings.HasPrefix(string(fault.First), "nonsense") && e.Killed
		}},
		"an answer to nobody": {func(w *worker) parent.ExitStatus {
			w.Hello()
			w.Say(w.Result(parenttest.Request{ID: 1}))
			w.Say(w.Result(parenttest.Request{ID: 4}))
			return w.Hang()
		}, parent.Config{}, func(e parent.Exit) bool {
			return errors.As(e.Err, &fault) && strings.Contains(fault.Reason, "request 4, the oldest is 2")
		}},
		"bye with requests in flight": {func(w *worker) parent.ExitStatus { w.Hello(); w.Next(); return w.Bye() }, parent.Config{},
			func(e parent.Exit) bool { return !e.InOrder && e.Err == nil && e.ExitCode == 0 }},
		"closes its output": {func(w *worker) parent.ExitStatus { w.Hello(); w.Process.ItsOut.Close(); return w.Hang() }, parent.Config{},
			func(e parent.Exit) bool { return !e.InOrder && e.Signal == "killed" }},
		"closes its input": {func(w *worker) parent.ExitStatus { w.Hello(); w.Process.ItsIn.Close(); return w.Beat() }, parent.Config{},
			func(e parent.Exit) bool { return e.Killed && strings.Contains(e.Err.Error(), "closed its input") }},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := &script{requests: 3}
				if strings.HasPrefix(name, "late") {
					s.timeout = time.Second
				}
				if e := s.run(t, c.act, c.config); !c.check(e) || e.InOrder || e.Unwanted {
					t.Errorf("%+v: %v", e, e.Err)
				}
			})
		})
	}
}

// What the handler refuses is a fault of the stream.
func TestHandlerRefuses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &script{requests: 2, refuse: &ipc.Fault{Reason: "not what was asked"}}
		e := s.run(t, nil, parent.Config{})
		if e.Err != s.refuse || !e.Killed || len(s.results) != 1 {
			t.Errorf("%+v, %+v", e, s)
		}
	})
}

// Abort ends whatever a worker is doing; End ends one that has not said hello.
func TestAbortAndEnd(t *testing.T) {
	for name, end := range map[string]func(*parent.Process){"abort": (*parent.Process).Abort, "end": (*parent.Process).End} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := &script{meanwhile: func(p *parent.Process) {
					time.Sleep(time.Second)
					end(p)
				}}
				if e := s.run(t, (*worker).Hang, parent.Config{}); !e.Unwanted || e.Signal != "killed" {
					t.Errorf("%+v", e)
				}
			})
		})
	}
}

// A worker that was told to end and does not is killed after the grace.
func TestGrace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &script{endAfter: true}
		begin := time.Now()
		e := s.run(t, func(w *worker) parent.ExitStatus { w.Hello(); return w.Beat() }, parent.Config{Grace: 3 * time.Second})
		if took := time.Since(begin); !e.Unwanted || took < 3*time.Second || took > 5*time.Second {
			t.Errorf("%+v after %v", e, took)
		}
	})
}

// Once stop is closed nothing is started any more.
func TestSpawnerStops(t *testing.T) {
	stop := make(chan struct{})
	close(stop)
	spawner := parent.NewSpawner(parent.SpawnerConfig{System: (&parenttest.FakeSystem{}).System(), Stop: stop})
	defer spawner.Close()
	for range 100 {
		p, err := spawner.Start(parent.Config{MaxMessage: 1 << 20}, &script{})
		if err == nil { // a request may win over stop
			p.Abort()
			p.Run()
		}
	}
}
