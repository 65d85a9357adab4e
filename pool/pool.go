// Package parent is the pool: it starts workers, hands them chunks of work,
// notices what goes wrong with them, and puts their results together in order.
//
//	func main() {
//		pool.Main()
//		pool, err := pool.New(ctx, pool.Options{})
//		...
//		defer pool.Close()
//		for out, err := range pool.Map(ctx, pool, Double, inputs) {
//
// [Map] and [MapUnordered] run a task over any sequence of inputs, [Reduce]
// folds the results, [Sum] adds up a task over an interval; [Pool.Run] is the
// form of Sum that a command line needs.
//
// # Reading order
//
// options.go, errors.go, event.go and stats.go are what callers see; map.go, sum.go
// and run.go the ways to use a pool, summing.go what run.go does with the results.
// pool.go is the pool, job.go the chunks of one call, slot.go a worker's place and
// how full its hand may be. An executor computes: inprocess.go on goroutines,
// process.go in a worker process, whose life and death are in life.go, outgoing.go,
// monitor.go and verdict.go. system.go is the seam to the operating system,
// spawn*.go and memory.go how a process is started, stderr.go what happens to its
// standard error. template.go, launcher.go and launched.go are workers that
// another program starts, perhaps elsewhere: the words, whose they are, and their end.
package pool

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"
	"sync"

	"procpool/internal/role"
)

// A Pool is a set of workers. It is safe for concurrent use; several maps and
// sums may run at once. Close must be called when it is no longer needed.
type Pool struct {
	opts   Options
	launch *launcher // nil if workers are started without one
	sys    system
	events sync.Mutex // held around OnEvent
	clock  clock
	stderr sync.Mutex // held around Options.Stderr.Write

	mu      sync.Mutex
	slots   []*slot
	jobs    []*job // that have work; the one to be asked first moves on
	asked   int    // index in jobs of the last one asked
	hungry  []*slot
	absent  int   // slots given up
	ooms    int64 // processes killed for lack of memory, when last counted; below 0 before that
	closed  bool  // no new jobs
	failure error // why no worker is left

	workers sync.WaitGroup // everything that the pool started
	stop    chan struct{}  // closed with the pool
	gone    chan struct{}  // closed when the last worker process is gone
	release func() bool    // undoes the watch over the pool's context
}

// maxDepth bounds pools within workers of pools. depthEnv carries the depth.
const (
	maxDepth = 3
	depthEnv = "PROCPOOL_DEPTH"
)

// NewPool makes a pool and begins to start its workers; it does not wait for
// them. A worker that cannot be started shows in the first call that needs
// one. When ctx is done the pool is closed at once and calls in progress fail.
func New(ctx context.Context, o Options) (*Pool, error) {
	return newPool(ctx, o, osSystem())
}

