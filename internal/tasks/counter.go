package tasks

import (
	"context"
	"sync/atomic"

	"procpool/ipc"
	"procpool/task"
)

// Counter adds to a global variable. Goroutines compete for its cache line, while
// each process has a variable of its own. The count is not used: the result is a sum
// that each call computes by itself.
var Counter = task.DefineSum("counter", counter, wrap, task.Exact(), task.Version("1"),
	task.About("a checksum of hashes, each also added to a global atomic counter",
		"one contended cache line; processes win from two workers on, the global being private to each"),
	task.Causes("one cache line for all threads", ""))

// counted has a cache line of its own (64 bytes, or a pair of them), so goroutines
// compete for this variable only.
var counted struct {
	_ [128]byte
	n atomic.Uint64
	_ [128]byte
}

func counter(ctx context.Context, iv ipc.Interval) (uint64, error) {
	var sum uint64
	err := steps(ctx, iv, 1<<15, func(start, end int64) error {
		for i := start; i < end; i++ {
			h := mix(uint64(i))
			counted.n.Add(h)
			sum += h
		}
		return nil
	})
	return sum, err
}
