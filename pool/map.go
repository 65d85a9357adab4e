package pool

import (
	"context"
	"fmt"
	"iter"

	"procpool/ipc"
	"procpool/task"
)

// mapWindow is how many inputs of a map may be on their way at once.
const mapWindow = 1024

// Map runs a task over inputs and yields the outputs in input order. A failed
// input yields the zero value and its error, and the sequence goes on; an error
// of the run as a whole (the pool was closed, no worker can be started, ctx is
// done) is yielded last.
//
// Inputs are pulled on the goroutine that ranges, a bounded number ahead, so
// that an endless sequence runs in constant memory. Nothing runs before the
// range begins. When it ends early, workers with an input still running are
// killed and replaced.
func Map[In, Out any](ctx context.Context, p *Pool, t task.Task[In, Out], in iter.Seq[In]) iter.Seq2[Out, error] {
	return consume(ctx, p, t, in, (*mapCall[In, Out]).ordered)
}

// MapUnordered is Map with outputs in the order in which they are finished.
func MapUnordered[In, Out any](ctx context.Context, p *Pool, t task.Task[In, Out], in iter.Seq[In]) iter.Seq2[Out, error] {
	return consume(ctx, p, t, in, (*mapCall[In, Out]).unordered)
}

// Reduce runs a task over inputs and folds the outputs into acc, in input
// order, on the calling goroutine. It ends with the first error, an input's or
// add's, and returns the accumulator so far with it.
func Reduce[In, Out, Acc any](ctx context.Context, p *Pool, t task.Task[In, Out], in iter.Seq[In], acc Acc, add func(Acc, Out) (Acc, error)) (Acc, error) {
	for out, err := range Map(ctx, p, t, in) {
		if err == nil {
			acc, err = add(acc, out)
		}
		if err != nil {
			return acc, err
		}
	}
	return acc, nil
}

// consume is a map whose outputs are yielded by a method of its mapCall.
func consume[In, Out any](ctx context.Context, p *Pool, t task.Task[In, Out], in iter.Seq[In],
	each func(*mapCall[In, Out], context.Context, func(Out, error) bool)) iter.Seq2[Out, error] {
	return func(yield func(Out, error) bool) {
		m, err := newMapCall(ctx, p, t, in)
		if err != nil {
			yieldError(yield, err)
			return
		}
		defer m.close()
		each(m, ctx, yield)
	}
}

func yieldError[Out any](yield func(Out, error) bool, err error) {
	var zero Out
	yield(zero, err)
}

// A mapCall consumes a map.
type mapCall[In, Out any] struct {
	call      *call
	cells     mapCells[In, Out]
	pull      func() (In, bool)
	stop      func()
	cancel    context.CancelFunc
	exhausted bool  // there are no more inputs
	yields    int64 // outputs consumed
}

// mapCells keep inputs for tasks that run in this process, and outputs.
type mapCells[In, Out any] struct {
	task task.Task[In, Out]
	in   []In
	out  []Out
}

func (m *mapCells[In, Out]) decode(cell int, value []byte, own bool) error {
	if own {
		return ipc.TakeValue(value, &m.out[cell])
	}
	return ipc.DecodeValue(value, &m.out[cell])
}

func (m *mapCells[In, Out]) compute(ctx context.Context, cell int, _ *chunk) (err error) {
	m.out[cell], err = m.task.Call(ctx, m.in[cell])
	return err
}

func newMapCall[In, Out any](ctx context.Context, p *Pool, t task.Task[In, Out], in iter.Seq[In]) (*mapCall[In, Out], error) {
	if err := t.Spec().Check(); err != nil {
		return nil, err
	}
	taskCtx, cancel := context.WithCancel(ctx)
	n := max(mapWindow, 2*p.opts.Procs)
	m := &mapCall[In, Out]{cells: mapCells[In, Out]{t, make([]In, n), make([]Out, n)}, cancel: cancel}
	m.call = p.newCall(taskCtx, t.Spec(), n)
	m.call.cells = &m.cells
	if err := p.add(m.call); err != nil {
		cancel()
		return nil, err
	}
	m.pull, m.stop = iter.Pull(in)
	return m, nil
}

// close leaves the pool, whatever is still on its way.
func (m *mapCall[In, Out]) close() {
	m.stop()
	m.cancel()
	m.call.pool.remove(m.call)
}

