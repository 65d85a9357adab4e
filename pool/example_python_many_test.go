package pool_test

import (
	"context"
	"fmt"
	"io"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"procpool/pool"
)

// The examples of docs/from-python.md on many inputs.

// Inputs are a sequence: slices.Values makes one of a slice, maps.Keys of a map, and
// a function that yields is a generator.
func Example_map() {
	p := open(pool.Options{Procs: 2})
	defer p.Close()
	squares, err := pool.Collect(pool.Map(context.Background(), p, square, slices.Values([]int{1, 2, 3})))
	fmt.Println(squares, err)
	// Output: [1 4 9] <nil>
}

func Example_imap() {
	p := open(pool.Options{Procs: 2})
	defer p.Close()
	for n, err := range pool.Map(context.Background(), p, square, slices.Values([]int{1, 2, 3})) {
		fmt.Println(n, err)
	}
	// Output:
	// 1 <nil>
	// 4 <nil>
	// 9 <nil>
}

// Each result says which input it is of.
func Example_imapUnordered() {
	p := open(pool.Options{Procs: 2})
	defer p.Close()
	in := []int{1, 2, 3}
	out := make([]int, len(in))
	for r, err := range pool.MapUnordered(context.Background(), p, square, slices.Values(in)) {
		if err != nil {
			fmt.Println(err)
			continue
		}
		out[r.Index] = r.Value
	}
	fmt.Println(out)
	// Output: [1 4 9]
}

func Example_starmap() {
	p := open(pool.Options{Procs: 2})
	defer p.Close()
	widths, heights := []int{2, 3}, []int{4, 5}
	zipped := func(yield func(rect) bool) {
		for i := range widths {
			if !yield(rect{widths[i], heights[i]}) {
				return
			}
		}
	}
	fmt.Println(pool.Collect(pool.Map(context.Background(), p, area, zipped)))
	// Output: [8 15] <nil>
}

// Several maps may run at once. They share the workers evenly.
func Example_mapAsync() {
	p := open(pool.Options{Procs: 2})
	defer p.Close()
	ctx := context.Background()
	var squares, areas []int
	var both sync.WaitGroup
	both.Go(func() { squares, _ = pool.Collect(pool.Map(ctx, p, square, slices.Values([]int{1, 2, 3}))) })
	both.Go(func() { areas, _ = pool.Collect(pool.Map(ctx, p, area, slices.Values([]rect{{Width: 4}, {Width: 5}}))) })
	both.Wait()
	fmt.Println(squares, areas)
	// Output: [1 4 9] [16 25]
}

var squareAll = pool.Define("python-square-all", func(_ context.Context, batch []int) ([]int, error) {
	for i, n := range batch {
		batch[i] = n * n
	}
	return batch, nil
})

// Short inputs travel together without being asked to. Where a task takes less than a
// tenth of a microsecond, batches of the program's own save more: it is called once for
// all of one. An error is then one of the whole batch.
func Example_chunksize() {
	p := open(pool.Options{Procs: 2})
	defer p.Close()
	batches := slices.Chunk([]int{1, 2, 3, 4, 5}, 2)
	fmt.Println(pool.Collect(pool.Map(context.Background(), p, squareAll, batches)))
	// Output: [[1 4] [9 16] [25]] <nil>
}

// Ahead bounds how many inputs are taken that are not finished. None is here.
func Example_buffersize() {
	p := open(pool.Options{Procs: 2, Stderr: io.Discard})
	defer p.Close()
	ctx, cancel := context.WithCancel(context.Background())
	var taken atomic.Int64
	endless := func(yield func(string) bool) {
		for yield("a") {
			if taken.Add(1) == 4 {
				time.AfterFunc(50*time.Millisecond, cancel) // time enough to take more
			}
		}
	}
	for range pool.Map(ctx, p, untilCancelled, endless, pool.Ahead(4)) {
	}
	fmt.Println(taken.Load(), "were taken")
	// Output: 4 were taken
}

// A result never waits for the next input, so an input may depend on it.
func Example_generator() {
	p := open(pool.Options{Procs: 2})
	defer p.Close()
	inputs := make(chan int, 1)
	inputs <- 2
	received := func(yield func(int) bool) {
		for n := range inputs {
			if !yield(n) {
				return
			}
		}
	}
	for n, err := range pool.Map(context.Background(), p, square, received) {
		fmt.Println(n, err)
		if n > 100 {
			close(inputs)
		} else {
			inputs <- n
		}
	}
	// Output:
	// 4 <nil>
	// 16 <nil>
	// 256 <nil>
}

// Calls of different tasks, in the order in which they are finished.
func Example_asCompleted() {
	p := open(pool.Options{Procs: 1})
	defer p.Close()
	ctx := context.Background()
	finished := make(chan int)
	for n := range 3 {
		go func() {
			out, _ := pool.Call(ctx, p, square, n)
			finished <- out
		}()
	}
	go func() {
		out, _ := pool.Call(ctx, p, area, rect{Width: 5})
		finished <- out
	}()
	sum := 0
	for range 4 {
		sum += <-finished
	}
	fmt.Println(sum)
	// Output: 30
}

func Example_waitAllCompleted() {
	p := open(pool.Options{Procs: 2})
	defer p.Close()
	var all sync.WaitGroup
	squares := make([]int, 3)
	for n := range squares {
		all.Go(func() { squares[n], _ = pool.Call(context.Background(), p, square, n) })
	}
	all.Wait()
	fmt.Println(squares)
	// Output: [0 1 4]
}

var rest = pool.Define("python-rest", func(ctx context.Context, d time.Duration) (time.Duration, error) {
	select {
	case <-time.After(d):
		return d, nil
	case <-ctx.Done():
		return 0, ctx.Err()
	}
})

// To leave the loop cancels what is in flight.
func Example_waitFirstCompleted() {
	p := open(pool.Options{Procs: 2})
	defer p.Close()
	for r, err := range pool.MapUnordered(context.Background(), p, rest, slices.Values([]time.Duration{time.Hour, time.Millisecond})) {
		fmt.Println(r.Index, r.Value, err)
		break
	}
	// Output: 1 1ms <nil>
}

func Example_waitFirstException() {
	p := open(pool.Options{Procs: 2})
	defer p.Close()
	for _, err := range pool.MapUnordered(context.Background(), p, fetch, slices.Values([]string{"one", "two", "broken", "four"})) {
		if err != nil {
			fmt.Println(err)
			break
		}
	}
	// Output: example-fetch of input 2: no such page
}

var whoComputes = pool.DefineSum("python-who-computes",
	func(ctx context.Context, _ pool.Interval) ([]int, error) { return []int{pool.Worker(ctx)}, nil },
	func(a, b []int) []int { return append(a, b...) })

// A sum is cut into one interval for each worker, and worker i gets interval i. The
// inputs of a map go to whichever worker is free.
func Example_orderTasks() {
	p := open(pool.Options{Procs: 3})
	defer p.Close()
	fmt.Println(pool.Sum(context.Background(), p, whoComputes, pool.Interval{End: 300}))
	// Output: [0 1 2] <nil>
}

var number = pool.Define("python-number", func(ctx context.Context, name string) (string, error) {
	return fmt.Sprintf("%d %s", pool.Index(ctx), name), nil
})

// A task knows the place of its input.
func Example_enumerate() {
	p := open(pool.Options{Procs: 2})
	defer p.Close()
	fmt.Println(pool.Collect(pool.Map(context.Background(), p, number, slices.Values([]string{"a", "b", "c"}))))
	// Output: [0 a 1 b 2 c] <nil>
}
