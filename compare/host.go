package compare

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math"
	"runtime"
	"strconv"
	"strings"
	"time"

	"procpool/ipc"
	"procpool/placement"
	"procpool/pool"
	"procpool/task"
)

// host is one run, in the process that is its parent.
var host = task.Define("compare.run", func(ctx context.Context, in []byte) ([]byte, error) {
	var h hosted
	if err := json.Unmarshal(in, &h); err != nil {
		return nil, err
	}
	run, err := h.run(ctx)
	if err != nil {
		return nil, err
	}
	return json.Marshal(run)
})

// hosted is what a host is told.
type hosted struct {
	Cell       Cell
	Bind       string
	GOMAXPROCS int    // of each worker process
	HeapBudget string // that its environment gives
}

func (h hosted) run(ctx context.Context) (Run, error) {
	spec, ok := task.Lookup(h.Cell.Task)
	if !ok {
		return Run{}, fmt.Errorf("this program has no task %q", h.Cell.Task)
	}
	o, mask, err := h.options()
	if err != nil {
		return Run{}, err
	}
	w := watcher{ready: make(chan struct{}), missing: o.Procs}
	o.OnEvent = w.event
	began := time.Now()
	p, err := pool.New(ctx, o)
	if err != nil {
		return Run{}, err
	}
	defer p.Close()
	if h.Cell.Ablation == Warm && o.Backend == pool.Processes {
		if err := w.wait(ctx); err != nil {
			return Run{}, err
		}
		w.recorder, began = Recorder{}, time.Now()
	}
	outcome, err := p.Run(ctx, pool.Workload{Task: spec, Whole: h.Cell.Interval, Grid: ipc.ChunkGrid(h.Cell.Interval, h.Cell.ChunkSize)})
	wall := time.Since(began)
	if err != nil {
		return Run{}, err
	}
	if o.Backend == pool.Processes { // one that is still starting would end without an account
		if err := w.wait(ctx); err != nil {
			return Run{}, err
		}
	}
	p.Close() // its last events come before this returns
	run := w.recorder.Run(o.Backend, began, wall, p.Stats())
	run.Flags = w.flags
	if run.Value, err = valueOf(outcome); err != nil {
		return Run{}, err
	}
	run.Terms = h.terms(o, mask)
	return run, run.SumPhases()
}

// options are the pool's.
func (h hosted) options() (o pool.Options, mask placement.CPUSet, err error) {
	o = pool.Options{Procs: h.Cell.Workers, Backend: pool.Backend(h.Cell.Backend), Trace: true, MaxMessage: ipc.DefaultLimit}
	mask, maskErr := placement.System{}.Mask()
	if o.Backend == pool.Processes {
		o.GOMAXPROCS = h.GOMAXPROCS
	}
	if o.Backend != pool.Processes && o.Backend != pool.Threads || h.Bind == "" || h.Bind == "none" {
		return o, mask, nil
	}
	if maskErr != nil {
		return o, mask, maskErr
	}
	plan, err := placement.NewBinding(placement.BindingOptions{Bind: h.Bind, Workers: o.Procs, Width: max(o.GOMAXPROCS, 1),
		Mask: mask, Topology: placement.System{}.Topology()})
	o.Bind = plan.CPUs
	return o, mask, err
}

// terms are the conditions of this run.
func (h hosted) terms(o pool.Options, mask placement.CPUSet) Terms {
	t := Terms{ParentGOMAXPROCS: runtime.GOMAXPROCS(0), WorkerGOMAXPROCS: o.GOMAXPROCS, HeapBudget: h.HeapBudget,
		Mask: mask.String(), Binding: "none", Pool: "cold"}
	if h.Cell.Ablation == Warm {
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

// A watcher hears a pool's events.
type watcher struct {
	recorder Recorder
	missing  int           // workers that have not started
	ready    chan struct{} // is closed when all have
	err      error         // why one never will
	flags    []string
}

func (w *watcher) event(e pool.Event) {
	w.recorder.Event(e)
	switch e.Kind {
	case pool.WorkerStarted, pool.WorkerGivenUp:
		if e.Kind == pool.WorkerGivenUp {
			w.err = e.Err
		}
		if w.missing--; w.missing == 0 {
			close(w.ready)
		}
	case pool.WorkerLost:
		w.flags = append(w.flags, "worker lost")
	}
}

// wait waits for all worker processes.
func (w *watcher) wait(ctx context.Context) error {
	select {
	case <-w.ready:
		return w.err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// valueOf is the result with its exact bits: those of the number, and of any
// other type the encoding in which it travels.
func valueOf(o pool.Outcome) (Value, error) {
	if f, ok := o.Total.(float64); ok {
		return Value{strconv.FormatFloat(f, 'g', -1, 64), fmt.Sprintf("%016x", math.Float64bits(f))}, nil
	}
	bits, err := o.AppendTotal(nil)
	if err != nil {
		return Value{}, err
	}
	text := fmt.Sprint(o.Value)
	if f, ok := o.Value.(float64); ok {
		text = strconv.FormatFloat(f, 'g', -1, 64)
	}
	return Value{text, hex.EncodeToString(bits)}, nil
}
