package pool_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"slices"
	"strings"
	"time"

	"procpool/ipc"
	"procpool/pool"
	"procpool/task"
)

// A program defines its tasks at package level, and calls pool.Main as the
// first statement of main. In tests that is TestMain, as in this package.

var square = task.Define("example-square", func(_ context.Context, n int) (int, error) { return n * n, nil })

var fetch = task.Define("example-fetch", func(_ context.Context, name string) (int, error) {
	switch name {
	case "broken":
		return 0, errors.New("no such page")
	case "fatal":
		os.Exit(3)
	case "endless":
		select {}
	}
	return len(name), nil
})

var count = task.DefineSum("example-count", func(_ context.Context, iv ipc.Interval) (int64, error) { return iv.Len(), nil },
	func(a, b int64) int64 { return a + b }, task.Exact())

func open(o pool.Options) *pool.Pool {
	p, err := pool.New(context.Background(), o)
	if err != nil {
		panic(err)
	}
	return p
}

func Example() {
	ctx := context.Background()
	p, err := pool.New(ctx, pool.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer p.Close()
	for out, err := range pool.Map(ctx, p, square, slices.Values([]int{1, 2, 3})) {
		fmt.Println(out, err)
	}
	// Output:
	// 1 <nil>
	// 4 <nil>
	// 9 <nil>
}

// A failed input does not end the map.
func ExampleMap() {
	p := open(pool.Options{Procs: 2})
	defer p.Close()
	for out, err := range pool.Map(context.Background(), p, fetch, slices.Values([]string{"one", "broken", "three"})) {
		fmt.Println(out, err)
	}
	// Output:
	// 3 <nil>
	// 0 example-fetch of input 1: no such page
	// 5 <nil>
}

// An endless sequence is taken no further than the range needs.
func ExampleMap_endless() {
	p := open(pool.Options{Procs: 2})
	defer p.Close()
	numbers := func(yield func(int) bool) {
		for i := 0; yield(i); i++ {
		}
	}
	for out := range pool.Map(context.Background(), p, square, numbers) {
		if out > 20 {
			fmt.Println(out)
			break
		}
	}
	// Output: 25
}

func ExampleMapUnordered() {
	p := open(pool.Options{Procs: 2})
	defer p.Close()
	for out, err := range pool.MapUnordered(context.Background(), p, square, slices.Values([]int{1, 2, 3})) {
		fmt.Println(out.Index, out.Value, err)
	}
	// Unordered output:
	// 2 9 <nil>
	// 0 1 <nil>
	// 1 4 <nil>
}

func ExampleReduce() {
	p := open(pool.Options{Procs: 2})
	defer p.Close()
	words := slices.Values([]string{"one", "three", "eleven"})
	longest, err := pool.Reduce(context.Background(), p, fetch, words, 0, func(most, n int) (int, error) { return max(most, n), nil })
	fmt.Println(longest, err)
	// Output: 6 <nil>
}

func ExampleSum() {
	p := open(pool.Options{Procs: 3})
	defer p.Close()
	n, err := pool.Sum(context.Background(), p, count, ipc.Interval{Start: 10, End: 1000000})
	fmt.Println(n, err)
	// Output: 999990 <nil>
}

// The same code runs without processes, for debugging and for comparing.
func ExampleBackend() {
	for _, backend := range []pool.Backend{pool.Processes, pool.Goroutines, pool.Serial} {
		p := open(pool.Options{Backend: backend, Procs: 2})
		n, err := pool.Sum(context.Background(), p, count, ipc.Interval{End: 1000})
		fmt.Println(backend, n, err)
		p.Close()
	}
	// Output:
	// processes 1000 <nil>
	// goroutines 1000 <nil>
	// serial 1000 <nil>
}

func ExampleNew() {
	_, err := pool.New(context.Background(), pool.Options{Procs: -1})
	var refused *pool.OptionsError
	fmt.Println(errors.As(err, &refused), err)
	// Output: true -1 workers: there can be 1 to 4096
}

// Workers that crash, hang or leak, kept within bounds.
func ExampleOptions() {
	p := open(pool.Options{
		Procs:             2,
		Retries:           -1,          // an input that kills its worker is not tried again
		Timeout:           time.Minute, // an input that takes longer loses its worker
		MaxChunksPerChild: 1000,        // a fresh process now and then
		MaxRSS:            1 << 30,     // or when it has grown to 1 GiB
		GOMEMLIMIT:        512 << 20,   // and its collector tries hard to stay at half of that
		Env:               []string{"LANG=C"},
	})
	defer p.Close()
	for out, err := range pool.Map(context.Background(), p, fetch, slices.Values([]string{"one"})) {
		fmt.Println(out, err)
	}
	// Output: 3 <nil>
}

// What happens in a pool, as records of log/slog.
func ExampleEvent() {
	log := slog.New(slog.NewTextHandler(os.Stdout, &slog.HandlerOptions{ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
		if a.Key == slog.TimeKey || a.Key == "pid" || a.Key == "seconds" || a.Key == "err" {
			return slog.Attr{} // these differ from run to run
		}
		return a
	}}))
	p := open(pool.Options{Procs: 1, Retries: 1, OnEvent: func(e pool.Event) {
		switch e.Kind {
		case pool.ChunkFinished:
			log.Info("finished", "worker", e.Worker, "input", e.Input, "seconds", e.Seconds)
		case pool.WorkerLost, pool.ChunkRetried, pool.WorkerGivenUp:
			log.Warn(string(e.Kind), "worker", e.Worker, "err", e.Err)
		}
	}})
	for _, input := range []string{"one", "fatal"} {
		for range pool.Map(context.Background(), p, fetch, slices.Values([]string{input})) {
		}
	}
	p.Close()
	// Output:
	// level=INFO msg=finished worker=0 input="example-fetch of input 0"
	// level=WARN msg=lost worker=0
	// level=WARN msg=retried worker=0
	// level=WARN msg=lost worker=0
}

