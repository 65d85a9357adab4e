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
	"cmp"
	"container/heap"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"
	"time"

	"procpool/internal/role"
	"procpool/ipc"
	"procpool/parent"
	"procpool/task"
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
	calls    map[*call]struct{}      // in progress
	ready    queue                   // of those, the ones that may have chunks to hand out
	passed   []*call                 // room for pick
	served   float64                 // seconds of workers' time that the last call had had which had an answer
	paces    map[*task.Spec]*float64 // seconds that chunks of a task took lately, in all calls
	idle     []*slot                 // have nothing in flight, and found nothing to do
	oomKills int64                   // processes killed for lack of memory, when last counted; below 0 before that
	closed   bool                    // no new calls
	shut     bool                    // likewise; those in progress may finish
	failure  error                   // why there can be no calls; nil if there can

	hello       *ipc.Hello    // the first
	hadWorker   bool          // some worker has said hello
	failing     int           // slots
	living      int           // workers that have said hello and not ended
	without     time.Time     // since when there are none, and calls
	parked      int           // slots
	resting     int           // slots that wait for a call before they try again
	called      chan struct{} // closed and replaced when a call comes for them
	readied     chan struct{} // closed when the first worker has said hello
	rebalancing bool          // rebalance runs, or is to be called soon
	allDone     chan struct{} // closed when shut and no call is left; nil before Shutdown

	workers sync.WaitGroup // everything that the pool started
	stop    chan struct{}  // closed with the pool
	release func() bool    // undoes the watch over the pool's context
}

// New returns a pool and begins to start its workers, for which it does not wait: if they
// cannot be started, the first call says so. When ctx is done, the pool is closed at once
// and calls in progress fail. The error is an *[OptionsError], a *[ThreadsError], or the
// context's.
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
	p := &Pool{opts: o, sys: sys, clock: newClock(), stderr: lockedWriter{w: o.Stderr}, oomKills: -1, stop: make(chan struct{}),
		calls: make(map[*call]struct{}), paces: make(map[*task.Spec]*float64), called: make(chan struct{}), readied: make(chan struct{})}
	slots := o.Procs
	if o.Backend == Serial {
		slots = 1 // however many parts the input is cut into
	}
	for i := range slots {
		p.slots = append(p.slots, &slot{pool: p, index: i, stats: WorkerStats{Worker: i, Host: o.host(i)}})
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
		p.announceReady()
		for _, s := range p.slots {
			g := &goroutine{slot: s, ready: sync.NewCond(&p.mu)}
			s.executor = g
			p.workers.Go(g.start)
		}
	case Serial:
		p.announceReady()
		for _, s := range p.slots {
			s.executor = &serial{slot: s}
		}
	}
	return nil
}

func (p *Pool) startProcesses() error {
	if p.opts.Worker == nil && !role.MainRan() {
		return errors.New("worker processes would run this whole program again: call pool.Main first in main or TestMain")
	}
	if parent.Depth() >= parent.MaxDepth {
		return fmt.Errorf("pools are nested %d deep, no deeper", parent.MaxDepth)
	}
	if check := p.sys.CheckThreads; check != nil && p.opts.Launcher == "" {
		if err := check(p.opts.Procs, p.opts.GOMAXPROCS); err != nil {
			return err
		}
	}
	env := p.opts.workerEnv()
	launcher, err := p.opts.launcher(env)
	if err != nil {
		return err
	}
	spawner := parent.NewSpawner(parent.SpawnerConfig{System: p.sys, Env: env, Dir: p.opts.Dir, Bind: p.opts.Bind, Program: p.opts.Worker, Launcher: launcher, EndsOwn: p.opts.EndsOwn, Stop: p.stop})
	var supervisors sync.WaitGroup
	for _, s := range p.slots {
		w := &worker{slot: s, spawner: spawner, unparked: make(chan struct{}, 1)}
		s.executor = w
		supervisors.Go(w.supervise)
	}
	p.workers.Go(func() { supervisors.Wait(); spawner.Close() })
	p.workers.Go(p.countOOMKills)
	if p.opts.IdleTimeout > 0 {
		p.workers.Go(p.parkIdle)
	}
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

// Procs returns the number of workers.
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
	for c := range p.calls {
		c.fail(why)
		c.cancel() // its consumer may be the one who closes
	}
	for _, s := range p.slots {
		if len(s.inFlight) > 0 {
			s.executor.abort()
		} else {
			s.executor.end()
		}
	}
}

