// Library is the least program with a pool, to be measured beside the bare one:
// it starts N workers (its argument, 2 without one), waits until each has said
// hello, has them do N empty chunks, and ends them in order. It prints how many
// milliseconds after its own start the last hello came.
package main

import (
	"context"
	"fmt"
	"os"
	"strconv"
	"time"

	"procpool/pool"
)

var null = pool.DefineSum("null", func(_ context.Context, iv pool.Interval) (int64, error) { return iv.Len(), nil },
	func(a, b int64) int64 { return a + b })

func main() {
	pool.Main()
	begin, n := time.Now(), 2
	if len(os.Args) > 1 {
		n, _ = strconv.Atoi(os.Args[1])
	}
	if err := run(context.Background(), begin, n); err != nil {
		fmt.Fprintln(os.Stderr, "library:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, begin time.Time, n int) error {
	started := make(chan struct{}, n)
	p, err := pool.New(ctx, pool.Options{Procs: n, OnEvent: func(e pool.Event) {
		if e.Kind == pool.WorkerStarted {
			started <- struct{}{}
		}
	}})
	if err != nil {
		return err
	}
	defer p.Close()
	for range n {
		<-started
	}
	fmt.Println(time.Since(begin).Seconds() * 1e3)
	sum, err := pool.Sum(ctx, p, null, pool.Interval{End: int64(n)})
	if err == nil && sum != int64(n) {
		err = fmt.Errorf("the sum is %d, not %d", sum, n)
	}
	return err
}
