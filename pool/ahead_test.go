package pool

import (
	"context"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// A gauge is how many of something there are now, and were at most.
type gauge struct{ now, most atomic.Int64 }

func (g *gauge) add(n int64) {
	now := g.now.Add(n)
	for most := g.most.Load(); now > most && !g.most.CompareAndSwap(most, now); most = g.most.Load() {
	}
}

// Large inputs run at once, one a worker, however few of them fit into AheadBytes:
// what is being computed does not count.
func TestLargeInputsRunAtOnce(t *testing.T) {
	for _, c := range []struct{ workers, inputs, size int }{{4, 4, 70 << 10}, {4, 12, 70 << 10}, {16, 16, 10 << 10}} {
		synctest.Test(t, func(t *testing.T) {
			var running gauge
			system := newFakeSystem(func(w *fakeWorker) exitStatus {
				return w.Work(func(fakeRequest) fakeJob {
					running.add(1)
					return fakeJob{Takes: 2 * time.Second, Value: encoded(1), Ended: func(time.Duration) { running.add(-1) }}
				})
			})
			p := system.open(t, Options{Procs: c.workers})
			defer p.Close()
			begin := time.Now()
			inputs := slices.Values(slices.Repeat([][]byte{make([]byte, c.size)}, c.inputs))
			for _, err := range MapUnordered(t.Context(), p, length, inputs, AheadBytes(64<<10)) {
				if err != nil {
					t.Error(err)
				}
			}
			ideal := time.Duration((c.inputs+c.workers-1)/c.workers) * 2 * time.Second
			if took := time.Since(begin); running.most.Load() != int64(c.workers) || took > ideal+100*time.Millisecond {
				t.Errorf("%d inputs of %d KiB on %d workers: %d ran at once, %v instead of %v", c.inputs, c.size>>10, c.workers, running.most.Load(), took, ideal)
			}
		})
	}
}

// blockable waits until it may go on.
var (
	blockable = Define("blockable", func(ctx context.Context, b []byte) ([]byte, error) {
		select {
		case <-goOn:
		case <-ctx.Done():
		}
		return b, ctx.Err()
	})
	goOn = make(chan struct{}) // never closed, so that only a context lets it go on
)

// pulled ranges over a map whose tasks block and whose source never ends, and
// returns how many inputs were pulled: at least as many as are said, or it hangs.
func pulled(t *testing.T, p *Pool, size int, least int64, opts ...CallOption) int64 {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var n atomic.Int64
	var ranging sync.WaitGroup
	ranging.Go(func() {
		for range Map(ctx, p, blockable, func(yield func([]byte) bool) {
			for n.Add(1); yield(make([]byte, size)); n.Add(1) {
			}
		}, opts...) {
		}
	})
	for begin := time.Now(); n.Load() < least && time.Since(begin) < limit; {
		time.Sleep(time.Millisecond)
	}
	time.Sleep(20 * time.Millisecond) // for those that are too many
	cancel()
	ranging.Wait()
	return n.Load()
}

// A source is asked for as many inputs as Ahead and AheadBytes allow, in every
// backend, and one that waits in the hand for room.
func TestAheadBoundsWhatIsPulled(t *testing.T) {
	for _, backend := range []Backend{Processes, Goroutines} {
		p := openPool(t, Options{Procs: 2, Backend: backend})
		for _, c := range []struct {
			size        int
			least, most int64
			opts        []CallOption
		}{
			{10, 1 + 1, 1 + 1, []CallOption{Ahead(1)}},
			{10, 7 + 1, 7 + 1, []CallOption{Ahead(7)}},
			{10, 1024 + 1, 1024 + 1, nil},
			{1 << 20, 64, 64 + 6, nil},                                     // 64 MiB wait, and 4 at most are with workers
			{10 << 10, 10, 10 + 6, []CallOption{AheadBytes(100 << 10)}},    // likewise
			{100 << 10, 2 + 1 + 1, 2 + 1 + 4, []CallOption{AheadBytes(1)}}, // one for each worker, and one to spare
			{1 << 10, 20 + 1, 20 + 1, []CallOption{AheadBytes(1e9), Ahead(20)}},
		} {
			if n := pulled(t, p, c.size, c.least, c.opts...); n < c.least || n > c.most {
				t.Errorf("%s: %d inputs of %d bytes were pulled, not %d to %d", backend, n, c.size, c.least, c.most)
			}
		}
		p.whole(t)
	}
}

// Whoever takes no outputs is not given more of them than AheadBytes allows, and not
// more than some thousand small ones.
func TestOutputsThatNobodyTakesAreBounded(t *testing.T) {
	for _, ordered := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			var begun atomic.Int64
			size := 0
			system := newFakeSystem(func(w *fakeWorker) exitStatus {
				return w.Work(func(fakeRequest) fakeJob {
					begun.Add(1)
					return fakeJob{Takes: time.Millisecond, Value: encoded(make([]byte, size))}
				})
			})
			p := system.open(t, Options{Procs: 2})
			defer p.Close()
			for _, c := range []struct {
				size int
				most int64
				opts []CallOption
			}{{0, 1100, []CallOption{Ahead(16)}}, {10 << 10, 40, []CallOption{AheadBytes(100 << 10)}}} {
				size = c.size
				begun.Store(0)
				consume := func(err error) bool {
					if err != nil {
						t.Error(err)
					}
					time.Sleep(time.Hour) // while the workers do what they may
					return false
				}
				if ordered {
					Map(t.Context(), p, blow, endlessly(1), c.opts...)(func(_ []byte, err error) bool { return consume(err) })
				} else {
					MapUnordered(t.Context(), p, blow, endlessly(1), c.opts...)(func(_ Result[[]byte], err error) bool { return consume(err) })
				}
				if n := begun.Load(); n > c.most || n < 8 {
					t.Errorf("ordered %v: %d outputs of %d bytes were computed for nobody, at most %d should be", ordered, n, c.size, c.most)
				}
			}
			if err := p.check(); err != nil {
				t.Error(err)
			}
		})
	}
}

// A parcel is an input that can be seen to be freed.
type parcel struct {
	First bool
	Bytes []byte
}

var weigh = Define("weigh", func(ctx context.Context, p *parcel) (int, error) {
	if p.First {
		<-ctx.Done()
	}
	return len(p.Bytes), nil
})

// In this process an input is freed when it is done, though its output waits for
// that of an earlier one.
func TestDoneInputsAreFreed(t *testing.T) {
	p := openPool(t, Options{Procs: 2, Backend: Goroutines})
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	const n = 40
	var freed atomic.Int64
	var ranging sync.WaitGroup
	ranging.Go(func() {
		for _, err := range Map(ctx, p, weigh, func(yield func(*parcel) bool) {
			for i := range n {
				in := &parcel{i == 0, make([]byte, 1<<16)}
				runtime.AddCleanup(in, func(struct{}) { freed.Add(1) }, struct{}{})
				if !yield(in) {
					return
				}
			}
		}) {
			if err != nil && ctx.Err() == nil {
				t.Error(err)
			}
		}
	})
	for begin := time.Now(); freed.Load() < n-3; time.Sleep(time.Millisecond) {
		runtime.GC()
		if time.Since(begin) > limit {
			t.Fatalf("%d of %d inputs were freed", freed.Load(), n-1)
		}
	}
	cancel()
	ranging.Wait()
}
