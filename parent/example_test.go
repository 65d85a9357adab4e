package parent_test

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
	"procpool/parent"
	"procpool/task"
)

// A program defines its tasks at package level, and calls child.Main as the
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

func open(o parent.Options) *parent.Pool {
	pool, err := parent.NewPool(context.Background(), o)
	if err != nil {
		panic(err)
	}
	return pool
}

func Example() {
	ctx := context.Background()
	pool, err := parent.NewPool(ctx, parent.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer pool.Close()
	for out, err := range parent.Map(ctx, pool, square, slices.Values([]int{1, 2, 3})) {
		fmt.Println(out, err)
	}
	// Output:
	// 1 <nil>
	// 4 <nil>
	// 9 <nil>
}

// A failed input does not end the map.
func ExampleMap() {
	pool := open(parent.Options{Procs: 2})
	defer pool.Close()
	for out, err := range parent.Map(context.Background(), pool, fetch, slices.Values([]string{"one", "broken", "three"})) {
		fmt.Println(out, err)
	}
	// Output:
	// 3 <nil>
	// 0 example-fetch of input 1: no such page
	// 5 <nil>
}

// An endless sequence is taken no further than the range needs.
func ExampleMap_endless() {
	pool := open(parent.Options{Procs: 2})
	defer pool.Close()
	numbers := func(yield func(int) bool) {
		for i := 0; yield(i); i++ {
		}
	}
	for out := range parent.Map(context.Background(), pool, square, numbers) {
		if out > 20 {
			fmt.Println(out)
			break
		}
	}
	// Output: 25
}

func ExampleMapUnordered() {
	pool := open(parent.Options{Procs: 2})
	defer pool.Close()
	for out, err := range parent.MapUnordered(context.Background(), pool, square, slices.Values([]int{1, 2, 3})) {
		fmt.Println(out, err)
	}
	// Unordered output:
	// 9 <nil>
	// 1 <nil>
	// 4 <nil>
}

func ExampleReduce() {
	pool := open(parent.Options{Procs: 2})
	defer pool.Close()
	words := slices.Values([]string{"one", "three", "eleven"})
	longest, err := parent.Reduce(context.Background(), pool, fetch, words, 0, func(most, n int) (int, error) { return max(most, n), nil })
	fmt.Println(longest, err)
	// Output: 6 <nil>
}

func ExampleSum() {
	pool := open(parent.Options{Procs: 3})
	defer pool.Close()
	n, err := parent.Sum(context.Background(), pool, count, ipc.Interval{Start: 10, End: 1000000})
	fmt.Println(n, err)
	// Output: 999990 <nil>
}

// The same code runs without processes, for debugging and for comparing.
func ExampleBackend() {
	for _, backend := range []parent.Backend{parent.Processes, parent.Goroutines, parent.Serial} {
		pool := open(parent.Options{Backend: backend, Procs: 2})
		n, err := parent.Sum(context.Background(), pool, count, ipc.Interval{End: 1000})
		fmt.Println(backend, n, err)
		pool.Close()
	}
	// Output:
	// processes 1000 <nil>
	// goroutines 1000 <nil>
	// serial 1000 <nil>
}

func ExampleNewPool() {
	_, err := parent.NewPool(context.Background(), parent.Options{Procs: -1})
	var refused *parent.OptionsError
	fmt.Println(errors.As(err, &refused), err)
	// Output: true -1 workers: there can be 1 to 4096
}

// Workers that crash, hang or leak, kept within bounds.
func ExampleOptions() {
	pool := open(parent.Options{
		Procs:             2,
		Retries:           -1,          // an input that kills its worker is not tried again
		Timeout:           time.Minute, // an input that takes longer loses its worker
		MaxChunksPerChild: 1000,        // a fresh process now and then
		MaxRSS:            1 << 30,     // or when it has grown to 1 GiB
		GOMEMLIMIT:        512 << 20,   // and its collector tries hard to stay at half of that
		Env:               []string{"LANG=C"},
	})
	defer pool.Close()
	for out, err := range parent.Map(context.Background(), pool, fetch, slices.Values([]string{"one"})) {
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
	pool := open(parent.Options{Procs: 1, Retries: 1, OnEvent: func(e parent.Event) {
		switch e.Kind {
		case parent.ChunkFinished:
			log.Info("finished", "worker", e.Worker, "input", e.Input, "seconds", e.Seconds)
		case parent.WorkerLost, parent.ChunkRetried, parent.WorkerGivenUp:
			log.Warn(string(e.Kind), "worker", e.Worker, "err", e.Err)
		}
	}})
	for _, input := range []string{"one", "fatal"} {
		for range parent.Map(context.Background(), pool, fetch, slices.Values([]string{input})) {
		}
	}
	pool.Close()
	// Output:
	// level=INFO msg=finished worker=0 input="example-fetch of input 0"
	// level=WARN msg=lost worker=0
	// level=WARN msg=retried worker=0
	// level=WARN msg=lost worker=0
}

func ExampleTaskError() {
	pool := open(parent.Options{Procs: 1})
	defer pool.Close()
	for _, err := range parent.Map(context.Background(), pool, fetch, slices.Values([]string{"one", "broken"})) {
		var failed *parent.TaskError
		if errors.As(err, &failed) {
			fmt.Printf("input %d: %s\n", failed.Input.Index, failed.Err.Text)
		}
	}
	// Output: input 1: no such page
}

func ExampleLostWorkerError() {
	pool := open(parent.Options{Procs: 1, Retries: 1})
	defer pool.Close()
	for _, err := range parent.Map(context.Background(), pool, fetch, slices.Values([]string{"fatal", "two"})) {
		var lost *parent.LostWorkerError
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
	pool := open(parent.Options{Procs: 1, Retries: -1, Timeout: 300 * time.Millisecond})
	defer pool.Close()
	for _, err := range parent.Map(context.Background(), pool, fetch, slices.Values([]string{"endless"})) {
		var late *parent.TimeoutError
		fmt.Println(errors.As(err, &late), late.Limit, late.Input)
	}
	// Output: true 300ms example-fetch of input 0
}

func ExampleInputError() {
	pool := open(parent.Options{Procs: 1, MaxMessage: 1 << 20})
	defer pool.Close()
	for _, err := range parent.Map(context.Background(), pool, fetch, slices.Values([]string{strings.Repeat("x", 2<<20)})) {
		var input *parent.InputError
		fmt.Println(errors.As(err, &input), err)
	}
	// Output: true example-fetch of input 0: the input of 2097157 bytes is over the limit of 1048576 bytes a message
}

func ExamplePool_Close() {
	pool := open(parent.Options{Procs: 1})
	pool.Close()
	for _, err := range parent.Map(context.Background(), pool, square, slices.Values([]int{1})) {
		fmt.Println(err, errors.Is(err, parent.ErrClosed))
	}
	// Output: the pool is closed true
}

// A run by a task's name, cut finely, with a word on every chunk.
func ExamplePool_Run() {
	pool := open(parent.Options{Procs: 2, ChunkSize: 400})
	defer pool.Close()
	spec, _ := task.Lookup("example-count")
	outcome, err := pool.Run(context.Background(), parent.Run{
		Task:  spec,
		Whole: ipc.Interval{End: 1000},
		OnChunk: func(c parent.Chunk) error {
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
	pool := open(parent.Options{Procs: 3, Backend: parent.Goroutines})
	defer pool.Close()
	fmt.Println(slices.Collect(pool.Grid(count.Spec(), ipc.Interval{End: 100}).All()))
	// Output: [[0, 33) [33, 66) [66, 100)]
}

func ExamplePool_Stats() {
	pool := open(parent.Options{Procs: 1})
	for range parent.Map(context.Background(), pool, square, slices.Values([]int{1, 2, 3})) {
	}
	pool.Close() // a process's account is complete when it has ended
	for _, s := range pool.Stats() {
		fmt.Println(s.Worker, s.Chunks, s.Restarts, s.PID > 0, s.UserSeconds+s.SystemSeconds > 0)
	}
	// Output: 0 3 0 true true
}

func ExampleRoundUp() {
	fmt.Println(parent.RoundUp(1000, 256), parent.RoundUp(1024, 256))
	// Output: 1024 1024
}
