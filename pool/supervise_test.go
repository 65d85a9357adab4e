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
	for name, act := range map[string]func(*fakeWorker) exitStatus{
		"cannot be started": nil,
		"dies at once": func(w *fakeWorker) exitStatus {
			io.WriteString(w.Stderr, "no such library\n")
			return exitStatus{Code: 127}
		},
		"another build":    func(w *fakeWorker) exitStatus { w.Say(ipc.AppendHello(nil, ipc.Hello{Build: "v0"})); return w.Hang() },
		"mute":             (*fakeWorker).Hang,
		"dies after hello": func(w *fakeWorker) exitStatus { w.Hello(); return segfault },
	} {
		system := newFakeSystem(act)
		if act == nil {
			system.Refuse = func(int, int) error { return fmt.Errorf("create pipes for a worker: %w", syscall.EMFILE) }
		}
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := system.open(t, Options{Procs: 3, StartupTimeout: time.Second})
				defer p.Close()
				time.Sleep(time.Minute) // idle: nobody asks for anything
				for range 2 {
					_, err := Sum(t.Context(), p, pi, ipc.Interval{End: 10})
					var storm *StartError
					if !errors.As(err, &storm) || storm.Tries != maxFailedStarts {
						t.Fatal(err)
					}
					if text := err.Error(); strings.Contains(text, "unknown way") || strings.Contains(text, "pid 0") {
						t.Errorf("a reader learns nothing from: %v", text)
					}
				}
				for w := range 3 {
					if system.Starts(w) != maxFailedStarts {
						t.Errorf("worker %d: %d starts", w, system.Starts(w))
					}
				}
				if n := len(system.of(WorkerGivenUp)); n != 3 {
					t.Errorf("%d were given up", n)
				}
			})
		})
	}
}

func TestStartErrorNamesTheSystemsReason(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		system := newFakeSystem(nil)
		system.Refuse = func(int, int) error { return fmt.Errorf("create pipes for a worker: %w", syscall.EMFILE) }
		_, err := system.sum(t, Options{Procs: 1}, 3)
		if !errors.Is(err, syscall.EMFILE) || err.Error() != "no worker can be started (5 tries): create pipes for a worker: too many open files" {
			t.Error(err)
		}
	})
}

// A shortage of descriptors or processes that passes is survived.
func TestFailedStartsAreTriedAgain(t *testing.T) {
	for _, errno := range []error{syscall.EMFILE, syscall.EAGAIN} {
		synctest.Test(t, func(t *testing.T) {
			system := newFakeSystem(nil)
			system.Refuse = func(_, start int) error {
				if start < maxFailedStarts-1 {
					return errno
				}
				return nil
			}
			if _, err := system.sum(t, Options{Procs: 2}, 10); err != nil {
				t.Error(err)
			}
		})
	}
}

// A place where no worker can be started is left empty, and the others do its work.
func TestOneSlotIsGivenUpWhileOthersGoOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		system := newFakeSystem(func(w *fakeWorker) exitStatus {
			w.Hello()
			for {
				r, ok := w.Next()
				if !ok {
					return w.Bye()
				}
				w.Sleep(time.Second)
				w.Say(w.Result(r))
			}
		})
		system.Refuse = func(worker, _ int) error {
			if worker == 1 {
				return syscall.EAGAIN
			}
			return nil
		}
		_, err := system.sum(t, Options{Procs: 2}, 10)
		if given := system.of(WorkerGivenUp); err != nil || len(given) != 1 || given[0].Worker != 1 || !errors.Is(given[0].Err, syscall.EAGAIN) {
			t.Errorf("%v, %+v", err, given)
		}
		if system.Starts(1) != maxFailedStarts {
			t.Errorf("%d starts", system.Starts(1))
		}
	})
}

// Workers that are killed now and then while they have nothing to do have
// started well each time: their places are not given up.
func TestIdleDeathsGiveNothingUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		system := newFakeSystem(func(w *fakeWorker) exitStatus {
			if w.Start == 20 {
				return w.Honest()
			}
			w.Hello()
			w.Sleep(time.Minute)
			return killed
		})
		p := system.open(t, Options{Procs: 1, Heartbeat: -1})
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
		system := newFakeSystem(func(w *fakeWorker) exitStatus {
			w.Hello()
			for {
				m, err := w.In.Next()
				if err != nil || m.Kind == ipc.KindEnd {
					return w.Bye()
				}
				if m.Kind == ipc.KindBeat {
					beats++
				}
				w.Say(ipc.AppendBeat(nil))
			}
		})
		p := system.open(t, Options{Procs: 1, Heartbeat: time.Minute})
		time.Sleep(time.Hour)
		p.Close()
		if beats < 120 || beats > 480 {
			t.Errorf("%d beats in an hour, with a heartbeat of a minute", beats)
		}
		if lost := system.of(WorkerLost); len(lost) > 0 {
			t.Error(lost)
		}
	})
}

// Close ends workers that do not listen, whatever they are doing.
func TestCloseEndsEveryone(t *testing.T) {
	for name, act := range map[string]func(*fakeWorker) exitStatus{
		"honest": (*fakeWorker).Honest,
		"mute":   (*fakeWorker).Hang,
		"deaf":   func(w *fakeWorker) exitStatus { w.Hello(); return w.Beat() },
		"no bye": func(w *fakeWorker) exitStatus { w.Hello(); w.Next(); return w.Hang() },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				system := newFakeSystem(act)
				p := system.open(t, Options{Procs: 3, Grace: time.Second})
				time.Sleep(time.Second)
				begin := time.Now()
				p.Close()
				if took := time.Since(begin); took > 3*time.Second {
					t.Errorf("took %v", took)
				}
				for _, w := range system.Workers() {
					select {
					case <-w.Process.Gone:
					default:
						t.Errorf("process %d lives", w.Process.Pid())
					}
				}
				if lost := system.of(WorkerLost); len(lost) > 0 {
					t.Error(lost)
				}
			})
		})
	}
}
