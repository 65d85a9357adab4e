package pool_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
	"syscall"
	"time"

	"procpool/pool"
)

// The examples of docs/from-python.md on the end of a pool.

// Close waits for every process.
func Example_contextManager() {
	worker := 0
	func() {
		p := open(pool.Options{Procs: 1})
		defer p.Close()
		worker, _ = pool.Call(context.Background(), p, pid, 0)
	}()
	process, err := os.FindProcess(worker)
	gone := err != nil || process.Signal(syscall.Signal(0)) != nil
	fmt.Println(worker > 0, gone)
	// Output: true true
}

// Close ends calls in progress.
func Example_terminate() {
	begun := make(chan bool)
	p := open(pool.Options{Procs: 1, LogLine: func(int, []byte) { begun <- true }})
	f := submit(context.Background(), p, untilCancelled, "a")
	<-begun
	p.Close()
	<-f.done
	fmt.Println(f.err, errors.Is(f.err, pool.ErrClosed))
	// Output: the pool is closed true
}

// slowly says on standard error that it has begun, and takes a while.
var slowly = pool.Define("python-slowly", func(_ context.Context, n int) (int, error) {
	fmt.Fprintln(os.Stderr, "begun")
	time.Sleep(20 * time.Millisecond)
	return n * n, nil
})

// Shutdown takes no new calls, and waits for those in progress.
func Example_closeJoin() {
	begun := make(chan bool)
	p := open(pool.Options{Procs: 1, LogLine: func(int, []byte) { begun <- true }})
	f := submit(context.Background(), p, slowly, 3)
	<-begun
	fmt.Println(p.Shutdown(context.Background()))
	<-f.done
	fmt.Println(f.value, f.err)
	// Output:
	// <nil>
	// 9 <nil>
}

func Example_shutdownNoWait() {
	begun := make(chan bool)
	p := open(pool.Options{Procs: 1, LogLine: func(int, []byte) { begun <- true }})
	f := submit(context.Background(), p, slowly, 3)
	<-begun
	ended := make(chan error, 1)
	go func() { ended <- p.Shutdown(context.Background()) }()
	<-f.done
	fmt.Println(f.value, f.err)
	fmt.Println(<-ended)
	// Output:
	// 9 <nil>
	// <nil>
}

// When the time is over the pool is closed, whatever runs.
func Example_joinTimeout() {
	begun := make(chan bool)
	p := open(pool.Options{Procs: 1, LogLine: func(int, []byte) { begun <- true }})
	f := submit(context.Background(), p, untilCancelled, "a")
	<-begun
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Millisecond)
	defer cancel()
	fmt.Println(p.Shutdown(ctx))
	<-f.done
	fmt.Println(f.err)
	// Output:
	// context deadline exceeded
	// the pool is closed
}

// What has not been taken from a map's inputs is not computed when they end. What was
// taken is: Ahead says how much.
func Example_cancelFutures() {
	p := open(pool.Options{Procs: 2})
	stop := make(chan struct{})
	inputs := func(yield func(int) bool) {
		for n := 0; ; n++ {
			select {
			case <-stop:
				return
			default:
				if !yield(n) {
					return
				}
			}
		}
	}
	for n, err := range pool.Map(context.Background(), p, square, inputs, pool.Ahead(2)) {
		if n == 9 || err != nil {
			close(stop)
			fmt.Println(n, err)
		}
	}
	fmt.Println(p.Shutdown(context.Background()))
	// Output:
	// 9 <nil>
	// <nil>
}

// connection is opened at the first input that needs it, and closed with the worker.
var connection = sync.OnceValue(func() string {
	pool.OnExit(func() { fmt.Fprintln(os.Stderr, "disconnected") })
	return "connected"
})

var connect = pool.Define("python-connect", func(context.Context, int) (string, error) { return connection(), nil })

func Example_workerExit() {
	p := open(pool.Options{Procs: 1, LogLine: func(_ int, line []byte) { fmt.Println(string(line)) }})
	fmt.Println(pool.Call(context.Background(), p, connect, 0))
	p.Close()
	// Output:
	// connected <nil>
	// disconnected
}

var neverExit = pool.Define("python-never-exit", func(context.Context, int) (int, error) {
	pool.OnExit(func() { select {} })
	return 0, nil
})

// A worker that takes longer than Grace to end is killed.
func Example_workerExitTimeout() {
	p := open(pool.Options{Procs: 1, Grace: 50 * time.Millisecond, Stderr: io.Discard})
	pool.Call(context.Background(), p, neverExit, 0)
	fmt.Println(p.Close())
	// Output: <nil>
}
