package pool

import (
	"context"
	"iter"
)

// Map runs a task over inputs and yields the outputs in input order. A failed
// input yields the zero value and its error, and the sequence goes on; an error
// of the run as a whole (the pool was closed, no worker can be started, ctx is
// done) is yielded last.
//
// Inputs are pulled on a goroutine of the pool's own, a bounded number ahead (see
// [Ahead]), so that an endless sequence runs in constant memory and a source may
// block, as a channel does: outputs are yielded meanwhile. When the range ends
// early, ctx is done, or the pool is closed, the call ends at once; the source is
// asked for no more, but nobody waits for one that blocks. A panic of the source
// passes to the goroutine that ranges, after the outputs of what came before it.
//
// Inputs that take less than a message costs travel together, several in one. Each
// keeps its own output, error, timeout and attempts.
//
// Nothing runs before the range begins. When it ends early, inputs that are in
// flight are cancelled: a task that heeds its context lets its worker go on, others
// cost theirs after Options.CancelGrace. In backends without processes inputs are
// not copied: who reuses a buffer for the next one changes those that wait.
func Map[In, Out any](ctx context.Context, p *Pool, t Task[In, Out], in iter.Seq[In], opts ...CallOption) iter.Seq2[Out, error] {
	return func(yield func(Out, error) bool) {
		m, err := newMapCall(ctx, p, t, true, opts)
		if err == nil {
			err = m.run(ctx, in, func(ch *mapChunk[In, Out], input int) bool { return yield(ch.output(input)) })
		}
		if err != nil {
			var none Out
			yield(none, err)
		}
	}
}

// A Result is the output of one input.
type Result[Out any] struct {
	Index    int64   // of the input in its sequence, from 0
	Value    Out     // the zero value where there is an error
	Worker   int     // the index of the worker that computed it
	Attempts int     // workers that met the input; 0 if it could not be sent
	Seconds  float64 // that the task took
}

// MapUnordered is [Map] with outputs in the order in which they are finished.
func MapUnordered[In, Out any](ctx context.Context, p *Pool, t Task[In, Out], in iter.Seq[In], opts ...CallOption) iter.Seq2[Result[Out], error] {
	return func(yield func(Result[Out], error) bool) {
		m, err := newMapCall(ctx, p, t, false, opts)
		if err == nil {
			err = m.run(ctx, in, func(ch *mapChunk[In, Out], input int) bool {
				out, err := ch.output(input)
				return yield(Result[Out]{ch.seq + int64(input), out, ch.worker, ch.met(), ch.took(input)}, err)
			})
		}
		if err != nil {
			yield(Result[Out]{Index: -1}, err)
		}
	}
}

// Reduce runs a task over inputs and folds the outputs into acc, in input
// order, on the calling goroutine. It ends with the first error, an input's or
// add's, and returns the accumulator so far with it.
func Reduce[In, Out, Acc any](ctx context.Context, p *Pool, t Task[In, Out], in iter.Seq[In], acc Acc, add func(Acc, Out) (Acc, error), opts ...CallOption) (Acc, error) {
	for out, err := range Map(ctx, p, t, in, opts...) {
		if err == nil {
			acc, err = add(acc, out)
		}
		if err != nil {
			return acc, err
		}
	}
	return acc, nil
}

// Collect returns the outputs of a sequence, up to its first error, and that error.
func Collect[Out any](seq iter.Seq2[Out, error]) ([]Out, error) {
	var all []Out
	for out, err := range seq {
		if err != nil {
			return all, err
		}
		all = append(all, out)
	}
	return all, nil
}

// Call runs a task over one input and returns its output. It blocks: for what other
// languages call a future, call it on a goroutine. When ctx is done, Call cancels the
// input and returns the context's error.
func Call[In, Out any](ctx context.Context, p *Pool, t Task[In, Out], in In, opts ...CallOption) (Out, error) {
	var out Out
	m, err := newMapCall(ctx, p, t, true, opts)
	if err != nil {
		return out, err
	}
	defer m.close()
	m.put(in)
	m.inputs.exhausted.Store(true)
	if err := p.add(m.call); err != nil {
		return out, err
	}
	var failed error
	err = m.consume(ctx, func(ch *mapChunk[In, Out], _ int) bool {
		out, failed = ch.output(0)
		return false
	})
	if err == nil {
		err = failed
	}
	return out, err
}
