package pool_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"procpool/pool"
)

// The examples of docs/from-python.md on starting a pool. That page has a row for
// each example of the files example_python_*_test.go.

func Example_open() {
	p, err := pool.New(context.Background(), pool.Options{Procs: 4})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer p.Close()
	fmt.Println(p.Procs())
	// Output: 4
}

func Example_cpuCount() {
	limits, err := pool.Options{}.Limits() // limits.All has every limit that was found
	p := open(pool.Options{})
	defer p.Close()
	fmt.Println(p.Procs() == limits.Procs, limits.DecidedBy != "", err)
	// Output: true true <nil>
}

type scaling struct{ Factor, N int }

var scale = pool.Define("python-scale", func(_ context.Context, in scaling) (int, error) { return in.Factor * in.N, nil })

// A worker has the tasks that are defined at package level. What a closure would
// capture travels in the input.
func Example_closure() {
	p := open(pool.Options{Procs: 1})
	defer p.Close()
	ctx, factor := context.Background(), 3

	closure := pool.Define("python-closure", func(_ context.Context, n int) (int, error) { return factor * n, nil })
	_, err := pool.Call(ctx, p, closure, 2)
	fmt.Println(err)

	fmt.Println(pool.Call(ctx, p, scale, scaling{factor, 2}))
	// Output:
	// task "python-closure" is defined too late: workers know only tasks that are defined at package level, before pool.Main runs
	// 6 <nil>
}

var level int // of this worker; the initializer sets it

func init() {
	pool.OnStart(func(ctx context.Context) (err error) {
		if text, ok := os.LookupEnv("EXAMPLE_LEVEL"); ok {
			level, err = strconv.Atoi(text)
		}
		if os.Getenv("EXAMPLE_MODEL") == "huge" {
			time.Sleep(time.Hour) // to load it
		}
		return err
	})
}

var readLevel = pool.Define("python-level", func(context.Context, int) (int, error) { return level, nil })

// The initializer runs in every worker of every pool. Its arguments are the
// environment of the pool's workers.
func Example_initializer() {
	p := open(pool.Options{Procs: 2, Env: []string{"EXAMPLE_LEVEL=7"}})
	defer p.Close()
	fmt.Println(pool.Call(context.Background(), p, readLevel, 0))
	// Output: 7 <nil>
}

func Example_initializerError() {
	p := open(pool.Options{Procs: 1, Env: []string{"EXAMPLE_LEVEL=high"}, Stderr: io.Discard})
	defer p.Close()
	err := p.Ready(context.Background())
	var start *pool.StartError
	fmt.Println(errors.As(err, &start), strings.Contains(err.Error(), `parsing "high": invalid syntax`))
	// Output: true true
}

func Example_workerInitTimeout() {
	p := open(pool.Options{Procs: 1, Env: []string{"EXAMPLE_MODEL=huge"}, StartupTimeout: 100 * time.Millisecond})
	defer p.Close()
	err := p.Ready(context.Background())
	var silence *pool.SilenceError
	fmt.Println(errors.As(err, &silence))
	// Output: true
}

func Example_workersReady() {
	p := open(pool.Options{Procs: 2})
	defer p.Close()
	fmt.Println(p.Ready(context.Background())) // a worker has run its OnStart functions
	// Output: <nil>
}

var greeting = "hello"

var greet = pool.Define("python-greet", func(_ context.Context, name string) (string, error) { return greeting + " " + name, nil })

// Workers are started, never forked: what the parent does to its variables does not
// reach them.
func Example_startMethod() {
	greeting = "goodbye"
	defer func() { greeting = "hello" }()
	p := open(pool.Options{Procs: 1})
	defer p.Close()
	fmt.Println(pool.Call(context.Background(), p, greet, "Ada"))
	// Output: hello Ada <nil>
}

// On goroutines there is nothing to start, and memory is shared.
func Example_threads() {
	greeting = "goodbye"
	defer func() { greeting = "hello" }()
	p := open(pool.Options{Procs: 2, Backend: pool.Goroutines})
	defer p.Close()
	fmt.Println(pool.Call(context.Background(), p, greet, "Ada"))
	// Output: goodbye Ada <nil>
}

var pid = pool.Define("python-pid", func(context.Context, int) (int, error) { return os.Getpid(), nil })

// A pool keeps its workers from call to call.
func Example_keepAlive() {
	p := open(pool.Options{Procs: 1})
	defer p.Close()
	first, _ := pool.Call(context.Background(), p, pid, 0)
	second, _ := pool.Call(context.Background(), p, pid, 0)
	fmt.Println(first == second, first != os.Getpid())
	// Output: true true
}

var getenv = pool.Define("python-getenv", func(_ context.Context, key string) (string, error) { return os.Getenv(key), nil })

func Example_env() {
	p := open(pool.Options{Procs: 1, Env: []string{"OPENBLAS_NUM_THREADS=1"}})
	defer p.Close()
	fmt.Println(pool.Call(context.Background(), p, getenv, "OPENBLAS_NUM_THREADS"))
	// Output: 1 <nil>
}

var getwd = pool.Define("python-getwd", func(context.Context, int) (string, error) { return os.Getwd() })

func Example_chdir() {
	p := open(pool.Options{Procs: 1, Dir: "../docs"})
	defer p.Close()
	dir, err := pool.Call(context.Background(), p, getwd, 0)
	fmt.Println(filepath.Base(dir), err)
	// Output: docs <nil>
}

// The squares of a row, by a pool of the worker's own.
var squareRow = pool.Define("python-square-row", func(ctx context.Context, row []int) ([]int, error) {
	p, err := pool.New(ctx, pool.Options{})
	if err != nil {
		return nil, err
	}
	defer p.Close()
	return pool.Collect(pool.Map(ctx, p, square, slices.Values(row)))
})

func Example_daemon() {
	p := open(pool.Options{Procs: 2})
	defer p.Close()
	for row, err := range pool.Map(context.Background(), p, squareRow, slices.Values([][]int{{1, 2}, {3, 4}})) {
		fmt.Println(row, err)
	}
	// Output:
	// [1 4] <nil>
	// [9 16] <nil>
}

// Idle workers are ended, and come back when there is work.
func Example_idleTimeout() {
	ended := make(chan int, 100)
	p := open(pool.Options{
		Procs: 2, IdleTimeout: 10 * time.Millisecond, MinProcs: 0,
		EventKinds: []pool.EventKind{pool.WorkerEnded}, OnEvent: func(e pool.Event) { ended <- e.Worker },
	})
	defer p.Close()
	fmt.Println(<-ended + <-ended) // workers 0 and 1
	fmt.Println(pool.Call(context.Background(), p, square, 3))
	// Output:
	// 1
	// 9 <nil>
}
