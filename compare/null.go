package compare

import (
	"context"

	"procpool/ipc"
	"procpool/task"
)

// Null is the name of the task that does nothing. Its time is that of the pool alone.
const Null = "null"

// The task null costs nothing, however long the interval. It is defined here, so that
// every program with a command line has it: doctor measures launchers with it.
var _ = task.DefineSum(Null, func(_ context.Context, iv ipc.Interval) (uint64, error) { return uint64(iv.Len()), nil },
	func(a, b uint64) uint64 { return a + b }, task.Exact(), task.Version("1"),
	task.About("the number of indices, without looking at them",
		"nothing but the pool itself; goroutines win by what processes and messages cost"))
