package pool_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"procpool/pool"
)

// The examples of docs/from-python.md on one input, and on what is a future there.

func Example_apply() {
	p := open(pool.Options{Procs: 1})
	defer p.Close()
	fmt.Println(pool.Call(context.Background(), p, square, 3))
	// Output: 9 <nil>
}

type rect struct {
	Width  int
	Height int // 0 stands for the width: Go has no default arguments
}

var area = pool.Define("python-area", func(_ context.Context, r rect) (int, error) {
	if r.Height == 0 {
		r.Height = r.Width
	}
	return r.Width * r.Height, nil
})

// Several arguments are the fields of a struct.
func Example_kwds() {
	p := open(pool.Options{Procs: 1})
	defer p.Close()
	fmt.Println(pool.Call(context.Background(), p, area, rect{Width: 3}))
	// Output: 9 <nil>
}

// A future is a call on a goroutine of its own.
type future[Out any] struct {
	done  chan struct{} // closed when the call has returned
	value Out
	err   error
}

func submit[In, Out any](ctx context.Context, p *pool.Pool, t pool.Task[In, Out], in In) *future[Out] {
	f := &future[Out]{done: make(chan struct{})}
	go func() {
		defer close(f.done)
		f.value, f.err = pool.Call(ctx, p, t, in)
	}()
	return f
}

func Example_submit() {
	p := open(pool.Options{Procs: 2})
	defer p.Close()
	f := submit(context.Background(), p, square, 3)
	g := submit(context.Background(), p, fetch, "broken")
	<-f.done
	<-g.done
	fmt.Println(f.value, f.err)
	fmt.Println(g.value, g.err)
	// Output:
	// 9 <nil>
	// 0 example-fetch of input 0: no such page
}

// Without a type for futures: the goroutine sends what it got.
func Example_applyAsync() {
	p := open(pool.Options{Procs: 2})
	defer p.Close()
	result := make(chan int, 1)
	go func() {
		out, err := pool.Call(context.Background(), p, square, 3)
		if err != nil {
			fmt.Println(err)
		}
		result <- out
	}()
	fmt.Println(<-result)
	// Output: 9
}

// What is to be done with a result stands behind the call.
func Example_callback() {
	p := open(pool.Options{Procs: 1})
	defer p.Close()
	done := make(chan struct{})
	go func() {
		defer close(done)
		out, err := pool.Call(context.Background(), p, square, 3)
		if err != nil {
			fmt.Println("error_callback:", err)
			return
		}
		fmt.Println("callback:", out)
	}()
	<-done
	// Output: callback: 9
}

// untilCancelled says on standard error that it has begun, and ends when its context does.
var untilCancelled = pool.Define("python-until-cancelled", func(ctx context.Context, name string) (string, error) {
	fmt.Fprintln(os.Stderr, "begun")
	<-ctx.Done()
	return name, ctx.Err()
})

func Example_done() {
	p := open(pool.Options{Procs: 1, Stderr: io.Discard})
	defer p.Close()
	ctx, cancel := context.WithCancel(context.Background())
	f := submit(ctx, p, untilCancelled, "a")
	select {
	case <-f.done:
		fmt.Println("done")
	default:
		fmt.Println("not done")
	}
	cancel()
	<-f.done
	fmt.Println("done, successful:", f.err == nil)
	// Output:
	// not done
	// done, successful: false
}

// To wait for a while and leave the task running, select. It can be waited for again.
func Example_getTimeout() {
	p := open(pool.Options{Procs: 1, Stderr: io.Discard})
	defer p.Close()
	f := submit(context.Background(), p, untilCancelled, "a")
	select {
	case <-f.done:
		fmt.Println(f.value, f.err)
	case <-time.After(10 * time.Millisecond):
		fmt.Println("not yet")
	}
	// Output: not yet
}

// To give the task up as well, give the call's context the time.
func Example_getTimeoutCancel() {
	p := open(pool.Options{Procs: 1, Stderr: io.Discard})
	defer p.Close()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Millisecond)
	defer cancel()
	_, err := pool.Call(ctx, p, untilCancelled, "a")
	fmt.Println(err, errors.Is(err, context.DeadlineExceeded))
	// Output: context deadline exceeded true
}

func Example_cancel() {
	p := open(pool.Options{Procs: 1, Stderr: io.Discard})
	defer p.Close()
	ctx, cancel := context.WithCancel(context.Background())
	f := submit(ctx, p, untilCancelled, "a")
	cancel()
	<-f.done
	fmt.Println(errors.Is(f.err, context.Canceled))
	// Output: true
}

// A task that runs is cancelled, too. If it heeds its context within CancelGrace, its
// worker goes on.
func Example_cancelRunning() {
	begun := make(chan bool)
	p := open(pool.Options{Procs: 1, CancelGrace: time.Minute, LogLine: func(int, []byte) { begun <- true }})
	defer p.Close()
	before, _ := pool.Call(context.Background(), p, pid, 0)
	ctx, cancel := context.WithCancel(context.Background())
	f := submit(ctx, p, untilCancelled, "a")
	<-begun
	cancel()
	<-f.done
	after, _ := pool.Call(context.Background(), p, pid, 0)
	fmt.Println(f.err, before == after)
	// Output: context canceled true
}

// A process for each call, as pebble's decorators have it, is a pool whose workers
// are replaced after one input.
func Example_processPerCall() {
	p := open(pool.Options{Procs: 1, MaxChunksPerChild: 1})
	defer p.Close()
	first, _ := pool.Call(context.Background(), p, pid, 0)
	second, _ := pool.Call(context.Background(), p, pid, 0)
	fmt.Println(first == second)
	// Output: false
}
