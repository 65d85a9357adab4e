package pool

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"procpool/ipc"
)

// withoutFinished are events that leave short inputs together: an event of each would
// cost more than a batch saves.
var withoutFinished = []EventKind{WorkerSpawned, WorkerStarted, ChunkRetried, WorkerLost, WorkerEnded, WorkerGivenUp}

// Whatever becomes of inputs that travel together, each has its own output, once and in
// order.
func TestBatchesInAStorm(t *testing.T) {
	for seed := range uint64(8) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) { // not in synctest: its timers crash the race detector of Go 1.26, golang/go#78156
			var mu sync.Mutex
			rng := rand.New(rand.NewPCG(seed, 5))
			random := func(n int) int {
				mu.Lock()
				defer mu.Unlock()
				return rng.IntN(n)
			}
			system := newFakeSystem(func(w *fakeWorker) exitStatus {
				return w.Work(func(r fakeRequest) fakeJob {
					job := fakeJob{Dies: random(2000) == 0, Ignores: random(500) == 0}
					switch random(300) {
					case 0:
						job.Takes = time.Duration(random(30)) * time.Millisecond
					case 1:
						job.Fails = "no"
					}
					var n int
					if err := ipc.DecodeValue(r.Arg, &n); err != nil || n != int(r.Options.Index) {
						t.Errorf("input %d is %d, %v", r.Options.Index, n, err)
					}
					return job
				})
			})
			p := system.open(t, Options{Procs: 3, CancelGrace: 20 * time.Millisecond, EventKinds: withoutFinished})
			defer p.Close()
			p.checkNowAndThen(t, 7*time.Millisecond)
			var calls sync.WaitGroup
			for i := range 4 {
				calls.Go(func() {
					var opts []CallOption
					if i%2 == 0 {
						opts = append(opts, Timeout(60*time.Millisecond))
					}
					const inputs = 3000
					seen := make([]bool, inputs)
					n, breaks := 0, i == 3
					check := func(index int, out int, err error) {
						var failed *TaskError
						var late *TimeoutError
						var lost *LostWorkerError
						switch {
						case index >= inputs || seen[index]:
							t.Errorf("call %d: output %d comes twice, or for no input", i, index)
							return
						case err == nil && out != index:
							t.Errorf("call %d: output %d is %d", i, index, out)
						case err != nil && !errors.As(err, &failed) && !errors.As(err, &late) && !errors.As(err, &lost):
							t.Errorf("call %d: output %d: %v", i, index, err)
						}
						if in, ok := InputOf(err); err != nil && (!ok || in.Index != int64(index)) {
							t.Errorf("call %d: the error of output %d is of %v: %v", i, index, in, err)
						}
						seen[index] = true
						n++
					}
					if i == 2 {
						for r, err := range MapUnordered(t.Context(), p, nap, upTo(inputs), opts...) {
							check(int(r.Index), r.Value, err)
						}
					} else {
						for out, err := range Map(t.Context(), p, nap, upTo(inputs), opts...) {
							if check(n, out, err); breaks && n == inputs/2 {
								break
							}
						}
					}
					if want := inputs; !breaks && n != want {
						t.Errorf("call %d: %d outputs of %d inputs", i, n, want)
					}
				})
			}
			calls.Wait()
			if n := system.Batched.Load(); n < 3000 {
				t.Errorf("only %d inputs were in batches", n)
			}
		})
	}
}

// Slow inputs that travel together with fast ones do not wait for each other while
// workers are idle.
func TestSlowInputsLeaveTheirBatch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		inputs := append(append(repeated(1000, 0), repeated(8, 500*usMilli)...), repeated(100, 0)...)
		system := newFakeSystem(napping())
		p := system.open(t, Options{Procs: 4, EventKinds: withoutFinished})
		defer p.Close()
		begin, n := time.Now(), 0
		for _, err := range Map(t.Context(), p, nap, inputsOf(inputs...)) {
			if n++; err != nil {
				t.Fatal(err)
			}
		}
		took := time.Since(begin)
		t.Logf("%v, and 1s at best; %d inputs in batches", took, system.Batched.Load())
		if n != len(inputs) || took > 1250*time.Millisecond {
			t.Errorf("%d of %d outputs in %v, where 1s is possible", n, len(inputs), took)
		}
	})
}

