package pool

import "time"

// A CallOption changes one call's settings from those of the pool's Options.
type CallOption func(*callOptions)

type callOptions struct {
	timeout    time.Duration
	retries    int
	ahead      int   // 0 = by the kind of input
	aheadBytes int64 // 0 = maxWaiting
	prefetch   int   // below 0: by each worker's pace
	again      []error
}

// Timeout limits how long an input may take, counted from when a worker begins it. When
// the time is over, the task's context is done, and a worker whose task does not return
// within Options.CancelGrace is killed. Without worker processes nothing can end a task
// that ignores its context. d of 0 or less means no limit.
func Timeout(d time.Duration) CallOption {
	return func(o *callOptions) { o.timeout = max(d, 0) }
}

// Retries sets how often an input is run again after its worker died or it took too long.
// 0 means never. Below 0, the pool never sends an input twice, whatever happens: each
// worker then has one input at a time, and an input that was sent and not answered gets
// an error.
func Retries(n int) CallOption {
	return func(o *callOptions) { o.retries = max(n, -1) }
}

// RetryErrors runs an input again, at most as often as [Retries] says, if its task
// returns one of the errors. The task's definition must name them with [Errors]. It has
// an effect in worker processes only.
func RetryErrors(errs ...error) CallOption {
	return func(o *callOptions) { o.again = errs }
}

// Ahead limits how many inputs a map takes from its source beyond those that are
// finished. n below 1 means the default: 1,024, or 64 if inputs stay in this process and
// may be of any size.
func Ahead(n int) CallOption {
	return func(o *callOptions) { o.ahead = max(n, 0) }
}

// AheadBytes limits the bytes of inputs that wait for a worker, and of outputs that wait
// for the caller. A call always takes one input for each worker and one more, however
// large they are. n below 1 means the default, 64 MiB. In backends without processes,
// strings and byte slices count with their lengths, and other inputs with the size of
// their types.
func AheadBytes(n int64) CallOption {
	return func(o *callOptions) { o.aheadBytes = max(n, 0) }
}

// Prefetch sets how many inputs a worker may hold beside the one that it runs. n below 0
// means the default: as many as the worker computes in 10 ms, and at least one.
func Prefetch(n int) CallOption {
	return func(o *callOptions) { o.prefetch = max(n, -1) }
}

// callOptions are the pool's options for a call, and what opts change.
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
