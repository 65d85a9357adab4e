package pool

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"procpool/ipc"
)

// Workers that can never be started end the pool with an error, after a known
// number of tries, and not with a loop.
func TestStormOfFailedStartsEnds(t *testing.T) {
	emfile := func(int, int) error { return fmt.Errorf("a worker's pipes cannot be made: %w", syscall.EMFILE) }
	for name, th := range map[string]*theatre{
		"cannot be started": {refuse: emfile},
		"dies at once":      {act: func(a *actor) exit { io.WriteString(a.stderr, "no such library\n"); return exit{code: 127} }},
		"another build":     {act: func(a *actor) exit { a.say(ipc.AppendHello(nil, ipc.Hello{Build: "v0"})); return a.hang() }},
		"mute":              {act: (*actor).hang},
		"dies after hello":  {act: func(a *actor) exit { a.hello(); return segfault }},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := th.open(t, Options{Procs: 3, StartupTimeout: time.Second})
				defer p.Close()
				time.Sleep(time.Minute) // idle: nobody asks for anything
				for range 2 {
					_, err := Sum(t.Context(), p, pi, ipc.Interval{End: 10})
					var storm *StartError
					if !errors.As(err, &storm) || storm.Tries != maxFruitless {
						t.Fatal(err)
					}
					if text := err.Error(); strings.Contains(text, "unknown way") || strings.Contains(text, "pid 0") {
						t.Errorf("a reader learns nothing from: %v", text)
					}
				}
				for w := range 3 {
					if th.lives[w] != maxFruitless {
						t.Errorf("worker %d: %d starts", w, th.lives[w])
					}
				}
				if n := len(th.of(WorkerGivenUp)); n != 3 {
					t.Errorf("%d were given up", n)
				}
			})
		})
	}
}

func TestStartErrorNamesTheSystemsReason(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		th := &theatre{refuse: func(int, int) error { return fmt.Errorf("a worker's pipes cannot be made: %w", syscall.EMFILE) }}
		_, err := th.sum(t, Options{Procs: 1}, 3)
		if !errors.Is(err, syscall.EMFILE) || err.Error() != "no worker can be started (5 tries): a worker's pipes cannot be made: too many open files" {
			t.Error(err)
		}
	})
}

// A shortage of descriptors or processes that passes is survived.
func TestFailedStartsAreTriedAgain(t *testing.T) {
	for _, errno := range []error{syscall.EMFILE, syscall.EAGAIN} {
		synctest.Test(t, func(t *testing.T) {
			th := &theatre{refuse: func(_, life int) error {
				if life < maxFruitless-1 {
					return errno
				}
				return nil
			}}
			if _, err := th.sum(t, Options{Procs: 2}, 10); err != nil {
				t.Error(err)
			}
		})
	}
}

// A place where no worker can be started is left empty, and the others do its work.
func TestOneSlotIsGivenUpWhileOthersGoOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		th := &theatre{
			refuse: func(worker, _ int) error {
				if worker == 1 {
					return syscall.EAGAIN
				}
				return nil
			},
			act: func(a *actor) exit {
				a.hello()
				for {
					r, ok := a.next()
					if !ok {
						return a.bye()
					}
					a.sleep(time.Second)
					a.say(a.result(r))
				}
			},
		}
		_, err := th.sum(t, Options{Procs: 2}, 10)
		if given := th.of(WorkerGivenUp); err != nil || len(given) != 1 || given[0].Worker != 1 || !errors.Is(given[0].Err, syscall.EAGAIN) {
			t.Errorf("%v, %+v", err, given)
		}
		if th.lives[1] != maxFruitless {
			t.Errorf("%d starts", th.lives[1])
		}
	})
}

// Workers that are killed now and then while they have nothing to do have
// started well each time: their places are not given up.
func TestIdleDeathsGiveNothingUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		th := &theatre{act: func(a *actor) exit {
			if a.life == 20 {
				return a.honest()
			}
			a.hello()
			a.sleep(time.Minute)
			return killed
		}}
		p := th.open(t, Options{Procs: 1, Heartbeat: -1})
		defer p.Close()
		time.Sleep(time.Hour)
		if _, err := Sum(t.Context(), p, pi, ipc.Interval{End: 10}); err != nil {
			t.Error(err)
		}
	})
}

// What lives hears from the parent, also when there is no work.
func TestParentBeats(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		beats := 0
		th := &theatre{act: func(a *actor) exit {
			a.hello()
			for {
				m, err := a.in.Next()
				if err != nil || m.Kind == ipc.KindEnd {
					return a.bye()
				}
				if m.Kind == ipc.KindBeat {
					beats++
				}
				a.say(ipc.AppendBeat(nil))
			}
		}}
		p := th.open(t, Options{Procs: 1, Heartbeat: time.Minute})
		time.Sleep(time.Hour)
		p.Close()
		if beats < 120 || beats > 480 {
			t.Errorf("%d beats in an hour, with a heartbeat of a minute", beats)
		}
		if lost := th.of(WorkerLost); len(lost) > 0 {
			t.Error(lost)
		}
	})
}

// Close ends workers that do not listen, whatever they are doing.
func TestCloseEndsEveryone(t *testing.T) {
	for name, act := range map[string]func(*actor) exit{
		"honest": (*actor).honest,
		"mute":   (*actor).hang,
		"deaf":   func(a *actor) exit { a.hello(); return a.beat() },
		"no bye": func(a *actor) exit { a.hello(); a.next(); return a.hang() },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				th := &theatre{act: act}
				p := th.open(t, Options{Procs: 3, Grace: time.Second})
				time.Sleep(time.Second)
				begin := time.Now()
				p.Close()
				if took := time.Since(begin); took > 3*time.Second {
					t.Errorf("took %v", took)
				}
				for _, a := range th.actors {
					select {
					case <-a.proc.gone:
					default:
						t.Errorf("process %d lives", a.proc.pid)
					}
				}
				if lost := th.of(WorkerLost); len(lost) > 0 {
					t.Error(lost)
				}
			})
		})
	}
}
