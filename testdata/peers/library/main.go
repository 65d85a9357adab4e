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

	"procpool/child"
	"procpool/ipc"
	"procpool/parent"
	"procpool/task"
)

var null = task.DefineSum("null", func(_ context.Context, iv ipc.Interval) (int64, error) { return iv.Len(), nil },
	func(a, b int64) int64 { return a + b })

func main() {
	child.Main()
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
	pool, err := parent.NewPool(ctx, parent.Options{Procs: n, OnEvent: func(e parent.Event) {
		if e.Kind == parent.WorkerStarted {
			started <- struct{}{}
		}
	}})
	if err != nil {
		return err
	}
	defer pool.Close()
	for range n {
		<-started
	}
	fmt.Println(time.Since(begin).Seconds() * 1e3)
	sum, err := parent.Sum(ctx, pool, null, ipc.Interval{End: int64(n)})
	if err == nil && sum != int64(n) {
		err = fmt.Errorf("the sum is %d, not %d", sum, n)
	}
	return err
}
