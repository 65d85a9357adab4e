package pool

import (
	"context"
	"fmt"
	"iter"
	"reflect"
	"runtime"
	"runtime/debug"
	"slices"
	"time"

	"procpool/ipc"
)

// A mapCall is the consumer's side of a map: it takes finished chunks and yields their
// outputs.
type mapCall[In, Out any] struct {
	call    *call
	task    Task[In, Out]
	inputs  *inputs
	ordered bool
	encodes bool // inputs go to other processes
	checks  bool // inputs stay in this process, but those that could not be encoded are refused

	order   deque[*mapChunk[In, Out]] // finished chunks that are not yielded, each at the place of its first input; nil where one is missing
	yields  int64                     // outputs yielded
	input   In                        // the input that put is encoding
	scratch []byte                    // buffer for its encoding
}

// A mapChunk is a chunk of a map with its input and output.
type mapChunk[In, Out any] struct {
	chunk
	m       *mapCall[In, Out]
	in      In // for tasks that run in this process
	out     Out
	results []result[Out] // of a batch or a part of one, in place of out
}

// A result is the output of one input of a batch.
type result[Out any] struct {
	out     Out
	seconds float64
}

func (ch *mapChunk[In, Out]) decode(input int, r ipc.Result, owned bool) error {
	out := &ch.out
	if ch.inputs > 1 && ch.results == nil {
		ch.results = make([]result[Out], ch.inputs)
	}
	if ch.results != nil {
		ch.results[input].seconds = r.Seconds
		out = &ch.results[input].out
	}
	if owned {
		return ipc.TakeValue(r.Value, out)
	}
	return ipc.DecodeValue(r.Value, out)
}

func (ch *mapChunk[In, Out]) split(n int) *chunk {
	first := &mapChunk[In, Out]{chunk: ch.chunk, m: ch.m}
	first.cell, first.inputs = first, n
	first.arg, ch.arg = ipc.SplitValues(ch.arg, n)
	if ch.results != nil {
		first.results, ch.results = ch.results[:n:n], ch.results[n:]
	}
	ch.seq += int64(n)
	ch.id += uint64(n)
	ch.inputs -= n
	return &first.chunk
}

func (ch *mapChunk[In, Out]) compute(ctx context.Context, _ ipc.Interval) (err error) {
	in := ch.in
	var none In
	ch.in = none // it can be freed while the output waits
	ch.out, err = ch.m.task.Compute(ctx, in)
	ch.size = sizeOf(&ch.out)
	return err
}

// output returns the output or the error of one of the chunk's inputs, counted from 0.
func (ch *mapChunk[In, Out]) output(input int) (out Out, err error) {
	if ch.err == nil && len(ch.raw) > 0 {
		ch.err = decode(&ch.chunk)
	}
	switch {
	case ch.err != nil:
		return out, ch.err
	case ch.results != nil:
		return ch.results[input].out, nil
	}
	return ch.out, nil
}

// took returns the seconds that the task took for one of the chunk's inputs.
func (ch *mapChunk[In, Out]) took(input int) float64 {
	if ch.results != nil {
		return ch.results[input].seconds
	}
	return ch.seconds
}

// decode decodes a result whose type has a decoding method. It runs on the consumer's
// goroutine, and turns a panic of that method into an OutputError.
func decode(ch *chunk) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = &OutputError{Input: ch.input(), Err: fmt.Errorf("panic: %v\n%s", p, debug.Stack())}
		}
	}()
	if err := ch.cell.decode(0, ipc.Result{Value: ch.raw}, true); err != nil {
		return &OutputError{Input: ch.input(), Err: err}
	}
	return nil
}

