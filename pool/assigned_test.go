package pool

import (
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"procpool/ipc"
)

// In the default cut worker i computes interval i, however late it says hello.
// Another one takes it only from a worker that is lost, late or not there.
func TestWorkersGetTheirIntervals(t *testing.T) {
	const n = 4
	for name, c := range map[string]struct {
		act    func(w *fakeWorker) exitStatus
		refuse func(worker, start int) error
		want   []int // who may have computed each interval, -1: any but its own
	}{
		"all in order":  {func(w *fakeWorker) exitStatus { return w.Honest() }, nil, []int{0, 1, 2, 3}},
		"last is first": {func(w *fakeWorker) exitStatus { w.Sleep(time.Duration(n-w.Worker) * time.Second); return w.Honest() }, nil, []int{0, 1, 2, 3}},
		"one is lost with its interval": {func(w *fakeWorker) exitStatus {
			if w.Worker == 1 {
				w.Hello()
				w.Next()
				w.Sleep(time.Second) // until the others have nothing to do
				return segfault
			}
			return w.Honest()
		}, nil, []int{0, -1, 2, 3}},
		"one never says hello": {func(w *fakeWorker) exitStatus {
			if w.Worker == 2 {
				return w.Hang()
			}
			return w.Honest()
		}, nil, []int{0, 1, -1, 3}},
		"one cannot be started": {nil, func(worker, _ int) error {
			if worker == 3 {
				return fmt.Errorf("no")
			}
			return nil
		}, []int{0, 1, 2, -1}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				system := newFakeSystem(c.act)
				system.Refuse = c.refuse
				p := system.open(t, Options{Procs: n, StartupTimeout: 10 * time.Second})
				defer p.Close()
				by := make([]int, n)
				begin := time.Now()
				_, err := p.Run(t.Context(), Workload{Task: pi.Spec(), Whole: ipc.Interval{End: n * span}, OnChunk: func(c Chunk) error {
					by[c.Seq] = c.Worker
					return nil
				}})
				if err != nil || time.Since(begin) > 20*time.Second {
					t.Fatalf("%v after %v", err, time.Since(begin))
				}
				for i, want := range c.want {
					if by[i] != want && !(want < 0 && by[i] != i) {
						t.Errorf("interval %d was computed by worker %d of %v", i, by[i], by)
					}
				}
			})
		})
	}
}

// A worker that another call keeps busy does not keep its interval waiting.
func TestABusyWorkersIntervalGoesToAnother(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		system := newFakeSystem(func(w *fakeWorker) exitStatus {
			return workAhead(w, func(r fakeRequest) time.Duration {
				if r.Interval.Start >= 100*span && r.Interval.Len() > 0 {
					return time.Hour
				}
				return time.Second
			}, func(int) {})
		})
		p := system.open(t, Options{Procs: 2, Heartbeat: -1})
		defer p.Close()
		var long sync.WaitGroup
		long.Go(func() {
			if _, err := Sum(t.Context(), p, pi, ipc.Interval{Start: 100 * span, End: 100*span + 1}); err != nil {
				t.Error(err)
			}
		})
		time.Sleep(time.Minute)
		begin := time.Now()
		if _, err := Sum(t.Context(), p, pi, ipc.Interval{End: 2 * span}); err != nil || time.Since(begin) > 3*time.Second {
			t.Errorf("%v after %v", err, time.Since(begin))
		}
		long.Wait()
	})
}

// Goroutines have their intervals as well, and the serial backend computes all of them.
func TestIntervalsOfOtherBackends(t *testing.T) {
	for _, backend := range []Backend{Goroutines, Threads, Serial} {
		p := openPool(t, Options{Procs: 3, Backend: backend})
		var by []int
		out, err := p.Run(t.Context(), Workload{Task: pi.Spec(), Whole: ipc.Interval{End: 10}, OnChunk: func(c Chunk) error {
			by = append(by, c.Worker)
			return nil
		}})
		slices.Sort(by)
		want := []int{0, 1, 2}
		if backend == Serial {
			want = []int{0, 0, 0}
		}
		if err != nil || !slices.Equal(by, want) || out.Chunks != 3 {
			t.Errorf("%s: workers %v, %v", backend, by, err)
		}
	}
}

// A grid of another whole is refused before anything is computed.
func TestAGridOfAnotherWhole(t *testing.T) {
	p := openPool(t, Options{Procs: 1, Backend: Serial})
	_, err := p.Run(t.Context(), Workload{Task: pi.Spec(), Whole: ipc.Interval{End: 10}, Grid: ipc.ChunkGrid(ipc.Interval{End: 20}, 5)})
	if err == nil || err.Error() != "the grid cuts [0, 20), not [0, 10)" {
		t.Error(err)
	}
}
