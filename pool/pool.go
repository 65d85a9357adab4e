// Package pool is multiprocessing.Pool for Go: tasks that a program defines run in
// worker processes, which are the same program started again and share no memory.
//
//	var double = pool.Define("double", func(ctx context.Context, n int) (int, error) { return 2 * n, nil })
//
//	func main() {
//		pool.Main() // a worker goes no further
//		p, err := pool.New(ctx, pool.Options{})
//		...
//		defer p.Close()
//		for out, err := range pool.Map(ctx, p, double, inputs) {
//
// Which function to call for what:
//
//   - [Define] a task that maps an input to an output, [DefineSum] one that
//     computes a partial result over an interval of indices; both at package level.
//   - [Main] is the first statement of main, and of TestMain.
//   - [New] makes a pool: of processes, or with [Options].Backend of goroutines.
//   - [Map] yields outputs in the order of the inputs, [MapUnordered] as they are
//     finished, [Reduce] folds them. Inputs and outputs stream in bounded memory.
//   - [Sum] adds up a DefineSum task over an interval. [Pool.Run] does the same for
//     a batch job: it can be stopped, has a deadline, reports every chunk, and
//     leaves out those that are done already.
//   - [Worker] tells a task which worker runs it; [OnExit] tears down what a worker
//     has opened.
//   - [Pool.Stats] says what each worker did and used, [Options].OnEvent what happens.
//
// A failed input costs its own output and nothing else. Errors are typed:
// [TaskError], [LostWorkerError], [TimeoutError], [InputError], [StartError] and
// [OptionsError], for errors.As.
package pool

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"
	"time"

	"procpool/internal/role"
	"procpool/parent"
)

// A Pool is a set of workers. It is safe for concurrent use; several maps and
// sums may run at once. Close must be called when it is no longer needed.
type Pool struct {
	opts   Options
	sys    parent.System
	events sync.Mutex // held around OnEvent
	clock  clock
	stderr lockedWriter // Options.Stderr

	mu       sync.Mutex
	slots    []*slot
	calls    []*call // that have work; the one to be asked first moves on
	asked    int     // index in calls of the last one asked
	idle     []*slot // have nothing in flight, and found nothing to do
	givenUp  int     // slots
	oomKills int64   // processes killed for lack of memory, when last counted; below 0 before that
	closed   bool    // no new calls
	failure  error   // why no worker is left

	workers sync.WaitGroup // everything that the pool started
	stop    chan struct{}  // closed with the pool
	release func() bool    // undoes the watch over the pool's context
}

// New makes a pool and begins to start its workers; it does not wait for
// them. A worker that cannot be started shows in the first call that needs
// one. When ctx is done the pool is closed at once and calls in progress fail.
func New(ctx context.Context, o Options) (*Pool, error) {
	return newPool(ctx, o, parent.OS())
}