func newMapCall[In, Out any](ctx context.Context, p *Pool, t Task[In, Out], ordered bool, opts []CallOption) (*mapCall[In, Out], error) {
	if err := t.Spec().Check(); err != nil {
		return nil, err
	}
	o := p.callOptions(opts)
	taskCtx, cancel := context.WithCancel(ctx)
	m := &mapCall[In, Out]{call: p.newCall(taskCtx, t.Spec(), o), task: t, ordered: ordered, encodes: p.opts.Backend == Processes}
	m.checks = !m.encodes && ipc.MustCheck(reflect.TypeFor[In]())
	m.call.cancel = cancel
	if o.ahead == 0 {
		o.ahead = 1024
		if !m.encodes && !plain(reflect.TypeFor[In]()) {
			o.ahead = 64
		}
	}
	m.inputs = &inputs{call: m.call, ahead: int64(o.ahead), aheadBytes: o.aheadBytes, spare: int64(p.opts.Procs) + 1,
		room: make(chan struct{}, 1), over: taskCtx.Done()}
	m.inputs.beyond = max(8*m.inputs.ahead, 1024)
	m.inputs.ordered = ordered
	if m.encodes && o.retries >= 0 && o.prefetch < 0 && !m.call.custom && !p.opts.Trace && p.opts.MaxChunksPerChild == 0 && !p.wants(ChunkFinished) {
		m.call.maxBatch = min(maxBatch, max(o.ahead/8, 1))
	}
	m.call.supply = m.inputs
	return m, nil
}

// plain reports whether sizeOf knows the size of values of a type: they are numbers,
// strings, byte slices, or arrays of numbers.
func plain(t reflect.Type) bool {
	switch t.Kind() {
	case reflect.Bool, reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64, reflect.Uint, reflect.Uint8,
		reflect.Uint16, reflect.Uint32, reflect.Uint64, reflect.Uintptr, reflect.Float32, reflect.Float64, reflect.Complex64, reflect.Complex128:
		return true
	case reflect.String:
		return true
	case reflect.Slice:
		return t.Elem().Kind() == reflect.Uint8
	case reflect.Array:
		return plain(t.Elem()) && t.Elem().Kind() != reflect.String && t.Elem().Kind() != reflect.Slice
	}
	return false
}

// close cancels what is in flight and removes the call from the pool.
func (m *mapCall[In, Out]) close() {
	m.call.cancel()
	m.call.pool.remove(m.call)
}

// run pulls inputs and yields outputs until yield returns false or there are no more.
func (m *mapCall[In, Out]) run(ctx context.Context, in iter.Seq[In], yield func(ch *mapChunk[In, Out], input int) bool) error {
	defer m.close()
	if err := m.call.pool.add(m.call); err != nil {
		return err
	}
	go m.pull(in)
	return m.consume(ctx, yield)
}

// pull puts inputs into the call until there are no more, or the call is over. It runs
// on a goroutine that nobody waits for, since the source may block for ever.
func (m *mapCall[In, Out]) pull(in iter.Seq[In]) {
	ended, stopped := false, false
	defer func() {
		switch p := recover(); {
		case p != nil:
			m.inputs.panicked = p
		case stopped:
			return // the call is over: leave exhausted unset
		case !ended:
			m.inputs.goexit = true
		}
		m.inputs.exhausted.Store(true)
		m.call.notify()
	}()
	for v := range in {
		if stopped = !m.inputs.wait(); stopped {
			break
		}
		m.put(v)
	}
	ended = true
}

// put adds v to the call's inputs. An input that cannot be encoded is finished at once
// with an InputError.
func (m *mapCall[In, Out]) put(v In) {
	if m.encodes {
		m.input = v
		m.putEncoded()
		return
	}
	ch := &mapChunk[In, Out]{m: m}
	ch.call, ch.cell, ch.seq, ch.inputs = m.call, ch, m.inputs.supplied.Load(), 1
	if ch.in = v; m.checks {
		ch.err = ipc.CheckValue(&ch.in)
	}
	m.inputs.put(&ch.chunk, sizeOf(&ch.in))
}

// putEncoded encodes m.input and adds it. A short input joins the chunk before it if
// that has room in its batch.
func (m *mapCall[In, Out]) putEncoded() {
	limit := m.call.pool.opts.MaxMessage
	most := limit - messageOverhead - int64(len(m.call.spec.Name))
	arg, err := encode(m.scratch[:0], &m.input, most)
	m.input = *new(In) // it can be freed
	if err == nil && int64(len(arg)) > most {
		err = fmt.Errorf("the input of %d bytes is over the limit of %d bytes a message", len(arg), limit)
	}
	if len(arg) <= maxBatchBytes {
		if m.scratch = arg; err == nil && m.inputs.join(arg) {
			return
		}
		arg = slices.Clone(arg)
	} else {
		m.scratch = nil // arg may share its array
	}
	ch := &mapChunk[In, Out]{m: m}
	ch.call, ch.cell, ch.seq, ch.inputs = m.call, ch, m.inputs.supplied.Load(), 1
	ch.arg, ch.err = arg, err
	m.inputs.put(&ch.chunk, int64(len(arg)))
}

