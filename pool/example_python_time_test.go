package pool_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"procpool/pool"
)

// The examples of docs/from-python.md on time.

// The time of an input, from its beginning in a worker. Its own context tells the
// task, too. Retries(0), since an input that took too long is tried again otherwise.
func Example_taskTimeout() {
	p := open(pool.Options{Procs: 2})
	defer p.Close()
	ctx := context.Background()
	for out, err := range pool.Map(ctx, p, rest, slices.Values([]time.Duration{time.Hour, 0}), pool.Timeout(50*time.Millisecond), pool.Retries(0)) {
		var late *pool.TimeoutError
		if errors.As(err, &late) {
			fmt.Println("input", late.Input.Index, "took longer than", late.Limit)
			continue
		}
		fmt.Println(out, err)
	}
	// Output:
	// input 0 took longer than 50ms
	// 0s <nil>
}

// A task that does not look at its context loses its worker, CancelGrace later.
func Example_taskTimeoutKills() {
	p := open(pool.Options{Procs: 1, CancelGrace: 10 * time.Millisecond})
	defer p.Close()
	before, _ := pool.Call(context.Background(), p, pid, 0)
	_, err := pool.Call(context.Background(), p, fetch, "endless", pool.Timeout(50*time.Millisecond), pool.Retries(0))
	after, _ := pool.Call(context.Background(), p, pid, 0)
	var late *pool.TimeoutError
	fmt.Println(errors.As(err, &late), before != after)
	// Output: true true
}

// The time of a whole map is its context's.
func Example_mapTimeout() {
	p := open(pool.Options{Procs: 1})
	defer p.Close()
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Millisecond)
	defer cancel()
	for out, err := range pool.Map(ctx, p, rest, slices.Values([]time.Duration{time.Hour, time.Hour})) {
		fmt.Println(out, err)
	}
	// Output: 0s context deadline exceeded
}

var deadline = pool.Define("python-deadline", func(ctx context.Context, _ int) (bool, error) {
	_, ok := ctx.Deadline()
	return ok, nil
})

// A task knows its deadline.
func Example_deadline() {
	p := open(pool.Options{Procs: 1, Timeout: time.Minute}) // for every call of this pool
	defer p.Close()
	fmt.Println(pool.Call(context.Background(), p, deadline, 0))
	fmt.Println(pool.Call(context.Background(), p, deadline, 0, pool.Timeout(0)))
	// Output:
	// true <nil>
	// false <nil>
}
