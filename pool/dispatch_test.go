package pool

import (
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"procpool/ipc"
)

// workAhead answers requests one at a time as a worker does that reads ahead: each
// takes what took says, and full is told how many it holds.
func workAhead(w *fakeWorker, took func(fakeRequest) time.Duration, full func(have int)) exitStatus {
	w.Hello()
	requests := make(chan fakeRequest, 2*ipc.MaxPending)
	go func() {
		defer close(requests)
		for {
			r, ok := w.Next()
			if !ok {
				return
			}
			requests <- r
		}
	}()
	for r := range requests {
		d := took(r)
		w.Sleep(1) // no time passes before the reader has read what there is
		full(1 + len(requests))
		w.Sleep(d)
		if !w.Say(w.ResultFor(r, r.Interval, d.Seconds())) {
			return exitStatus{Code: 1}
		}
	}
	return w.Bye()
}

func TestAWorkerHoldsTwoChunksOrTenMilliseconds(t *testing.T) {
	for chunk, most := range map[time.Duration]int{
		time.Second: aheadChunks, 5 * time.Millisecond: 2, time.Millisecond: 10, 100 * time.Microsecond: 100, time.Microsecond: ipc.MaxPending,
	} {
		synctest.Test(t, func(t *testing.T) {
			held := 0
			system := newFakeSystem(func(w *fakeWorker) exitStatus {
				return workAhead(w, func(fakeRequest) time.Duration { return chunk }, func(have int) { held = max(held, have) })
			})
			if _, err := system.sum(t, Options{Procs: 1}, 4000); err != nil {
				t.Fatal(err)
			}
			if held > most || held < most*9/10 {
				t.Errorf("chunks of %v: holds %d, want %d", chunk, held, most)
			}
		})
	}
}

// With as many chunks as workers, or twice as many, each worker gets one before
// any is finished: those who come first do not take them all.
func TestEveryWorkerGetsItsFirstChunk(t *testing.T) {
	for _, chunks := range []int64{4, 5, 7, 8} {
		synctest.Test(t, func(t *testing.T) {
			var all sync.WaitGroup
			all.Add(4)
			system := newFakeSystem(func(w *fakeWorker) exitStatus {
				time.Sleep(time.Duration(w.Worker) * time.Second) // some are slow to start
				first := true
				return workAhead(w, func(fakeRequest) time.Duration {
					if first {
						first = false
						all.Done()
						all.Wait()
					}
					return time.Millisecond
				}, func(int) {})
			})
			if _, err := system.sum(t, Options{Procs: 4}, chunks); err != nil {
				t.Errorf("%d chunks: %v", chunks, err)
			}
		})
	}
}

// The last chunks wait behind no slow one while another worker is idle.
func TestTailIsBalanced(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		system := newFakeSystem(func(w *fakeWorker) exitStatus {
			return workAhead(w, func(r fakeRequest) time.Duration {
				if r.Interval.Start == 0 {
					return 100 * time.Second
				}
				return time.Second
			}, func(int) {})
		})
		out, err := system.sum(t, Options{Procs: 2, Heartbeat: -1}, 50)
		if err != nil || out.Wall > 101*time.Second+100*time.Millisecond {
			t.Errorf("%v, %v", out.Wall, err) // chunk 0, and at most the one that was sent with it
		}
	})
}

// One late chunk holds dispatch back: results do not pile up behind it.
func TestALateChunkHoldsDispatchBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		late := make(chan struct{})
		var furthest atomic.Int64
		system := newFakeSystem(func(w *fakeWorker) exitStatus {
			return workAhead(w, func(r fakeRequest) time.Duration {
				furthest.Store(max(furthest.Load(), r.Interval.Start/span))
				if r.Interval.Start == 0 {
					<-late
				}
				return time.Millisecond
			}, func(int) {})
		})
		go func() {
			time.Sleep(10 * time.Minute)
			if want := windowSize(2) - 1; furthest.Load() != want {
				t.Errorf("chunk %d was begun while chunk 0 was running, the window ends at %d", furthest.Load(), want)
			}
			close(late)
		}()
		if _, err := system.sum(t, Options{Procs: 2, Heartbeat: -1}, 20000); err != nil {
			t.Error(err)
		}
	})
}

