package tasks

import (
	"context"

	"procpool/internal/kernel"
	"procpool/ipc"
	"procpool/task"
)

// Pi is the tutorial's task.
var Pi = task.DefineSum("pi", pi, func(a, b float64) float64 { return a + b }, task.Version("1"),
	task.About("pi by the Leibniz series, in the tutorial's order of additions",
		"one core's floating-point additions; a tie once the work outweighs the start"))

func pi(ctx context.Context, iv ipc.Interval) (float64, error) {
	sum := 0.0
	err := steps(ctx, iv, 1<<20, func(start, end int64) error {
		sum = kernel.Pi(sum, start, end)
		return nil
	})
	return sum, err
}