// add has the workers work on a call.
func (p *Pool) add(c *call) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed || p.shut {
		return ErrClosed
	}
	if err := cmp.Or(p.failure, p.unfit(c.spec)); err != nil {
		return err
	}
	if p.living == 0 && len(p.calls) == 0 {
		p.without = time.Now()
	}
	p.calls[c] = struct{}{}
	c.learned = p.paceOf(c.spec)
	c.pace = *c.learned
	c.fitBatch()
	if p.resting > 0 { // slots that wait for a call try again
		close(p.called)
		p.called = make(chan struct{})
	}
	p.list(c)
	p.offer()
	return nil
}

// remove takes a call away. What it has in flight is cancelled.
func (p *Pool) remove(c *call) {
	p.mu.Lock()
	defer p.mu.Unlock()
	c.stop()
	delete(p.calls, c)
	if c.listed >= 0 {
		heap.Remove(&p.ready, c.listed)
	}
	if c.inFlight > 0 {
		for _, s := range p.slots {
			s.executor.cancel(c)
		}
	}
	if p.allDone != nil && len(p.calls) == 0 {
		close(p.allDone)
		p.allDone = nil
	}
}

// offer lets idle workers take what there is.
func (p *Pool) offer() {
	defer p.unpark()
	waiting := p.idle
	p.idle = nil
	for i, s := range waiting {
		s.idle = false
		s.fill()
		// What one worker does not find, the others do not find either, unless it
		// is assigned to one of them.
		if s.idle && !p.hasAssigned() {
			p.idle = append(p.idle, waiting[i+1:]...)
			break
		}
	}
	p.rebalance()
}

// hasAssigned reports whether a chunk waits for a worker that it is assigned to.
func (p *Pool) hasAssigned() bool {
	return slices.ContainsFunc(p.ready, func(c *call) bool { return c.assigned && len(c.returned) > 0 })
}

// present is how many workers there are or may be soon.
func (p *Pool) present() int { return max(len(p.slots)-p.failing, 1) }

// fail ends the calls that run and all that come with why.
func (p *Pool) fail(why error) {
	p.failure = why
	for c := range p.calls {
		c.fail(why)
	}
}

// announceReady tells Ready that a worker is there. The caller holds the lock.
func (p *Pool) announceReady() {
	select {
	case <-p.readied:
	default:
		close(p.readied)
	}
}

// Ready waits until a worker can take work. Its error says why none will: [ErrClosed],
// the context's error, or a *[StartError].
func (p *Pool) Ready(ctx context.Context) error {
	c := p.newCall(ctx, readiness, callOptions{})
	c.supply, c.cancel = nothing{}, func() {}
	if err := p.add(c); err != nil {
		return err
	}
	defer p.remove(c)
	for {
		select {
		case <-p.readied:
			return nil
		case <-c.wake:
			p.mu.Lock()
			err := c.err
			p.mu.Unlock()
			if err != nil {
				return err
			}
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// Shutdown closes the pool in order: it refuses new calls and waits for those in
// progress. If ctx is done first, it cancels their tasks, which have Options.CancelGrace
// to end, and returns the context's error. Then it closes the pool, as Close does.
func (p *Pool) Shutdown(ctx context.Context) error {
	p.mu.Lock()
	p.shut = true
	finished := p.allDone
	if finished == nil && len(p.calls) > 0 {
		finished = make(chan struct{})
		p.allDone = finished
	}
	p.mu.Unlock()
	var err error
	if finished != nil {
		select {
		case <-finished:
		case <-p.stop:
		case <-ctx.Done():
			err = ctx.Err()
			p.cancelAll()
		}
	}
	p.Close()
	return err
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
