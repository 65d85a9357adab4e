package pool

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"procpool/ipc"
)

// Workers that can never be started end each call with an error, after a known
// number of tries, and while there is no call nothing is tried.
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
					var lost *LostWorkerError // of the chunk that each of them met
					if !(errors.As(err, &storm) && storm.Tries > maxFailedStarts) && !errors.As(err, &lost) {
						t.Fatal(err)
					}
					if text := err.Error(); strings.Contains(text, "unknown way") || strings.Contains(text, "pid 0") {
						t.Errorf("a reader learns nothing from: %v", text)
					}
				}
				tries := 0
				for w := range 3 {
					tries += system.Starts(w)
				}
				time.Sleep(time.Hour) // nobody asks for anything
				for w := range 3 {
					tries -= system.Starts(w)
				}
				if tries < -3*maxFailedStarts { // the last tries, each
					t.Errorf("%d starts that nobody asked for", -tries)
				}
				if n := len(system.of(WorkerGivenUp)); n < 3 {
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
		if !errors.Is(err, syscall.EMFILE) || !strings.HasPrefix(err.Error(), "no worker can be started (") || !strings.HasSuffix(err.Error(), " tries): create pipes for a worker: too many open files") {
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
		if n := system.Starts(1); n < maxFailedStarts || n > 2*maxFailedStarts { // it is tried again, with growing pauses
			t.Errorf("%d starts", n)
		}
	})
}

// A pool heals: calls fail while there are no workers, and are served as soon as
// there is one.
func TestAPoolHeals(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		system := newFakeSystem(nil)
		var broken atomic.Bool
		broken.Store(true)
		system.Refuse = func(int, int) error {
			if broken.Load() {
				return errors.New("no such library")
			}
			return nil
		}
		p := system.open(t, Options{Procs: 2})
		defer p.Close()
		var storm *StartError
		for range 2 {
			begin := time.Now()
			if err := p.Ready(t.Context()); !errors.As(err, &storm) || time.Since(begin) > 2*time.Second {
				t.Errorf("%v after %v", err, time.Since(begin))
			}
			time.Sleep(time.Minute)
		}
		broken.Store(false)
		if _, err := Sum(t.Context(), p, pi, ipc.Interval{End: 10}); err != nil {
			t.Error(err)
		}
		if err := p.Ready(t.Context()); err != nil {
			t.Error(err)
		}
	})
}

// A shortage delays calls as long as Options.Outage allows.
func TestAShortageDelays(t *testing.T) {
	for outage, lasts := range map[time.Duration]time.Duration{0: 8 * time.Second, time.Minute: 50 * time.Second} {
		synctest.Test(t, func(t *testing.T) {
			system := newFakeSystem(nil)
			begin := time.Now()
			system.Refuse = func(int, int) error {
				if time.Since(begin) < lasts {
					return syscall.EMFILE
				}
				return nil
			}
			if _, err := system.sum(t, Options{Procs: 2, Outage: outage}, 10); err != nil {
				t.Errorf("outage %v: %v", outage, err)
			}
		})
	}
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
