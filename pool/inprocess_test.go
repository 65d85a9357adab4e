package pool

import (
	"context"
	"errors"
	"runtime"
	"sync"
	"testing"
	"time"

	"procpool/ipc"
	"procpool/task"
)

// quits ends its goroutine on input 3.
var quits = task.Define("quits", func(_ context.Context, n int) (int, error) {
	if n == 3 {
		runtime.Goexit()
	}
	return n, nil
})

func numbers(n int) func(func(int) bool) {
	return func(yield func(int) bool) {
		for i := 0; i < n && yield(i); i++ {
		}
	}
}

// A task that ends its goroutine fails its own input and no other.
func TestGoexitFailsItsInputAlone(t *testing.T) {
	for _, backend := range []Backend{Goroutines, Threads} {
		p := openPool(t, Options{Procs: 1, Backend: backend})
		i := 0
		for out, err := range Map(t.Context(), p, quits, numbers(10)) {
			var failed *TaskError
			switch {
			case i == 3 && (!errors.As(err, &failed) || failed.Input.Index != 3):
				t.Errorf("%s: input 3: %v, %v", backend, out, err)
			case i != 3 && (err != nil || out != i):
				t.Errorf("%s: input %d: %v, %v", backend, i, out, err)
			}
			i++
		}
		if i != 10 {
			t.Errorf("%s: %d outputs of 10 inputs", backend, i)
		}
	}
}

var slow = task.DefineSum("slow", func(ctx context.Context, iv ipc.Interval) (int64, error) {
	select {
	case <-ctx.Done():
	case <-time.After(time.Millisecond):
	}
	return iv.Len(), ctx.Err()
}, func(a, b int64) int64 { return a + b }, task.Exact())

// Several sums at once are each right, also where consumers do the work
// themselves, and also while others break off.
func TestSumsAtOnceInThisProcess(t *testing.T) {
	for _, backend := range []Backend{Goroutines, Threads, Serial} {
		p := openPool(t, Options{Procs: 2, Backend: backend, ChunkSize: 10})
		if backend == Serial {
			p = openPool(t, Options{Backend: backend, ChunkSize: 10})
		}
		var sums sync.WaitGroup
		for i := range 8 {
			sums.Go(func() {
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				if i%2 == 1 {
					time.AfterFunc(time.Duration(5*i)*time.Millisecond, cancel)
				}
				got, err := Sum(ctx, p, slow, ipc.Interval{End: 1000})
				if err == nil && got != 1000 || err != nil && i%2 == 0 {
					t.Errorf("%s: %v, %v", backend, got, err)
				}
			})
		}
		sums.Wait()
	}
}

// Close from another goroutine ends a sum in the middle of a chunk.
func TestCloseInTheMiddleOfAChunk(t *testing.T) {
	for _, backend := range backends {
		p := openPool(t, Options{Backend: backend, ChunkSize: 10})
		time.AfterFunc(30*time.Millisecond, func() { p.Close() })
		if _, err := Sum(t.Context(), p, slow, ipc.Interval{End: 1e9}); !errors.Is(err, ErrClosed) {
			t.Errorf("%s: %v", backend, err)
		}
	}
}

// The end of its context closes a pool, also while it is being made.
func TestThePoolsContextClosesIt(t *testing.T) {
	for _, backend := range backends {
		for i := range 100 {
			if backend == Processes && i == 10 {
				break
			}
			ctx, cancel := context.WithCancel(t.Context())
			go cancel()
			p, err := New(ctx, Options{Procs: 2, Backend: backend, ChunkSize: 10})
			if errors.Is(err, context.Canceled) {
				continue
			}
			if err != nil {
				t.Fatal(err)
			}
			<-ctx.Done()
			if _, err := Sum(t.Context(), p, slow, ipc.Interval{End: 1e9}); !errors.Is(err, context.Canceled) && !errors.Is(err, ErrClosed) {
				t.Errorf("%s: %v", backend, err)
			}
			p.Close()
		}
	}
}
