package pool

import (
	"context"

	"procpool/task"
)

// Sum adds up a task over an interval. The interval is cut as [Pool.Grid] says
// and the partials are added in interval order, so the result's bits depend on
// the cuts alone, and for exact tasks on nothing. The sum over nothing is P's zero value.
func Sum[P any](ctx context.Context, p *Pool, t task.SumTask[P], whole Interval, opts ...CallOption) (P, error) {
	o, err := p.Run(ctx, Workload{Task: t.Spec(), Whole: whole}, opts...)
	if err != nil {
		var zero P
		return zero, err
	}
	return o.Total.(P), nil
}
