package pool

import (
	"context"

	"procpool/task"
)

// Sum computes a task over an interval and adds up the partials. It cuts the interval by
// [Pool.Grid] and adds in interval order, so the bits of the result depend only on the
// cuts; those of an exact task do not even depend on them. The sum over an empty interval
// is P's zero value.
func Sum[P any](ctx context.Context, p *Pool, t task.SumTask[P], whole Interval, opts ...CallOption) (P, error) {
	o, err := p.Run(ctx, Workload{Task: t.Spec(), Whole: whole}, opts...)
	if err != nil {
		var zero P
		return zero, err
	}
	return o.Total.(P), nil
}