func TestSumsAtOnceShareTheWorkers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		var order []int64
		system := newFakeSystem(func(w *fakeWorker) exitStatus {
			return workAhead(w, func(r fakeRequest) time.Duration {
				mu.Lock()
				defer mu.Unlock()
				order = append(order, r.Interval.Start/(100*span))
				return time.Second
			}, func(int) {})
		})
		p := system.open(t, Options{Procs: 2, ChunkSize: span})
		var sums sync.WaitGroup
		for job := range int64(2) {
			sums.Go(func() {
				_, err := Sum(t.Context(), p, pi, ipc.Interval{Start: job * 100 * span, End: (job + 1) * 100 * span})
				if err != nil {
					t.Error(err)
				}
			})
		}
		sums.Wait()
		p.Close()
		second := 0
		for _, job := range order[:100] {
			second += int(job)
		}
		if len(order) != 200 || second < 40 || second > 60 {
			t.Errorf("of the first 100 of %d chunks, %d were the second sum's", len(order), second)
		}
	})
}

func TestMaxChunksPerChildIsExact(t *testing.T) {
	for _, most := range []int{1, 2, 3, 7} {
		synctest.Test(t, func(t *testing.T) {
			served := make(map[int]int)
			system := newFakeSystem(func(w *fakeWorker) exitStatus {
				return workAhead(w, func(fakeRequest) time.Duration { served[w.Start]++; return time.Microsecond }, func(int) {})
			})
			out, err := system.sum(t, Options{Procs: 1, MaxChunksPerChild: most}, 21)
			if err != nil || out.Retries != 0 {
				t.Fatal(err, out.Retries)
			}
			for life := range 21 / most {
				if served[life] != most {
					t.Errorf("of at most %d chunks, process %d got %d", most, life, served[life])
				}
			}
			if lost := system.of(WorkerLost); len(lost) > 0 {
				t.Error(lost)
			}
		})
	}
}

func TestAStoppedRunHandsOutNothingMore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		stop := make(chan struct{})
		var mu sync.Mutex
		var begun []time.Duration
		start := time.Now()
		system := newFakeSystem(func(w *fakeWorker) exitStatus {
			return workAhead(w, func(fakeRequest) time.Duration {
				mu.Lock()
				defer mu.Unlock()
				begun = append(begun, time.Since(start))
				return 2 * time.Second
			}, func(int) {})
		})
		p := system.open(t, Options{Procs: 2, ChunkSize: span})
		defer p.Close()
		time.AfterFunc(7*time.Second, func() { close(stop) })
		out, err := p.Run(t.Context(), Workload{Task: pi.Spec(), Whole: ipc.Interval{End: 100 * span}, Stop: stop})
		if !errors.Is(err, ErrStopped) || out.Status != Interrupted {
			t.Error(out.Status, err)
		}
		// Two workers began chunks at 0, 2, 4 and 6 s. No other waited behind such long ones.
		if len(begun) != 8 || out.Chunks != 8 || len(out.Covered) != 1 || out.Covered[0] != (ipc.Interval{End: 8 * span}) || out.Wall > 8*time.Second+100*time.Millisecond {
			t.Errorf("begun at %v; covered %v after %v", begun, out.Covered, out.Wall)
		}
	})
}

// A chunk that does not finish after a stop is given up after the grace, or at
// the deadline if that is earlier.
func TestAStopEndsHard(t *testing.T) {
	for _, c := range []struct{ deadline, wall time.Duration }{
		{0, 15 * time.Second}, {12 * time.Second, 12 * time.Second}, {60 * time.Second, 15 * time.Second}, {6 * time.Second, 6 * time.Second},
	} {
		synctest.Test(t, func(t *testing.T) {
			stop := make(chan struct{})
			system := newFakeSystem(func(w *fakeWorker) exitStatus {
				return workAhead(w, func(fakeRequest) time.Duration { return time.Hour }, func(int) {})
			})
			p := system.open(t, Options{Procs: 2, Heartbeat: -1, ChunkSize: span})
			defer p.Close()
			time.AfterFunc(10*time.Second, func() { close(stop) })
			r := Workload{Task: pi.Spec(), Whole: ipc.Interval{End: 100 * span}, Stop: stop}
			if c.deadline > 0 {
				r.Deadline = time.Now().Add(c.deadline)
			}
			out, err := p.Run(t.Context(), r)
			if err == nil || out.Wall < c.wall || out.Wall > c.wall+time.Second {
				t.Errorf("deadline %v: %v after %v", c.deadline, err, out.Wall)
			}
		})
	}
}
