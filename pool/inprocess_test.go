package pool

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
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

// lasting ends when it must.
var lasting = task.DefineSum("lasting", func(ctx context.Context, iv ipc.Interval) (int64, error) {
	<-ctx.Done()
	return 0, ctx.Err()
}, func(a, b int64) int64 { return a + b }, task.Exact())

// The serial backend heeds a deadline, and the end of a stopped run's grace, also within
// a chunk: the task's context ends.
func TestASerialRunEndsWithinAChunk(t *testing.T) {
	for name, test := range map[string]struct {
		grace    time.Duration
		workload func(*Workload)
		want     error
		status   Status
	}{
		"deadline":       {time.Hour, func(w *Workload) { w.Deadline = time.Now().Add(20 * time.Millisecond) }, ErrDeadline, Deadline},
		"stop and grace": {time.Millisecond, func(w *Workload) { w.Stop = after(time.Now().Add(20 * time.Millisecond)) }, ErrStopped, Interrupted},
		"stop, then deadline": {time.Hour, func(w *Workload) {
			w.Stop, w.Deadline = after(time.Now()), time.Now().Add(20*time.Millisecond)
		}, nil, ""}, // whichever is seen first
	} {
		p := openPool(t, Options{Backend: Serial, ChunkSize: 10, Grace: test.grace})
		w := Workload{Task: lasting.Spec(), Whole: ipc.Interval{End: 100}}
		test.workload(&w)
		out, err := p.Run(t.Context(), w)
		switch {
		case test.want == nil && !errors.Is(err, ErrDeadline) && !errors.Is(err, ErrStopped),
			test.want != nil && (!errors.Is(err, test.want) || out.Status != test.status):
			t.Errorf("%s: %v, %v", name, out.Status, err)
		}
	}
}

// What ends the goroutine of OnEvent or LogLine ends the program, where the pool
// would otherwise hang.
func TestCallbacksOfThePoolsGoroutinesMustReturn(t *testing.T) {
	const env = "PROCPOOL_TEST_MUST_RETURN"
	leaves := map[string]func(){"panic": func() { panic("unsteady") }, "Goexit": runtime.Goexit}
	if callback, how, _ := strings.Cut(os.Getenv(env), " "); callback != "" {
		o := Options{Procs: 1}
		if callback == "OnEvent" {
			o.OnEvent = func(Event) { leaves[how]() }
		} else {
			o.LogLine = func(int, []byte) { leaves[how]() }
		}
		for range Map(t.Context(), openPool(t, o), speaks, numbers(1)) {
		}
		select {}
	}
	for test, says := range map[string]string{
		"OnEvent panic": "panic: unsteady", "OnEvent Goexit": "panic: OnEvent called runtime.Goexit",
		"LogLine panic": "panic: unsteady", "LogLine Goexit": "panic: LogLine called runtime.Goexit",
	} {
		cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^"+t.Name()+"$", "-test.timeout=60s")
		cmd.Env = append(os.Environ(), env+"="+test)
		if out, err := cmd.CombinedOutput(); err == nil || !strings.Contains(string(out), says) || strings.Contains(string(out), "timed out") {
			t.Errorf("%s: %v, want %q:\n%s", test, err, says, out)
		}
	}
}

// speaks writes to standard error.
var speaks = task.Define("speaks", func(_ context.Context, n int) (int, error) {
	fmt.Fprintln(os.Stderr, "spoken")
	return n, nil
})

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

// A lateSupply has its first chunk from the second time that it is asked: the source
// put it in between.
type lateSupply struct {
	*inputs
	asked int
}

func (s *lateSupply) more() bool {
	s.asked++
	return s.asked > 1 && s.inputs.more()
}

// An input that comes while the serial backend looks for one is computed.
func TestSerialTakesAnInputThatComesMeanwhile(t *testing.T) {
	p := openPool(t, Options{Backend: Serial})
	m, err := newMapCall(t.Context(), p, increment, true, nil)
	if err != nil {
		t.Fatal(err)
	}
	m.put(1)
	late := &lateSupply{inputs: m.inputs}
	m.call.supply = late
	if err := p.add(m.call); err != nil {
		t.Fatal(err)
	}
	defer m.close()
	late.asked = 0
	s := p.slots[0].executor.(*serial)
	for range 2 {
		s.step(m.call)
	}
	if len(m.call.finished) != 1 {
		t.Errorf("%d chunks are finished, not 1", len(m.call.finished))
	}
}