func (m *mapCall[In, Out]) ordered(ctx context.Context, yield func(Out, error) bool) {
	for {
		ch, more, err := m.next()
		if ended := ctx.Err(); ended != nil && more {
			err = ended // tasks in this process may have failed of it
		}
		switch {
		case err != nil:
			yieldError(yield, err)
			return
		case ch != nil:
			if !m.yield(ch, yield) {
				return
			}
		case !more:
			return
		case m.supply():
		default:
			if err := m.call.await(ctx, nil, nil); err != nil {
				yieldError(yield, err)
				return
			}
		}
	}
}

// next returns the chunk at the head if it is done. more is false when all are
// consumed and no inputs are left; the call's own error comes after what is done.
func (m *mapCall[In, Out]) next() (ch *chunk, more bool, err error) {
	c := m.call
	c.pool.mu.Lock()
	defer c.pool.mu.Unlock()
	c.finished = c.finished[:0]
	if c.head < c.supplied {
		if ch := c.at(c.head); ch.seq == c.head && ch.state == done {
			return ch, true, nil
		}
	}
	return nil, !m.exhausted || c.head < c.supplied, c.err
}

func (m *mapCall[In, Out]) unordered(ctx context.Context, yield func(Out, error) bool) {
	var finished []int64
	for {
		m.call.pool.mu.Lock()
		finished, m.call.finished = m.call.finished, finished[:0]
		over, err := m.exhausted && m.yields+int64(len(finished)) == m.call.supplied, m.call.err
		m.call.pool.mu.Unlock()
		if ended := ctx.Err(); ended != nil {
			yieldError(yield, ended)
			return
		}
		for _, seq := range finished {
			if !m.yield(m.call.at(seq), yield) {
				return
			}
		}
		switch {
		case over:
			return
		case err != nil:
			yieldError(yield, err)
			return
		case len(finished) > 0 || m.supply():
		default:
			if err := m.call.await(ctx, nil, nil); err != nil {
				yieldError(yield, err)
				return
			}
		}
	}
}

// yield hands a finished chunk's output over and frees its cell.
func (m *mapCall[In, Out]) yield(ch *chunk, yield func(Out, error) bool) bool {
	cell := m.call.cell(ch)
	out, err := m.cells.out[cell], ch.err
	var none Out
	m.cells.out[cell] = none
	if err != nil {
		out = none
	}
	m.consumed(ch)
	return yield(out, err)
}

// consumed moves the window over what nobody needs any more.
func (m *mapCall[In, Out]) consumed(ch *chunk) {
	c := m.call
	c.pool.mu.Lock()
	defer c.pool.mu.Unlock()
	m.yields++
	ch.state = past
	c.resultBytes -= ch.size
	for c.head < c.supplied && c.at(c.head).state == past {
		c.head++
	}
	c.pool.offer()
}

// supply pulls one input, if there is room and one left, and reports whether
// it did.
func (m *mapCall[In, Out]) supply() bool {
	c := m.call
	c.pool.mu.Lock()
	room := !m.exhausted && c.err == nil && c.supplied < c.head+int64(len(c.window)) && (c.inputBytes < maxWaiting || c.supplied == c.head)
	c.pool.mu.Unlock()
	if !room {
		return false
	}
	in, ok := m.pull()
	if !ok {
		m.exhausted = true
		return true
	}
	ch := chunk{seq: c.supplied}
	if c.pool.opts.Backend == Processes {
		ch.arg, ch.err = ipc.AppendValue(nil, &in)
		if most := c.pool.opts.MaxMessage - messageOverhead - int64(len(c.spec.Name)); ch.err == nil && int64(len(ch.arg)) > most {
			ch.err = fmt.Errorf("the input of %d bytes is over the limit of %d bytes a message", len(ch.arg), c.pool.opts.MaxMessage)
		}
	} else {
		m.cells.in[c.cell(&ch)] = in
	}
	m.put(ch)
	return true
}

// messageOverhead is the most by which a request is longer than its input, but
// for the task's name.
const messageOverhead = 256

// put makes ch the call's last chunk; one with an error needs no worker.
func (m *mapCall[In, Out]) put(ch chunk) {
	c := m.call
	c.pool.mu.Lock()
	defer c.pool.mu.Unlock()
	if ch.err != nil {
		ch.err, ch.arg, ch.state = &InputError{Input: c.input(&ch), Err: ch.err}, nil, done
		c.finished = append(c.finished, ch.seq)
	}
	*c.at(ch.seq) = ch
	c.supplied++
	c.inputBytes += int64(len(ch.arg))
	if ch.err == nil {
		c.pool.offer()
	}
}
