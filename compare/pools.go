package compare

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"slices"
	"strconv"

	"procpool/internal/command"
	"procpool/pool"
	"procpool/task"
)

// Pools is the [Runner] that runs cells on pools of package pool. The zero value
// is valid.
//
// Each run has a fresh process as its parent, which is this program once more: it
// starts the workers, hands out the chunks and adds up the results. So every run
// begins alike, with an empty heap and cold caches, and the growing record in this
// process does not disturb it. The clock runs in the fresh process,
// from the first worker's start to the final sum; the fresh process's own start is
// not timed. The resources of the run's parent (CPU seconds, faults, memory) are
// those of the fresh process from its start to its end, as for worker processes.
//
// The program must call pool.Main first in main. Its tasks are those of pool.DefineSum,
// those of pool.Define for which [Inputs] makes inputs, and [Exec].
type Pools struct {
	Bind       string    // of worker processes and threads, as for [placement.NewBinding]: none (or ""), close, spread, or CPU lists
	GOMAXPROCS int       // of each worker process; 0 means 1
	Command    []string  // words of a program, for the task [Exec]
	Reduce     string    // how the outputs of Command become a value: sum (or ""), min, max or concat
	EqualHeap  bool      // goroutines and threads get the heap budget that as many processes have together
	Stderr     io.Writer // for what tasks print; nil means os.Stderr
}

// Run implements [Runner].
func (p Pools) Run(ctx context.Context, c Cell) (Run, error) {
	env, budget := p.heap(c)
	request := runRequest{Cell: c, Command: p.Command, Reduce: cmp.Or(p.Reduce, command.Sum), Bind: p.Bind, GOMAXPROCS: max(p.GOMAXPROCS, 1), HeapBudget: budget}
	threads := c.Workers // goroutines and threads get as many CPUs as that many processes have
	if c.Backend == pool.Processes {
		threads = runtime.GOMAXPROCS(0)
	}
	fresh, err := pool.New(ctx, pool.Options{Procs: 1, Retries: -1, GOMAXPROCS: threads,
		Env: env, Trace: true, Stderr: p.Stderr, LimitLines: true, EndsOwn: c.Task == Exec})
	if err != nil {
		return Run{}, err
	}
	defer fresh.Close()
	run, err := request.send(ctx, fresh)
	if err != nil {
		return Run{}, err
	}
	fresh.Close()
	run.addParent(fresh.Stats()[0])
	return run, nil
}

// addParent adds what the fresh process used. Its CPU time includes that of the
// workers, because it waited for their end, so addParent subtracts theirs.
func (r *Run) addParent(fresh pool.WorkerStats) {
	used, workers := resources(fresh), r.WorkersTotal()
	less := func(all, theirs Maybe[float64]) Maybe[float64] {
		a, known := all.Get()
		if t, ok := theirs.Get(); ok && known {
			return Known(max(a-t, 0))
		}
		return all
	}
	used.UserSeconds = less(used.UserSeconds, workers.UserSeconds)
	used.SystemSeconds = less(used.SystemSeconds, workers.SystemSeconds)
	r.Parent.Resources, r.Parent.PID = used, fresh.PID
}

func isBound(bind string) bool { return bind != "" && bind != "none" }

// heap returns the environment that gives a cell its heap budget, and a description of
// that budget. Workers inherit it from the fresh process. The least heap at which Go collects
// is 4 MiB * GOGC/100 a process, so one process with N times the GOGC waits as
// long as N processes together (runtime/mgcpacer.go, heapMinimum).
func (p Pools) heap(c Cell) (env []string, budget string) {
	percent := cmp.Or(os.Getenv("GOGC"), "100")
	if g, err := strconv.Atoi(percent); err == nil && p.EqualHeap && c.Backend != pool.Processes {
		percent = strconv.Itoa(g * c.Workers)
	}
	budget = "GOGC=" + percent
	if limit := os.Getenv("GOMEMLIMIT"); limit != "" {
		budget += " GOMEMLIMIT=" + limit
	}
	if c.Backend == pool.Processes && c.Workers > 1 {
		return []string{"GOGC=" + percent}, fmt.Sprintf("%s, %d heaps", budget, c.Workers)
	}
	return []string{"GOGC=" + percent}, budget + ", one heap"
}

// send runs the cell in the fresh process of p. Request and Run travel as JSON, because
// the wire encoding does not know some types of a [Run]'s fields.
func (r runRequest) send(ctx context.Context, p *pool.Pool) (run Run, err error) {
	in, err := json.Marshal(r)
	if err != nil {
		return run, err
	}
	for out, err := range pool.Map(ctx, p, runInFreshProcess, slices.Values([][]byte{in})) {
		var failed *task.Error
		if errors.As(err, &failed) {
			return run, errors.New(failed.Text)
		} else if err != nil {
			return run, err
		}
		err = json.Unmarshal(out, &run)
		return run, err
	}
	return run, ctx.Err()
}
