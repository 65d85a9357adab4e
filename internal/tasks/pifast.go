package tasks

import (
	"context"

	"procpool/internal/kernel"
	"procpool/ipc"
	"procpool/task"
)

// PiFast sums the same series as Pi. Its bits do not depend on how the input is cut.
var PiFast = task.DefineSum("pi-fast", piFast, addExact, task.Grain(kernel.PiGrain), task.Exact(), task.Version("1"),
	task.About("pi by the Leibniz series, many times as fast, to the same bits for every cut and order",
		"one core's floating-point divisions; a tie once the work outweighs the start"))

func piFast(ctx context.Context, iv ipc.Interval) (kernel.Accumulator, error) {
	var sum kernel.Accumulator
	err := steps(ctx, iv, 256*kernel.PiGrain, func(start, end int64) error {
		sum.Merge(kernel.PiFast(start, end))
		return nil
	})
	return sum, err
}

func addExact(a, b kernel.Accumulator) kernel.Accumulator {
	a.Merge(b)
	return a
}