// encode appends an encoded input to dst. The input's type may have an encoding method;
// a panic there becomes an error.
func encode[In any](dst []byte, v *In, most int64) (arg []byte, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v", p)
		}
	}()
	return ipc.AppendValueWithin(dst, v, most)
}

// sizeOf returns the size in bytes of a value that stays in this process: the length of
// a string or byte slice, else the size of its type without what it points to.
func sizeOf[T any](v *T) int64 {
	switch v := any(v).(type) {
	case *string:
		return int64(len(*v))
	case *[]byte:
		return int64(len(*v))
	}
	return int64(reflect.TypeFor[T]().Size())
}

// messageOverhead is the most bytes that a request has beside its input and the task's
// name.
const messageOverhead = 256

// consume yields outputs until yield returns false or there are no more. An error
// of the call as a whole comes after what is finished.
func (m *mapCall[In, Out]) consume(ctx context.Context, yield func(ch *mapChunk[In, Out], input int) bool) error {
	c := m.call
	var finished []*chunk
	for {
		c.pool.mu.Lock()
		finished, c.finished = c.finished, finished[:0]
		err := c.err
		c.pool.mu.Unlock()
		if ended := ctx.Err(); ended != nil && !m.endsSoon() {
			return ended // before the outputs: tasks in this process may have failed because of it
		}
		for _, ch := range finished {
			if isContextError(ch.err) {
				continue // the call's own context ended it; the call returns that error
			}
			if !m.take(ch.cell.(*mapChunk[In, Out]), yield) {
				return nil
			}
		}
		clear(finished)
		switch {
		case m.over():
			return m.ending()
		case len(finished) > 0:
		case err != nil && !m.endsSoon():
			return err
		default:
			c.await(ctx, nil, nil)
		}
	}
}

// isContextError reports whether settle replaced a chunk's error by that of the call's
// context.
func isContextError(err error) bool {
	return err == context.Canceled || err == context.DeadlineExceeded
}

// take yields a finished chunk's outputs, or keeps it until those before it are yielded.
// It reports false when yield does.
func (m *mapCall[In, Out]) take(ch *mapChunk[In, Out], yield func(*mapChunk[In, Out], int) bool) bool {
	if !m.ordered {
		return m.yield(ch, yield)
	}
	for int64(m.order.len()) < ch.seq-m.yields+int64(ch.inputs) {
		m.order.push(nil)
	}
	*m.order.at(int(ch.seq - m.yields)) = ch
	for m.order.len() > 0 && *m.order.at(0) != nil {
		ch := m.order.pop()
		for range ch.inputs - 1 {
			m.order.pop()
		}
		if !m.yield(ch, yield) {
			return false
		}
	}
	return true
}

func (m *mapCall[In, Out]) yield(ch *mapChunk[In, Out], yield func(*mapChunk[In, Out], int) bool) bool {
	m.inputs.yielded(&ch.chunk)
	for i := range ch.inputs {
		m.yields++
		if !yield(ch, i) {
			return false
		}
	}
	return true
}

// over reports whether the source has ended and all outputs are yielded.
func (m *mapCall[In, Out]) over() bool {
	return m.inputs.exhausted.Load() && m.yields == m.inputs.supplied.Load()
}

// endsSoon reports whether the call is complete. If all outputs so far are yielded, it
// waits up to 40 ms for the source to end: a complete call must not fail because its
// context or pool ends at the same moment.
func (m *mapCall[In, Out]) endsSoon() bool {
	if m.yields != m.inputs.supplied.Load() {
		return false
	}
	for range 20 {
		if m.over() {
			return true
		}
		time.Sleep(2 * time.Millisecond)
	}
	return m.over()
}

// ending repeats a panic or runtime.Goexit of the source on the consumer's goroutine.
func (m *mapCall[In, Out]) ending() error {
	switch {
	case m.inputs.panicked != nil:
		panic(m.inputs.panicked)
	case m.inputs.goexit:
		runtime.Goexit()
	}
	return nil
}
