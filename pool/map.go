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
	return consume(ctx, p, t, in, (*mapping[In, Out]).ordered)
}

// MapUnordered is Map with outputs in the order in which they are finished.
func MapUnordered[In, Out any](ctx context.Context, p *Pool, t task.Task[In, Out], in iter.Seq[In]) iter.Seq2[Out, error] {
	return consume(ctx, p, t, in, (*mapping[In, Out]).unordered)
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

// consume is a map whose outputs are yielded by a method of its mapping.
func consume[In, Out any](ctx context.Context, p *Pool, t task.Task[In, Out], in iter.Seq[In],
	each func(*mapping[In, Out], context.Context, func(Out, error) bool)) iter.Seq2[Out, error] {
	return func(yield func(Out, error) bool) {
		m, err := newMapping(ctx, p, t, in)
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

// A mapping is the consumer of a map.
type mapping[In, Out any] struct {
	job    *job
	cells  mapCells[In, Out]
	pull   func() (In, bool)
	stop   func()
	cancel context.CancelFunc
	dry    bool  // the inputs are at their end
	yields int64 // outputs consumed
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

func newMapping[In, Out any](ctx context.Context, p *Pool, t task.Task[In, Out], in iter.Seq[In]) (*mapping[In, Out], error) {
	if err := t.Spec().Check(); err != nil {
		return nil, err
	}
	taskCtx, cancel := context.WithCancel(ctx)
	n := max(mapWindow, 2*p.opts.Procs)
	m := &mapping[In, Out]{cells: mapCells[In, Out]{t, make([]In, n), make([]Out, n)}, cancel: cancel}
	m.job = p.newJob(taskCtx, t.Spec(), n)
	m.job.cells = &m.cells
	if err := p.enter(m.job); err != nil {
		cancel()
		return nil, err
	}
	m.pull, m.stop = iter.Pull(in)
	return m, nil
}

// close leaves the pool, whatever is still on its way.
func (m *mapping[In, Out]) close() {
	m.stop()
	m.cancel()
	m.job.pool.leave(m.job)
}

func (m *mapping[In, Out]) ordered(ctx context.Context, yield func(Out, error) bool) {
	for {
		c, more, err := m.next()
		if ended := ctx.Err(); ended != nil && more {
			err = ended // tasks in this process may have failed of it
		}
		switch {
		case err != nil:
			yieldError(yield, err)
			return
		case c != nil:
			if !m.yield(c, yield) {
				return
			}
		case !more:
			return
		case m.supply():
		default:
			if err := m.job.await(ctx, nil, nil); err != nil {
				yieldError(yield, err)
				return
			}
		}
	}
}

// next is the chunk at the head if it is done. more is false when all are
// consumed and no inputs are left; the job's own error comes after what is done.
func (m *mapping[In, Out]) next() (c *chunk, more bool, err error) {
	j := m.job
	j.pool.mu.Lock()
	defer j.pool.mu.Unlock()
	j.finished = j.finished[:0]
	if j.head < j.supplied {
		if c := j.at(j.head); c.seq == j.head && c.state == done {
			return c, true, nil
		}
	}
	return nil, !m.dry || j.head < j.supplied, j.err
}

func (m *mapping[In, Out]) unordered(ctx context.Context, yield func(Out, error) bool) {
	var finished []int64
	for {
		m.job.pool.mu.Lock()
		finished, m.job.finished = m.job.finished, finished[:0]
		over, err := m.dry && m.yields+int64(len(finished)) == m.job.supplied, m.job.err
		m.job.pool.mu.Unlock()
		if ended := ctx.Err(); ended != nil {
			yieldError(yield, ended)
			return
		}
		for _, seq := range finished {
			if !m.yield(m.job.at(seq), yield) {
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
			if err := m.job.await(ctx, nil, nil); err != nil {
				yieldError(yield, err)
				return
			}
		}
	}
}

// yield hands a finished chunk's output over and frees its cell.
func (m *mapping[In, Out]) yield(c *chunk, yield func(Out, error) bool) bool {
	cell := m.job.cell(c)
	out, err := m.cells.out[cell], c.err
	var none Out
	m.cells.out[cell] = none
	if err != nil {
		out = none
	}
	m.consumed(c)
	return yield(out, err)
}

// consumed moves the window over what nobody needs any more.
func (m *mapping[In, Out]) consumed(c *chunk) {
	j := m.job
	j.pool.mu.Lock()
	defer j.pool.mu.Unlock()
	m.yields++
	c.state = past
	j.waiting -= c.size
	for j.head < j.supplied && j.at(j.head).state == past {
		j.head++
	}
	j.pool.offer()
}

// supply pulls one input, if there is room and one left, and reports whether
// it did.
func (m *mapping[In, Out]) supply() bool {
	j := m.job
	j.pool.mu.Lock()
	room := !m.dry && j.err == nil && j.supplied < j.head+int64(len(j.window)) && (j.queued < maxWaiting || j.supplied == j.head)
	j.pool.mu.Unlock()
	if !room {
		return false
	}
	in, ok := m.pull()
	if !ok {
		m.dry = true
		return true
	}
	c := chunk{seq: j.supplied}
	if j.pool.opts.Backend == Processes {
		c.arg, c.err = ipc.AppendValue(nil, &in)
		if most := j.pool.opts.MaxMessage - messageOverhead - int64(len(j.spec.Name)); c.err == nil && int64(len(c.arg)) > most {
			c.err = fmt.Errorf("the input of %d bytes is over the limit of %d bytes a message", len(c.arg), j.pool.opts.MaxMessage)
		}
	} else {
		m.cells.in[j.cell(&c)] = in
	}
	m.put(c)
	return true
}

// messageOverhead is the most by which a request is longer than its input, but
// for the task's name.
const messageOverhead = 256

// put makes c the job's last chunk; one with an error needs no worker.
func (m *mapping[In, Out]) put(c chunk) {
	j := m.job
	j.pool.mu.Lock()
	defer j.pool.mu.Unlock()
	if c.err != nil {
		c.err, c.arg, c.state = &InputError{Input: j.input(&c), Err: c.err}, nil, done
		j.finished = append(j.finished, c.seq)
	}
	*j.at(c.seq) = c
	j.supplied++
	j.queued += int64(len(c.arg))
	if c.err == nil {
		j.pool.offer()
	}
}
