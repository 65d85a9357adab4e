package pool

import (
	"context"
	"errors"
	"iter"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"procpool/ipc"
)

// endless is an endless sequence of one value.
func endlessly[T any](v T) iter.Seq[T] {
	return func(yield func(T) bool) {
		for yield(v) {
		}
	}
}

// keepBusy ranges over an endless map until the context is done, and counts its outputs.
func keepBusy(ctx context.Context, p *Pool, us int, outputs *atomic.Int64, opts ...CallOption) {
	for range Map(ctx, p, nap, endlessly(us), opts...) {
		outputs.Add(1)
	}
}

// beside runs f while n endless maps of 10 ms inputs keep the pool busy.
func beside(t *testing.T, p *Pool, n int, f func()) {
	ctx, cancel := context.WithCancel(t.Context())
	var busy sync.WaitGroup
	var outputs atomic.Int64
	for range n {
		busy.Go(func() { keepBusy(ctx, p, 10*usMilli, &outputs) })
	}
	for outputs.Load() < int64(10*n) {
		time.Sleep(time.Millisecond)
	}
	f()
	cancel()
	busy.Wait()
}

// One input beside an endless map is computed as soon as a worker has done what it runs.
func TestACallBesideAnEndlessMap(t *testing.T) {
	for name, opts := range map[string][]CallOption{"as usual": nil, "at most once": {Retries(-1)}} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := newFakeSystem(napping()).open(t, Options{Procs: 2})
				defer p.Close()
				p.checkNowAndThen(t, 7*time.Millisecond)
				beside(t, p, 1, func() {
					for range 20 {
						begin := time.Now()
						if _, err := Call(t.Context(), p, nap, 10*usMilli, opts...); err != nil {
							t.Error(err)
						}
						if took := time.Since(begin); took > 30*time.Millisecond {
							t.Errorf("took %v", took)
						}
					}
				})
			})
		})
	}
}

// The same with real processes and goroutines; the limits are for hangs.
func TestACallBesideAnEndlessMapOnThisMachine(t *testing.T) {
	for _, backend := range []Backend{Processes, Goroutines} {
		p := openPool(t, Options{Procs: 2, Backend: backend})
		beside(t, p, 2, func() {
			begin := time.Now()
			ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
			defer cancel()
			for range 5 {
				if _, err := Call(ctx, p, nap, 1, Retries(-1)); err != nil {
					t.Error(err)
				}
				if _, err := Call(ctx, p, mirror, point{}); err != nil {
					t.Error(err)
				}
				if _, err := Sum(ctx, p, tally, ipc.Interval{End: 100}); err != nil {
					t.Error(err)
				}
			}
			t.Logf("%s: 15 short calls beside two endless maps of 10 ms inputs took %v", backend, time.Since(begin).Round(time.Millisecond))
		})
		p.whole(t)
	}
}

// A short sum beside long ones takes as many times longer as there are sums.
func TestAShortSumBesideLongOnes(t *testing.T) {
	for _, others := range []int{1, 3} {
		synctest.Test(t, func(t *testing.T) {
			takes := slices.Repeat([]time.Duration{10 * time.Millisecond}, others+1)
			p := newFakeSystem(napping(takes...)).open(t, Options{Procs: 2, ChunkSize: span})
			defer p.Close()
			var sums sync.WaitGroup
			sum := func(i, n int64) {
				if _, err := Sum(t.Context(), p, pi, ipc.Interval{Start: i << 40, End: i<<40 + n*span}); err != nil {
					t.Error(err)
				}
			}
			for i := range others {
				sums.Go(func() { sum(int64(i)+1, 1000) })
			}
			time.Sleep(100 * time.Millisecond)
			begin := time.Now()
			sum(0, 200) // 1 s alone
			if took, most := time.Since(begin), time.Duration(others+2)*time.Second; took > most {
				t.Errorf("beside %d: %v, more than %v", others, took, most)
			}
			sums.Wait()
		})
	}
}

