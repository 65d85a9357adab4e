package compare

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"hash/fnv"
	"math"
	"runtime"
	"strings"
	"sync"
	"time"

	"procpool/internal/command"
	"procpool/internal/text"
	"procpool/ipc"
	"procpool/placement"
	"procpool/pool"
	"procpool/task"
)

// runInFreshProcess measures one cell in a fresh process, which is the parent of
// the run's workers.
var runInFreshProcess = task.Define("compare.run", func(ctx context.Context, in []byte) ([]byte, error) {
	var r runRequest
	if err := json.Unmarshal(in, &r); err != nil {
		return nil, err
	}
	run, err := r.run(ctx)
	if err != nil {
		return nil, err
	}
	return json.Marshal(run)
})

// A runRequest is the input of runInFreshProcess.
type runRequest struct {
	Cell       Cell
	Command    []string
	Reduce     string
	Bind       string
	GOMAXPROCS int    // of each worker process
	HeapBudget string // that the environment gives
}

func (r runRequest) run(ctx context.Context) (Run, error) {
	work, err := r.work()
	if err != nil {
		return Run{}, err
	}
	o, mask, err := r.options()
	if err != nil {
		return Run{}, err
	}
	w := startWaiter{started: make(chan struct{}), missing: o.Procs}
	o.OnEvent = w.event
	began := time.Now()
	p, err := pool.New(ctx, o)
	if err != nil {
		return Run{}, err
	}
	defer p.Close()
	if r.Cell.Warm {
		if _, err := work(ctx, p); err != nil {
			return Run{}, err
		}
		if o.Backend == pool.Processes {
			if err := w.wait(ctx); err != nil {
				return Run{}, err
			}
		}
		began = time.Now()
		w.restart(began)
	}
	value, err := work(ctx, p)
	wall := time.Since(began)
	if err != nil {
		return Run{}, err
	}
	if o.Backend == pool.Processes { // a worker that is still starting would end without reporting its usage
		if err := w.wait(ctx); err != nil {
			return Run{}, err
		}
	}
	p.Close() // its last events come before this returns
	run := w.recorder.Run(o.Backend, began, wall, p.Stats())
	run.Lost = w.lost
	if run.Value, err = value(); err != nil {
		return Run{}, err
	}
	run.Terms = r.terms(o, mask)
	return run, run.SumPhases()
}

// A work does all of a cell's work on a pool. The function that it returns makes the value
// afterwards, so that this is not timed.
type work func(ctx context.Context, p *pool.Pool) (value func() (Value, error), err error)

// work returns the work of the cell.
func (r runRequest) work() (work, error) {
	c := r.Cell
	if singles := inputs[c.Task]; singles != nil {
		return func(ctx context.Context, p *pool.Pool) (func() (Value, error), error) {
			return singles(ctx, p, c.Interval)
		}, nil
	}
	spec, ok := task.Lookup(c.Task)
	if !ok {
		return nil, fmt.Errorf("this program has no task %q", c.Task)
	}
	if !spec.Sums() {
		return nil, fmt.Errorf("task %q does not work on intervals: compare.Inputs can make inputs for it", c.Task)
	}
	w := pool.Workload{Task: spec, Whole: c.Interval, Grid: ipc.ChunkGrid(c.Interval, c.ChunkSize)}
	if c.Task == Exec {
		w.With = func(dst []byte, iv ipc.Interval) []byte {
			call := command.Call{Words: r.Command, Reduce: r.Reduce, Chunk: w.Grid.Find(iv.Start)}
			return call.Append(dst)
		}
		if r.Reduce == command.Concat {
			return concat(w), nil
		}
	}
	return func(ctx context.Context, p *pool.Pool) (func() (Value, error), error) {
		outcome, err := p.Run(ctx, w)
		return func() (Value, error) { return valueOf(outcome) }, err
	}, nil
}