// MapUnordered says of each input of a batch how long it took.
func TestSecondsOfABatch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		system := newFakeSystem(napping())
		p := system.open(t, Options{Procs: 1, EventKinds: withoutFinished})
		defer p.Close()
		for r, err := range MapUnordered(t.Context(), p, nap, func(yield func(int) bool) {
			for i := 0; i < 2000; i++ {
				us := 0
				if i%100 == 99 {
					us = i
				}
				if !yield(us) {
					return
				}
			}
		}) {
			if want := float64(r.Value) / 1e6; err != nil || r.Seconds < want || r.Seconds > want+0.001 {
				t.Errorf("input %d took %v s, want %v: %v", r.Index, r.Seconds, want, err)
			}
		}
		if system.Batched.Load() == 0 {
			t.Error("nothing was in batches")
		}
	})
}

// unlucky does to a worker what its input says.
var unlucky = Define("unlucky", func(ctx context.Context, in unluckyInput) (int, error) {
	if n := Index(ctx); n != int64(in.N) {
		return 0, fmt.Errorf("its index is %d", n)
	}
	switch {
	case in.N%1000 == 7:
		return 0, errors.New("seven")
	case in.N%5000 == 13:
		panic("thirteen")
	case in.N%7000 == 99:
		if f, err := os.OpenFile(filepath.Join(in.Dir, fmt.Sprint(in.N)), os.O_CREATE|os.O_EXCL, 0o600); err == nil {
			f.Close()
			os.Exit(3)
		}
	case in.N == 15000:
		time.Sleep(100 * time.Millisecond)
	}
	return in.N, nil
})

type unluckyInput struct {
	N   int
	Dir string
}

// Batches of real workers: inputs that fail, panic or end their worker are the only ones
// to suffer.
func TestBatchesOfRealWorkers(t *testing.T) {
	p := openPool(t, Options{Procs: 2})
	dir, n := t.TempDir(), 0
	for out, err := range Map(t.Context(), p, unlucky, func(yield func(unluckyInput) bool) {
		for i := 0; i < 20000 && yield(unluckyInput{i, dir}); i++ {
		}
	}) {
		var failed *TaskError
		switch fails := n%1000 == 7 || n%5000 == 13; {
		case fails && (!errors.As(err, &failed) || failed.Input.Index != int64(n)):
			t.Errorf("input %d: %v", n, err)
		case !fails && (err != nil || out != n):
			t.Errorf("input %d: %d, %v", n, out, err)
		}
		n++
	}
	if n != 20000 {
		t.Errorf("%d outputs", n)
	}
	lost := 0
	for _, w := range p.Stats() {
		lost += int(w.Restarts)
	}
	if lost != 3 {
		t.Errorf("%d workers were lost, want 3", lost)
	}
	p.whole(t)
}

// An input that cannot be sent comes between those that can.
func TestBatchesWithInputsThatCannotBeSent(t *testing.T) {
	p := openPool(t, Options{Procs: 2})
	n := 0
	for out, err := range Map(t.Context(), p, echoAny, func(yield func(any) bool) {
		for i := 0; i < 5000; i++ {
			var in any = i
			if i%50 == 49 {
				in = struct{}{} // in an interface: refused
			}
			if !yield(in) {
				return
			}
		}
	}) {
		var refused *InputError
		if n%50 == 49 && (!errors.As(err, &refused) || refused.Input.Index != int64(n)) || n%50 != 49 && (err != nil || out != int64(n)) {
			t.Fatalf("input %d: %v, %v", n, out, err)
		}
		n++
	}
	if n != 5000 {
		t.Errorf("%d outputs", n)
	}
}

var echoAny = Define("echo-any", func(_ context.Context, in any) (any, error) { return in, nil })

// An early end in the middle of batches leaves the workers there, with nothing to do.
func TestBreakWithinABatch(t *testing.T) {
	p := openPool(t, Options{Procs: 2})
	var before []int
	for i := range 20 {
		n := 0
		for _, err := range Map(t.Context(), p, increment, endlessly(1)) {
			if n++; err != nil {
				t.Fatal(err)
			}
			if n == 300*(i+1) {
				break
			}
		}
		var pids []int
		for _, w := range p.Stats() {
			pids = append(pids, w.PID)
		}
		if i > 0 && !slices.Equal(pids, before) {
			t.Errorf("workers were replaced: %v, %v", before, pids)
		}
		before = pids
	}
	p.whole(t)
}
