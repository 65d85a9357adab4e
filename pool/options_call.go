package pool

import "time"

// A CallOption changes how one call runs, in place of the pool's Options.
type CallOption func(*callOptions)

type callOptions struct {
	timeout    time.Duration
	retries    int
	ahead      int   // 0 = by the kind of input
	aheadBytes int64 // 0 = maxWaiting
	prefetch   int   // below 0: by each worker's pace
	again      []error
}

// Timeout limits how long an input may take once a worker has begun it. After d the
// task's context is done, and a worker whose task does not return within
// Options.CancelGrace is killed. In backends without processes nothing can be killed, and
// only a task that heeds its context keeps the limit. d of 0 or below means no limit.
func Timeout(d time.Duration) CallOption {
	return func(o *callOptions) { o.timeout = max(d, 0) }
}

// Retries sets how often an input is run again after its worker died or it took too
// long. 0 means never. If n is below 0, no input is ever sent to a worker twice,
// whatever happens: a worker holds one input at a time, and an input that was sent and
// not answered fails with a [LostWorkerError] whose MayHaveRun is set.
func Retries(n int) CallOption {
	return func(o *callOptions) { o.retries = max(n, -1) }
}

// RetryErrors makes an input run again, as often as [Retries] allows, if its task
// returns one of errs. The task's definition must name them by [Errors]. It has no effect
// in backends without worker processes.
func RetryErrors(errs ...error) CallOption {
	return func(o *callOptions) { o.again = errs }
}

// Ahead bounds how many inputs of a map are pulled beyond those that are finished.
// n below 1 means the default: 1,024, or 64 in backends without processes for inputs
// whose size is unknown.
func Ahead(n int) CallOption {
	return func(o *callOptions) { o.ahead = max(n, 0) }
}

// AheadBytes bounds the bytes of inputs that wait for a worker, and those of outputs that
// wait to be yielded. One input for each worker and one more are always allowed. n below
// 1 means the default, 64 MiB. In backends without processes strings and byte slices
// count by their length, other inputs by the size of their type.
func AheadBytes(n int64) CallOption {
	return func(o *callOptions) { o.aheadBytes = max(n, 0) }
}

// Prefetch sets how many inputs a worker may hold beside the one that it runs. n below 0
// means the default: as many as the worker finishes in 10 ms, and at least one.
func Prefetch(n int) CallOption {
	return func(o *callOptions) { o.prefetch = max(n, -1) }
}

// callOptions returns the pool's options for a call, changed by opts.
func (p *Pool) callOptions(opts []CallOption) callOptions {
	o := callOptions{timeout: p.opts.Timeout, retries: p.opts.Retries, prefetch: -1}
	for _, option := range opts {
		option(&o)
	}
	if o.aheadBytes == 0 {
		o.aheadBytes = maxWaiting
	}
	return o
}