// concat returns the work of a program whose output need not be a number. Its value is a
// digest of the outputs in the order of the chunks.
func concat(w pool.Workload) work {
	return func(ctx context.Context, p *pool.Pool) (func() (Value, error), error) {
		w, sum, n := w, fnv.New128a(), 0
		w.InOrder = func(c pool.Chunk) error {
			output := c.Total().(command.Partial).Output
			n += len(output)
			sum.Write(output)
			return nil
		}
		_, err := p.Run(ctx, w)
		return func() (Value, error) { return digestValue(fmt.Sprintf("%d bytes", n), sum), nil }, err
	}
}

// options returns the options of the pool, and the CPUs that may be used.
func (r runRequest) options() (o pool.Options, mask placement.CPUSet, err error) {
	o = pool.Options{Procs: r.Cell.Workers, Backend: r.Cell.Backend, Trace: true, MaxMessage: ipc.DefaultLimit}
	if r.Cell.Task == Exec { // outputs may be long, and a killed run must leave no program behind
		o.MaxMessage, o.EndsOwn = pool.DefaultMaxMessage, o.Backend == pool.Processes
	}
	mask, maskErr := placement.System{}.Mask()
	if o.Backend == pool.Processes {
		o.GOMAXPROCS = r.GOMAXPROCS
	}
	if o.Backend != pool.Processes && o.Backend != pool.Threads || !isBound(r.Bind) {
		return o, mask, nil
	}
	if maskErr != nil {
		return o, mask, maskErr
	}
	binding, err := placement.NewBinding(placement.BindingOptions{Bind: r.Bind, Workers: o.Procs, Width: max(o.GOMAXPROCS, 1),
		Mask: mask, Topology: placement.System{}.Topology()})
	o.Bind = binding.CPUs
	return o, mask, err
}

// terms returns the conditions of this run.
func (r runRequest) terms(o pool.Options, mask placement.CPUSet) Terms {
	t := Terms{ParentGOMAXPROCS: runtime.GOMAXPROCS(0), WorkerGOMAXPROCS: o.GOMAXPROCS, HeapBudget: r.HeapBudget,
		Mask: mask.String(), Binding: "none", Pool: "cold"}
	if r.Cell.Warm {
		t.Pool = "warm"
	}
	if len(o.Bind) > 0 {
		var sets []string
		for _, set := range o.Bind {
			sets = append(sets, set.String())
		}
		t.Binding = strings.Join(sets, "/")
	}
	return t
}

// A startWaiter records a pool's events and waits for its workers to start.
type startWaiter struct {
	mu       sync.Mutex // guards the other fields but started
	since    time.Time  // events that began earlier are not recorded
	recorder Recorder
	missing  int           // workers that have not started
	started  chan struct{} // closed when all have
	err      error         // why one failed to start
	lost     int
}

// restart drops what was recorded, and ignores events that began before since.
func (w *startWaiter) restart(since time.Time) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.since, w.recorder = since, Recorder{}
}

func (w *startWaiter) event(e pool.Event) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !e.Began.Before(w.since) {
		w.recorder.Event(e)
	}
	switch e.Kind {
	case pool.WorkerStarted, pool.WorkerGivenUp:
		if e.Kind == pool.WorkerGivenUp {
			w.err = e.Err
		}
		if w.missing--; w.missing == 0 {
			close(w.started)
		}
	case pool.WorkerLost:
		w.lost++
	}
}

func (w *startWaiter) wait(ctx context.Context) error {
	select {
	case <-w.started:
		return w.err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// valueOf returns the result with its exact bits: those of a float64, or the wire encoding
// of any other type.
func valueOf(o pool.Outcome) (Value, error) {
	if f, ok := o.Total.(float64); ok {
		return Value{text.Float(f), fmt.Sprintf("%016x", math.Float64bits(f))}, nil
	}
	bits, err := o.AppendTotal(nil)
	if err != nil {
		return Value{}, err
	}
	shown := fmt.Sprint(o.Value)
	if f, ok := o.Value.(float64); ok {
		shown = text.Float(f)
	}
	return Value{shown, hex.EncodeToString(bits)}, nil
}
