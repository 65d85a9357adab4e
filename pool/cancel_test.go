package pool

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// pids lists the workers' processes when all of them are there.
func pids(t *testing.T, p *Pool) (pids []int) {
	t.Helper()
	for begin := time.Now(); ; time.Sleep(time.Millisecond) {
		pids = pids[:0]
		p.mu.Lock()
		for _, s := range p.slots {
			if w := s.executor.(*worker); w.current != nil && w.current.ready {
				pids = append(pids, s.stats.PID)
			}
		}
		p.mu.Unlock()
		if len(pids) == p.Procs() {
			return slices.Clone(pids)
		}
		if time.Since(begin) > limit {
			t.Fatalf("of %d workers only %v are there", p.Procs(), pids)
		}
	}
}

// A break, a cancel and a timeout cost no worker whose task heeds its context,
// however much it has in flight.
func TestBreakCancelAndTimeoutKeepWorkers(t *testing.T) {
	p := openPool(t, Options{Procs: 2, CancelGrace: limit})
	before := pids(t, p)
	inputs := func(yield func(int) bool) {
		for i := 0; yield(i * 3600 * usSecond); i++ { // the first is short
		}
	}
	for range 3 {
		for range MapUnordered(t.Context(), p, nap, inputs, Prefetch(4)) {
			break
		}
		ctx, cancel := context.WithCancel(t.Context())
		n := 0
		for _, err := range MapUnordered(ctx, p, nap, inputs, Prefetch(4)) {
			if n++; n == 1 {
				cancel()
			} else if !errors.Is(err, context.Canceled) {
				t.Error(err)
			}
		}
		cancel()
		var late *TimeoutError
		if _, err := Call(t.Context(), p, nap, 3600*usSecond, Timeout(20*time.Millisecond), Retries(0)); !errors.As(err, &late) || late.PID != 0 || late.Attempts != 1 {
			t.Error(err)
		}
		ctx, cancel = context.WithTimeout(t.Context(), 20*time.Millisecond)
		if _, err := Sum(ctx, p, patient, Interval{End: 10}); !errors.Is(err, context.DeadlineExceeded) {
			t.Error(err)
		}
		cancel()
	}
	p.whole(t)
	if after := pids(t, p); !slices.Equal(before, after) {
		t.Errorf("processes %v before, %v after", before, after)
	}
}

// patient waits for the end of its context.
var patient = DefineSum("patient", func(ctx context.Context, iv Interval) (int64, error) {
	<-ctx.Done()
	return 0, ctx.Err()
}, func(a, b int64) int64 { return a + b }, Exact())

// deaf ignores its context for an hour.
var deaf = Define("deaf", func(context.Context, int) (int, error) { time.Sleep(time.Hour); return 0, nil })

// A task that ignores its context costs its worker after the grace, and the pool is
// whole.
func TestATaskThatIgnoresItsContextCostsItsWorker(t *testing.T) {
	p := openPool(t, Options{Procs: 1, CancelGrace: 50 * time.Millisecond})
	for name, call := range map[string]func() error{
		"cancel": func() error {
			ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
			defer cancel()
			_, err := Call(ctx, p, deaf, 0)
			if errors.Is(err, context.DeadlineExceeded) {
				err = nil
			}
			return err
		},
		"timeout": func() error {
			_, err := Call(t.Context(), p, deaf, 0, Timeout(20*time.Millisecond), Retries(0))
			if late := (*TimeoutError)(nil); errors.As(err, &late) && late.PID != 0 {
				err = nil
			}
			return err
		},
	} {
		before := pids(t, p)
		if err := call(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		p.whole(t) // waits for the next worker
		if after := pids(t, p); slices.Equal(before, after) {
			t.Errorf("%s: process %v goes on", name, after)
		}
	}
}

// What others have with a worker that is lost for a cancelled task is not charged
// for it, and done by another.
func TestACancelledTaskIsChargedToNobodyElse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		system := newFakeSystem(func(w *fakeWorker) exitStatus {
			return w.Work(func(r fakeRequest) fakeJob {
				if r.Task == deaf.Spec().Name {
					return fakeJob{Takes: time.Hour, Ignores: true}
				}
				return fakeJob{Takes: 10 * time.Millisecond}
			})
		})
		p := system.open(t, Options{Procs: 1, Retries: -1})
		defer p.Close()
		p.checkNowAndThen(t, 7*time.Millisecond)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		var calls sync.WaitGroup
		calls.Go(func() { Call(ctx, p, deaf, 0, Retries(2)) })
		time.Sleep(time.Millisecond)
		for _, opts := range [][]CallOption{{Retries(0)}, {Retries(2)}, {Retries(0), Prefetch(5)}, {Retries(-1)}} {
			calls.Go(func() {
				begin := time.Now()
				for r, err := range MapUnordered(t.Context(), p, nap, slices.Values(slices.Repeat([]int{1}, 10)), opts...) {
					if err != nil || r.Attempts != 1 {
						t.Errorf("%d attempts, %v", r.Attempts, err)
					}
				}
				if took := time.Since(begin); took > 4*time.Second { // a second, the grace, and 40 x 10 ms
					t.Errorf("took %v", took)
				}
			})
		}
		calls.Wait()
		if n := system.Starts(0); n != 2 || len(system.of(ChunkRetried)) > 0 || len(system.of(WorkerLost)) > 0 {
			t.Errorf("%d processes, retried %v, lost %v", n, system.of(ChunkRetried), system.of(WorkerLost))
		}
	})
}

// Stuck workers do not live on because callers come and give up behind them.
func TestAStuckWorkerIsReplacedWhateverComesAfter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		system := newFakeSystem(func(w *fakeWorker) exitStatus {
			return w.Work(func(r fakeRequest) fakeJob {
				return fakeJob{Takes: time.Hour, Ignores: w.Start == 0}
			})
		})
		p := system.open(t, Options{Procs: 1})
		defer p.Close()
		for range 20 {
			ctx, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
			Call(ctx, p, nap, 1)
			cancel()
		}
		if system.Starts(0) != 2 {
			t.Errorf("%d processes", system.Starts(0))
		}
	})
}
