package pool

import "time"

// A CallOption says how one call differs from its pool's Options.
type CallOption func(*callOptions)

type callOptions struct {
	timeout    time.Duration
	retries    int
	ahead      int   // 0 = by the kind of input
	aheadBytes int64 // 0 = maxWaiting
	prefetch   int   // below 0: by each worker's pace
	again      []error
}

// Timeout limits how long an input may take, from its beginning in a worker. Then
// the task's context is done; a worker whose task does not return within
// Options.CancelGrace is killed. In backends without processes the task alone can
// keep it. d of 0 or below means no limit.
func Timeout(d time.Duration) CallOption {
	return func(o *callOptions) { o.timeout = max(d, 0) }
}

// Retries says how often an input is run again after its worker died or it took
// too long. 0 means never. Below 0 no input is ever sent to a worker twice,
// whatever happens: a worker then has one input at a time, and one that was sent
// and not answered gets an error.
func Retries(n int) CallOption {
	return func(o *callOptions) { o.retries = max(n, -1) }
}

// RetryErrors has an input run again, as often as [Retries] says, if its task returns
// one of the errors, which its definition names by [Errors]. It counts in worker
// processes.
func RetryErrors(errs ...error) CallOption {
	return func(o *callOptions) { o.again = errs }
}

// Ahead bounds how many inputs of a map are taken beyond those that are finished.
// n below 1 stands for the default: 1,024, and 64 where inputs stay in this process
// and may be of any size.
func Ahead(n int) CallOption {
	return func(o *callOptions) { o.ahead = max(n, 0) }
}

// AheadBytes bounds the bytes of inputs that wait for a worker, and of outputs
// that wait to be taken. Whatever it says there is an input for each worker and
// one to spare. n below 1 stands for the default, 64 MiB. In backends without
// processes strings and byte slices are counted, and other inputs by their types.
func AheadBytes(n int64) CallOption {
	return func(o *callOptions) { o.aheadBytes = max(n, 0) }
}

// Prefetch says how many inputs a worker may have beside the one that it runs. n
// below 0 stands for the default: what the worker does in 10 ms, and at least one.
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