func ExampleTaskError() {
	p := open(pool.Options{Procs: 1})
	defer p.Close()
	for _, err := range pool.Map(context.Background(), p, fetch, slices.Values([]string{"one", "broken"})) {
		var failed *pool.TaskError
		if errors.As(err, &failed) {
			fmt.Printf("input %d: %s\n", failed.Input.Index, failed.Err.Text)
		}
	}
	// Output: input 1: no such page
}

func ExampleLostWorkerError() {
	p := open(pool.Options{Procs: 1, Retries: 1})
	defer p.Close()
	for _, err := range pool.Map(context.Background(), p, fetch, slices.Values([]string{"fatal", "two"})) {
		var lost *pool.LostWorkerError
		if errors.As(err, &lost) {
			fmt.Printf("input %d: exit code %d, %d workers\n", lost.Input.Index, lost.ExitCode, lost.Attempts)
			continue
		}
		fmt.Println(err)
	}
	// Output:
	// input 0: exit code 3, 2 workers
	// <nil>
}

func ExampleTimeoutError() {
	p := open(pool.Options{Procs: 1, Retries: -1, Timeout: 300 * time.Millisecond})
	defer p.Close()
	for _, err := range pool.Map(context.Background(), p, fetch, slices.Values([]string{"endless"})) {
		var late *pool.TimeoutError
		fmt.Println(errors.As(err, &late), late.Limit, late.Input)
	}
	// Output: true 300ms example-fetch of input 0
}

func ExampleInputError() {
	p := open(pool.Options{Procs: 1, MaxMessage: 1 << 20})
	defer p.Close()
	for _, err := range pool.Map(context.Background(), p, fetch, slices.Values([]string{strings.Repeat("x", 2<<20)})) {
		var input *pool.InputError
		fmt.Println(errors.As(err, &input), err)
	}
	// Output: true example-fetch of input 0: the input of 2097157 bytes is over the limit of 1048576 bytes a message
}

func ExamplePool_Close() {
	p := open(pool.Options{Procs: 1})
	p.Close()
	for _, err := range pool.Map(context.Background(), p, square, slices.Values([]int{1})) {
		fmt.Println(err, errors.Is(err, pool.ErrClosed))
	}
	// Output: the pool is closed true
}

// A run by a task's name, cut finely, with a word on every chunk.
func ExamplePool_Run() {
	p := open(pool.Options{Procs: 2, ChunkSize: 400})
	defer p.Close()
	spec, _ := task.Lookup("example-count")
	outcome, err := p.Run(context.Background(), pool.Workload{
		Task:  spec,
		Whole: ipc.Interval{End: 1000},
		OnChunk: func(c pool.Chunk) error {
			fmt.Println("chunk", c.Seq, c.Interval, c.Value())
			return nil
		},
	})
	fmt.Println(outcome.Status, outcome.Value, outcome.Covered, err)
	// Unordered output:
	// chunk 0 [0, 400) 400
	// chunk 1 [400, 800) 400
	// chunk 2 [800, 1000) 200
	// done 1000 [[0, 1000)] <nil>
}

func ExamplePool_Grid() {
	p := open(pool.Options{Procs: 3, Backend: pool.Goroutines})
	defer p.Close()
	fmt.Println(slices.Collect(p.Grid(count.Spec(), ipc.Interval{End: 100}).All()))
	// Output: [[0, 33) [33, 66) [66, 100)]
}

func ExamplePool_Stats() {
	p := open(pool.Options{Procs: 1})
	for range pool.Map(context.Background(), p, square, slices.Values([]int{1, 2, 3})) {
	}
	p.Close() // what a process used is complete when it has ended
	for _, s := range p.Stats() {
		fmt.Println(s.Worker, s.Chunks, s.Restarts, s.PID > 0, s.UserSeconds+s.SystemSeconds > 0)
	}
	// Output: 0 3 0 true true
}