func newPool(ctx context.Context, o Options, sys parent.System) (*Pool, error) {
	o, err := o.withDefaults()
	if err != nil {
		return nil, err
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	p := &Pool{opts: o, sys: sys, clock: newClock(), stderr: lockedWriter{w: o.Stderr}, oomKills: -1, stop: make(chan struct{})}
	slots := o.Procs
	if o.Backend == Serial {
		slots = 1 // however many parts the input is cut into
	}
	for i := range slots {
		p.slots = append(p.slots, &slot{pool: p, index: i, stats: WorkerStats{Worker: i}})
	}
	if err := p.start(); err != nil {
		return nil, err
	}
	p.mu.Lock() // ctx may be done already, and then close runs
	defer p.mu.Unlock()
	p.release = context.AfterFunc(ctx, func() { p.close(ctx.Err()) })
	return p, nil
}

// start gives every slot its executor.
func (p *Pool) start() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch p.opts.Backend {
	case Processes:
		return p.startProcesses()
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
	return nil
}

func (p *Pool) startProcesses() error {
	if !role.MainRan() {
		return errors.New("worker processes would run this whole program again: call pool.Main first in main or TestMain")
	}
	if parent.Depth() >= parent.MaxDepth {
		return fmt.Errorf("pools are nested %d deep, no deeper", parent.MaxDepth)
	}
	env := p.opts.workerEnv()
	launcher, err := p.opts.launcher(env)
	if err != nil {
		return err
	}
	spawner := parent.NewSpawner(parent.SpawnerConfig{System: p.sys, Env: env, Bind: p.opts.Bind, Launcher: launcher, Stop: p.stop})
	var supervisors sync.WaitGroup
	for _, s := range p.slots {
		w := &worker{slot: s, spawner: spawner}
		s.body = w
		supervisors.Go(w.supervise)
	}
	p.workers.Go(func() { supervisors.Wait(); spawner.Close() })
	p.workers.Go(p.countOOMKills)
	return nil
}

// settleTime is when a pool begins to count what the system kills for lack of
// memory. It reads half a dozen files for that, while its workers start: a run that
// is over sooner has no use for it.
const settleTime = 20 * time.Millisecond

func (p *Pool) countOOMKills() {
	select {
	case <-p.stop:
	case <-time.After(settleTime):
		kills := p.sys.OOMKills()
		p.mu.Lock()
		p.oomKills = max(p.oomKills, kills)
		p.mu.Unlock()
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

// close fails the calls with why and asks every worker to end: in order if it has
// nothing in flight, at once if it has, since nobody wants that any more.
func (p *Pool) close(why error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return
	}
	p.closed = true
	p.release()
	close(p.stop)
	for _, c := range p.calls {
		c.fail(why)
	}
	for _, s := range p.slots {
		if len(s.inFlight) > 0 {
			s.body.abort()
		} else {
			s.body.end()
		}
	}
}

// add has the workers work on a call.
func (p *Pool) add(c *call) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return ErrClosed
	}
	if p.failure != nil {
		return p.failure
	}
	p.calls = append(p.calls, c)
	p.offer()
	return nil
}

// remove takes a call away. Workers that have chunks of it in flight are killed
// and replaced, since nobody waits for them.
func (p *Pool) remove(c *call) {
	p.mu.Lock()
	defer p.mu.Unlock()
	c.stopped = true
	if i := slices.Index(p.calls, c); i >= 0 {
		p.calls = slices.Delete(p.calls, i, i+1)
	}
	if c.inFlight == 0 {
		return
	}
	for _, s := range p.slots {
		if slices.ContainsFunc(s.inFlight, func(f flight) bool { return f.call == c }) {
			s.body.abort()
		}
	}
}

// offer lets idle workers take what there is.
func (p *Pool) offer() {
	waiting := p.idle
	p.idle = nil
	for i, s := range waiting {
		s.idle = false
		s.fill()
		// What one worker does not find, the others do not find either, unless it
		// is assigned to one of them.
		if s.idle && !slices.ContainsFunc(p.calls, func(c *call) bool { return c.assigned && len(c.waiting) > 0 }) {
			p.idle = append(p.idle, waiting[i+1:]...)
			return
		}
	}
}

// pick chooses a chunk for s, asking calls in turn.
func (p *Pool) pick(s *slot) (flight, bool) {
	if len(s.inFlight) > 0 && s.inFlight[0].chunk.alone {
		return flight{}, false
	}
	for range p.calls {
		p.asked = (p.asked + 1) % len(p.calls)
		c := p.calls[p.asked]
		if c.stopped || len(s.inFlight) >= s.limit(c) {
			continue
		}
		if ch := c.take(s); ch != nil {
			return flight{c, ch}, true
		}
	}
	return flight{}, false
}

// present is how many workers there are or may be again.
func (p *Pool) present() int { return len(p.slots) - p.givenUp }

// giveUp leaves a slot empty for good. With the last one the pool fails.
func (p *Pool) giveUp(s *slot, tries int, err error) {
	s.givenUp = true
	p.givenUp++
	if p.present() > 0 {
		p.offer() // shares have grown
		return
	}
	p.fail(&StartError{Tries: tries, Err: err})
}

// fail ends the calls that run and all that come with why.
func (p *Pool) fail(why error) {
	p.failure = why
	for _, c := range p.calls {
		c.fail(why)
	}
}

// A lockedWriter lets several workers write to w, one line at a time.
type lockedWriter struct {
	mu sync.Mutex
	w  io.Writer
}

func (l *lockedWriter) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.w.Write(b)
}
