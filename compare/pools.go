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
	"time"

	"procpool/placement"
	"procpool/pool"
	"procpool/task"
)

// Pools is the real [Runner]: it runs cells on pools of package parent. The
// zero value is valid.
//
// Each run has a fresh process as its parent, a host, which is this program once
// more: it starts the workers, hands out the chunks and folds. So every run
// begins alike, with an empty heap and cold caches of its own, and the record
// that grows here is in nobody's way. The clock runs in the host, from the first
// worker's start to the folded value; the host's own start is not timed. Its
// account (CPU seconds, faults, memory) is that of the run's parent and covers
// its whole life, as those of worker processes do.
//
// The program must call pool.Main first in main, and its tasks must be defined
// with task.DefineSum.
type Pools struct {
	Bind       string    // of worker processes and threads, in the words of placement.NewPlan: none (or ""), close, spread, or CPU lists
	GOMAXPROCS int       // of each worker process; 0 means 1
	EqualHeap  bool      // goroutines and threads get the heap budget that as many processes have together
	Stderr     io.Writer // for what tasks print; nil means os.Stderr
}

// Run implements [Runner].
func (p Pools) Run(ctx context.Context, c Cell) (Run, error) {
	if err := p.unsupported(c); err != nil {
		return Run{}, err
	}
	work := hosted{Cell: c, Bind: p.Bind, GOMAXPROCS: max(p.GOMAXPROCS, 1)}
	if c.Ablation == Bound {
		work.Bind = "close"
	}
	env, budget := p.heap(c)
	work.HeapBudget = budget
	workers, err := pool.New(ctx, pool.Options{Procs: 1, Retries: -1, GOMAXPROCS: runtime.GOMAXPROCS(0),
		Env: env, Trace: true, Stderr: p.Stderr})
	if err != nil {
		return Run{}, err
	}
	defer workers.Close()
	before, began := lookAround(), time.Now()
	run, err := work.send(ctx, workers)
	if err != nil {
		return Run{}, err
	}
	workers.Close()
	stats := workers.Stats()[0]
	run.account(stats)
	run.Flags = append(run.Flags, before.flags(lookAround(), time.Since(began), stats.UserSeconds+stats.SystemSeconds)...)
	return run, nil
}

// account adds what the host used. Its CPU time, which the kernel tells at its
// end, includes that of the workers that it waited for.
func (r *Run) account(host pool.WorkerStats) {
	usage, missing := usageOf(host)
	if workers, ok := sum(r.Workers, func(u Resources) Maybe[float64] { return u.CPUSeconds }).Get(); ok {
		total, _ := usage.CPUSeconds.Get()
		usage.CPUSeconds = Known(max(total-workers, 0))
	}
	r.Parent.Resources, r.Parent.PID = usage, host.PID
	r.miss(missing)
}

// unsupported reports a cell that cannot differ from its plain twin here.
func (p Pools) unsupported(c Cell) error {
	leave := func(format string, args ...any) error {
		return fmt.Errorf(format+": %w", append(args, errors.ErrUnsupported)...)
	}
	switch c.Ablation {
	case Bound:
		if p.bound() {
			return leave("workers are bound in every cell already")
		}
		if _, err := (placement.System{}).Mask(); err != nil {
			return err
		}
	case GCOff:
		if os.Getenv("GOGC") == "off" {
			return leave("GOGC=off holds for every cell already")
		}
	case EqualHeap:
		if p.EqualHeap || os.Getenv("GOGC") == "off" {
			return leave("heap budgets are equal in every cell already")
		}
	}
	return nil
}

func (p Pools) bound() bool { return p.Bind != "" && p.Bind != "none" }

// heap is the environment that gives a cell its heap budget, and that budget in
// words. Workers inherit it from their host. The least heap at which Go collects
// is 4 MiB * GOGC/100 a process, so one process with N times the GOGC waits as
// long as N processes together (runtime/mgcpacer.go, heapMinimum).
func (p Pools) heap(c Cell) (env []string, budget string) {
	percent := cmp.Or(os.Getenv("GOGC"), "100")
	heaps := 1
	if c.Backend == pool.Processes {
		heaps = c.Workers
	}
	inProcess := c.Backend == pool.Goroutines || c.Backend == pool.Threads
	switch {
	case c.Ablation == GCOff:
		limit := memoryGuard() / int64(heaps)
		percent = "off"
		env = append(env, "GOMEMLIMIT="+strconv.FormatInt(limit, 10))
	case c.Ablation == EqualHeap || p.EqualHeap && inProcess:
		if g, err := strconv.Atoi(percent); err == nil {
			percent = strconv.Itoa(g * c.Workers)
		}
	}
	env = append(env, "GOGC="+percent)
	budget = "GOGC=" + percent
	if c.Ablation == GCOff {
		budget += " up to a memory guard"
	} else if limit := os.Getenv("GOMEMLIMIT"); limit != "" {
		budget += " GOMEMLIMIT=" + limit
	}
	if heaps == 1 {
		return env, budget + ", one heap"
	}
	return env, fmt.Sprintf("%s, %d heaps", budget, heaps)
}

// memoryGuard bounds the memory of a run whose garbage is not collected: half of
// what this process may have, in bytes.
func memoryGuard() int64 {
	memory := placement.System{}.Memory()
	most := int64(2 << 30) // where nothing is known
	if memory.Total != nil {
		most = *memory.Total
	}
	for _, l := range memory.Limits {
		most = min(most, l.Bytes)
	}
	return most / 2
}

// send has the host run the cell. Both ways it is JSON: a [Run] has fields that
// only its own encoding knows.
func (h hosted) send(ctx context.Context, p *pool.Pool) (run Run, err error) {
	in, err := json.Marshal(h)
	if err != nil {
		return run, err
	}
	for out, err := range pool.Map(ctx, p, host, slices.Values([][]byte{in})) {
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