// Two endless maps both go on when workers are lost, whatever comes back of that.
func TestEndlessMapsGoOnAfterALoss(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var doomed atomic.Bool
		system := newFakeSystem(func(w *fakeWorker) exitStatus {
			return w.Work(func(fakeRequest) fakeJob {
				return fakeJob{Takes: 10 * time.Millisecond, Dies: doomed.CompareAndSwap(true, false)}
			})
		})
		p := system.open(t, Options{Procs: 2})
		defer p.Close()
		p.checkNowAndThen(t, 13*time.Millisecond)
		ctx, cancel := context.WithCancel(t.Context())
		var outputs [3]atomic.Int64
		var busy sync.WaitGroup
		busy.Go(func() { keepBusy(ctx, p, 10*usMilli, &outputs[0]) })
		busy.Go(func() { keepBusy(ctx, p, 10*usMilli, &outputs[1]) })
		busy.Go(func() { keepBusy(ctx, p, 10*usMilli, &outputs[2], Prefetch(8)) })
		for range 20 {
			time.Sleep(time.Second)
			var before [3]int64
			for i := range outputs {
				before[i] = outputs[i].Load()
			}
			doomed.Store(true)
			time.Sleep(3 * time.Second) // 600 inputs, 200 for each
			for i := range outputs {
				if n := outputs[i].Load() - before[i]; n < 120 {
					t.Errorf("map %d has %d outputs of 3 s after a loss", i, n)
				}
			}
		}
		cancel()
		busy.Wait()
		if lost := system.of(WorkerLost); len(lost) != 20 {
			t.Errorf("%d workers were lost", len(lost))
		}
	})
}

// Callers that give up after a second cost neither workers nor the inputs of others
// that these hold.
func TestCallersThatGiveUpCostNobodyElse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		system := newFakeSystem(napping())
		p := system.open(t, Options{Procs: 2})
		p.checkNowAndThen(t, 13*time.Millisecond)
		var impatient sync.WaitGroup
		for i := range 4 {
			impatient.Go(func() {
				time.Sleep(time.Duration(i) * 500 * time.Millisecond)
				ctx, cancel := context.WithTimeout(t.Context(), time.Second)
				defer cancel()
				if _, err := Call(ctx, p, nap, 60*usSecond); !errors.Is(err, context.DeadlineExceeded) {
					t.Error(err)
				}
			})
		}
		begin := time.Now()
		for _, err := range Map(t.Context(), p, nap, slices.Values(slices.Repeat([]int{3 * usSecond}, 8))) {
			if err != nil {
				t.Error(err)
			}
		}
		if took := time.Since(begin); took > 15*time.Second { // 24 s and at most 4 s, on two workers
			t.Errorf("8 inputs of 3 s on 2 workers took %v", took)
		}
		impatient.Wait()
		p.Close()
		if n := system.Starts(0) + system.Starts(1); n != 2 || len(system.of(ChunkRetried)) > 0 {
			t.Errorf("%d processes, retried %v", n, system.of(ChunkRetried))
		}
	})
}

// Inputs that fail, or run out of time, count like others: a map of them takes no
// more than its share.
func TestFailuresTakeNoMoreThanTheirShare(t *testing.T) {
	for name, c := range map[string]struct {
		job  fakeJob
		opts []CallOption
	}{
		"fail":     {fakeJob{Takes: 10 * time.Millisecond, Fails: "no"}, nil},
		"time out": {fakeJob{Takes: time.Hour}, []CallOption{Timeout(10 * time.Millisecond), Retries(0)}},
		"ignore":   {fakeJob{Takes: time.Hour, Ignores: true}, []CallOption{Timeout(10 * time.Millisecond), Retries(0)}},
		"die":      {fakeJob{Takes: 10 * time.Millisecond, Dies: true}, []CallOption{Retries(0)}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				system := newFakeSystem(func(w *fakeWorker) exitStatus {
					return w.Work(func(r fakeRequest) fakeJob {
						if r.Arg != nil && r.Arg[0] == 0 {
							return c.job
						}
						return fakeJob{Takes: 10 * time.Millisecond}
					})
				})
				p := system.open(t, Options{Procs: 2, CancelGrace: 10 * time.Millisecond})
				defer p.Close()
				p.checkNowAndThen(t, 7*time.Millisecond)
				ctx, cancel := context.WithCancel(t.Context())
				var bad sync.WaitGroup
				var outputs atomic.Int64
				bad.Go(func() { keepBusy(ctx, p, 0, &outputs, c.opts...) })
				for outputs.Load() < 10 {
					time.Sleep(time.Millisecond)
				}
				begin := time.Now()
				for _, err := range Map(t.Context(), p, nap, slices.Values(slices.Repeat([]int{1}, 100))) {
					if err != nil {
						t.Error(err)
					}
				}
				if took := time.Since(begin); took > 2*time.Second { // 0.5 s alone; restarts take time too
					t.Errorf("100 inputs of 10 ms on 2 workers took %v", took)
				}
				before := outputs.Load()
				time.Sleep(time.Second)
				if outputs.Load() < before+10 {
					t.Errorf("the other map has stopped after %d outputs", before)
				}
				cancel()
				bad.Wait()
			})
		})
	}
}
