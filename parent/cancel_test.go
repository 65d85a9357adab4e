package parent_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"procpool/ipc"
	"procpool/parent"
	"procpool/parent/parenttest"
)

type job = parenttest.Job

// works has a process work on n requests, the i-th of which is jobs[i], while
// meanwhile runs, and ends it in order after an hour.
func works(t *testing.T, c parent.Config, timeout time.Duration, jobs []job, meanwhile func(*parent.Process)) (*script, parent.Exit, time.Duration) {
	t.Helper()
	s := &script{requests: len(jobs), timeout: timeout}
	ended := make(chan struct{})
	s.meanwhile = func(p *parent.Process) {
		defer close(ended)
		meanwhile(p)
		time.Sleep(time.Hour)
		p.End()
	}
	begin := time.Now()
	exit := s.run(t, func(w *worker) parent.ExitStatus {
		return w.Work(func(r parenttest.Request) job { return jobs[r.Interval.Start] })
	}, c)
	took := time.Since(begin)
	<-ended
	return s, exit, took
}

// A request that waits behind another comes back at once when it is cancelled or
// asked back, and the one that runs has all the time that it wants.
func TestARequestThatWaitsComesBack(t *testing.T) {
	for name, ask := range map[string]func(*parent.Process, uint64){"cancel": (*parent.Process).Cancel, "recall": (*parent.Process).Recall} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s, exit, _ := works(t, parent.Config{CancelGrace: time.Second}, 0, []job{{Takes: time.Minute}, {}, {}}, func(p *parent.Process) {
					time.Sleep(time.Second)
					ask(p, 2)
				})
				if !exit.InOrder || fmt.Sprint(s.notBegun, s.results, s.fails) != "[2] [1 3] []" {
					t.Errorf("came back %v, results %v, fails %v; %+v", s.notBegun, s.results, s.fails, exit)
				}
			})
		})
	}
}

// A request that runs when it is cancelled answers as soon as its task heeds that,
// and costs its worker after the grace if it does not. Asking it back does nothing.
func TestARequestThatRunsIsCancelled(t *testing.T) {
	for name, c := range map[string]struct {
		ask             func(*parent.Process, uint64)
		ignores, killed bool
		want            string
	}{
		"heeds":    {(*parent.Process).Cancel, false, false, "[2] [1context canceled]"},
		"ignores":  {(*parent.Process).Cancel, true, true, "[] []"},
		"recalled": {(*parent.Process).Recall, false, false, "[1 2] []"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s, exit, took := works(t, parent.Config{CancelGrace: 4 * time.Second}, 0, []job{{Takes: time.Minute, Ignores: c.ignores}, {}}, func(p *parent.Process) {
					time.Sleep(time.Second)
					c.ask(p, 1)
				})
				if fmt.Sprint(s.results, s.fails) != c.want || exit.InOrder == c.killed || exit.Unwanted != c.killed {
					t.Errorf("results %v, fails %v; %+v", s.results, s.fails, exit)
				}
				if c.killed && (took < 5*time.Second || took > 7*time.Second) {
					t.Errorf("killed after %v, 1 s and a grace of 4 s are over after 5 s", took)
				}
			})
		})
	}
}

// A task that ignores its cancel has one grace, however often others are cancelled
// or asked back meanwhile.
func TestLaterCancelsGiveNoMoreTime(t *testing.T) {
	for name, ask := range map[string]func(*parent.Process, uint64){"cancel": (*parent.Process).Cancel, "recall": (*parent.Process).Recall} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				jobs := make([]job, 100)
				jobs[0] = job{Takes: time.Hour, Ignores: true}
				_, exit, took := works(t, parent.Config{CancelGrace: 4 * time.Second}, 0, jobs, func(p *parent.Process) {
					time.Sleep(time.Second)
					p.Cancel(1)
					for id := uint64(100); id > 1; id-- {
						time.Sleep(100 * time.Millisecond)
						ask(p, id)
					}
				})
				if !exit.Unwanted || took > 7*time.Second {
					t.Errorf("%+v after %v", exit, took)
				}
			})
		})
	}
}

// The same holds for its timeout.
func TestRecallsStretchNoTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		jobs := make([]job, 100)
		jobs[0] = job{Takes: time.Hour, Ignores: true}
		_, exit, took := works(t, parent.Config{CancelGrace: time.Second}, 4*time.Second, jobs, func(p *parent.Process) {
			for id := uint64(100); id > 1; id-- {
				time.Sleep(100 * time.Millisecond)
				p.Recall(id)
			}
		})
		if exit.LateID != 1 || took < 4*time.Second || took > 7*time.Second {
			t.Errorf("%+v after %v", exit, took)
		}
	})
}

// A timeout is counted from the moment at which a request begins to run, and not
// from the parent's last look before that.
func TestATimeoutBeginsWithItsRequest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &script{meanwhile: func(p *parent.Process) {
			time.Sleep(59*time.Second + 900*time.Millisecond) // it looks each second
			for range 3 {
				p.SendInterval("t", ipc.Interval{}, nil, ipc.RequestOptions{TimeoutSeconds: 0.5})
				p.Flush()
				time.Sleep(950 * time.Millisecond)
			}
			p.End()
		}}
		exit := s.run(t, func(w *worker) parent.ExitStatus {
			return w.Work(func(parenttest.Request) job { return job{Takes: 450 * time.Millisecond, Ignores: true} })
		}, parent.Config{Heartbeat: time.Minute, CancelGrace: time.Second})
		if !exit.InOrder || len(s.results) != 3 {
			t.Errorf("%v %v, %+v", s.results, s.fails, exit)
		}
	})
}

// A worker may hand back only what it was asked for: one that hands back everything
// would be sent it for ever.
func TestWhatWasNotAskedBackMayNotComeBack(t *testing.T) {
	for name, asks := range map[string]func(*parent.Process){
		"never asked": func(*parent.Process) {},
		"twice":       func(p *parent.Process) { p.Recall(1) },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := &script{requests: 2, meanwhile: func(p *parent.Process) { time.Sleep(time.Second); asks(p) }}
				exit := s.run(t, func(w *worker) parent.ExitStatus {
					w.Hello()
					w.Next()
					w.Next()
					w.Sleep(2 * time.Second)
					back := ipc.AppendFail(nil, ipc.Fail{ID: 1, Error: "not begun", NotBegun: true})
					w.Say(back)
					w.Say(back)
					return w.Hang()
				}, parent.Config{})
				var fault *ipc.Fault
				if !errors.As(exit.Err, &fault) || !strings.Contains(fault.Reason, "was not asked back") {
					t.Errorf("%+v: %v", exit, exit.Err)
				}
			})
		})
	}
}
