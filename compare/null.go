package compare

import (
	"context"

	"procpool/ipc"
	"procpool/task"
)

// Null is the name of the task that does nothing: its times are the floor.
const Null = "null"

// The task null costs nothing, however long the interval, so its time is that of
// starting workers, of messages and of the final sum. It is defined here, so that
// every program that compares has it.
var _ = task.DefineSum(Null, func(_ context.Context, iv ipc.Interval) (uint64, error) { return uint64(iv.Len()), nil },
	func(a, b uint64) uint64 { return a + b }, task.Exact(), task.Version("1"),
	task.About("the number of indices, without looking at them",
		"nothing but the pool itself; goroutines win by what processes and messages cost"))