func newPool(ctx context.Context, o Options, sys system) (*Pool, error) {
	o, err := o.withDefaults()
	if err != nil {
		return nil, err
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	launch, err := newLauncher(o)
	if err != nil {
		return nil, err
	}
	if o.Backend == Processes {
		if !role.MainRan() {
			return nil, errors.New("worker processes would run this whole program again: call pool.Main first in main or TestMain")
		}
		if depth() >= maxDepth {
			return nil, fmt.Errorf("pools are nested %d deep, no deeper", maxDepth)
		}
	}
	p := &Pool{opts: o, launch: launch, sys: sys, clock: newClock(), ooms: -1, stop: make(chan struct{}), gone: make(chan struct{})}
	places := o.Procs
	if o.Backend == Serial {
		places = 1 // however many parts the input is cut into
	}
	for i := range places {
		p.slots = append(p.slots, &slot{pool: p, index: i, stats: WorkerStats{Worker: i}})
	}
	p.start()
	p.mu.Lock() // ctx may be done already, and then close runs
	defer p.mu.Unlock()
	p.release = context.AfterFunc(ctx, func() { p.close(ctx.Err()) })
	return p, nil
}

// start gives every slot its body.
func (p *Pool) start() {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch p.opts.Backend {
	case Processes:
		spawn := newSpawner(p)
		var supervisors sync.WaitGroup
		for _, s := range p.slots {
			supervisors.Go(newWorker(s, spawn).supervise)
		}
		p.workers.Go(func() { supervisors.Wait(); close(p.gone) })
		p.workers.Go(p.monitor)
	case Goroutines, Threads:
		for _, s := range p.slots {
			g := &goroutine{slot: s, ready: sync.NewCond(&p.mu)}
			s.body = g
			p.workers.Go(g.start)
		}
	case Serial:
		for _, s := range p.slots {
			s.body = &serial{slot: s}
		}
	}
}

// Procs is the number of workers.
func (p *Pool) Procs() int { return p.opts.Procs }

// Close ends the workers and waits for them. Calls in progress fail with
// ErrClosed. Closing again is harmless.
func (p *Pool) Close() error {
	p.close(ErrClosed)
	p.workers.Wait()
	return nil
}

// close fails the jobs with why and asks every worker to end: in order if its
// hand is empty, at once if what it has is wanted no more.
func (p *Pool) close(why error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return
	}
	p.closed = true
	p.release()
	close(p.stop)
	for _, j := range p.jobs {
		j.fail(why)
	}
	for _, s := range p.slots {
		if s.body == nil {
			continue
		}
		if len(s.hand) > 0 {
			s.body.abort()
		} else {
			s.body.end()
		}
	}
}

// enter puts a job before the workers.
func (p *Pool) enter(j *job) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return ErrClosed
	}
	if p.failure != nil {
		return p.failure
	}
	p.jobs = append(p.jobs, j)
	p.offer()
	return nil
}

// leave takes a job away; workers that have chunks of it running are given up
// and replaced, since nobody waits for them.
func (p *Pool) leave(j *job) {
	p.mu.Lock()
	defer p.mu.Unlock()
	j.stopped = true
	if i := slices.Index(p.jobs, j); i >= 0 {
		p.jobs = slices.Delete(p.jobs, i, i+1)
	}
	if j.inHand > 0 {
		p.abort(j)
	}
}

// abort gives up the workers that have chunks of j.
func (p *Pool) abort(j *job) {
	for _, s := range p.slots {
		if slices.ContainsFunc(s.hand, func(h held) bool { return h.job == j }) {
			s.body.abort()
		}
	}
}

// offer lets workers whose hands are empty draw, as long as there is something.
func (p *Pool) offer() {
	waiting := p.hungry
	p.hungry = nil
	for i, s := range waiting {
		s.hungry = false
		s.draw()
		if s.hungry { // there was nothing for it, so there is nothing for the others
			p.hungry = append(p.hungry, waiting[i+1:]...)
			return
		}
	}
}

// pick chooses a chunk for s, asking jobs in turn.
func (p *Pool) pick(s *slot) (held, bool) {
	if len(s.hand) > 0 && s.hand[0].chunk.alone {
		return held{}, false
	}
	for range p.jobs {
		p.asked = (p.asked + 1) % len(p.jobs)
		j := p.jobs[p.asked]
		if j.stopped || len(s.hand) >= s.limit(j) {
			continue
		}
		if c := j.take(len(s.hand) == 0); c != nil {
			return held{j, c}, true
		}
	}
	return held{}, false
}

// present is how many workers there are or may be again.
func (p *Pool) present() int { return len(p.slots) - p.absent }

// giveUp leaves a slot empty for good. With the last one the pool fails.
func (p *Pool) giveUp(s *slot, tries int, err error) {
	s.absent = true
	p.absent++
	if p.present() > 0 {
		p.offer() // shares have grown
		return
	}
	p.fail(&StartError{Tries: tries, Err: err})
}

// fail leaves the pool without hope: what runs and what comes fails with why.
func (p *Pool) fail(why error) {
	p.failure = why
	for _, j := range p.jobs {
		j.fail(why)
	}
}

func depth() int {
	d, _ := strconv.Atoi(os.Getenv(depthEnv))
	return d
}
