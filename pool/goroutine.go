package pool

import (
	"fmt"
	"runtime"
	"sync"
	"time"

	"procpool/internal/role"
	"procpool/ipc"
	"procpool/placement"
	"procpool/task"
)

// settleEvery is how long a goroutine may sit on results: the lock is taken
// once for many short chunks.
const settleEvery = time.Millisecond

// A goroutine computes for a slot in the goroutines and threads backends.
type goroutine struct {
	slot   *slot
	ready  *sync.Cond // on the pool's lock: there is something in flight, or it is time to end
	ending bool
}

func (g *goroutine) send(flight) {}
func (g *goroutine) flush()      { g.ready.Signal() }
func (g *goroutine) abort()      { g.end() } // what runs cannot be stopped; its context is cancelled

func (g *goroutine) end() {
	if g.slot.pool.closed {
		g.ending = true
		g.ready.Signal()
	}
}

func (g *goroutine) more() int {
	if g.ending {
		return 0
	}
	return ipc.MaxPending - len(g.slot.inFlight)
}

// start runs the goroutine, in the threads backend on a thread of its own.
func (g *goroutine) start() {
	if p := g.slot.pool; p.opts.Backend == Threads {
		release, err := g.takeThread()
		if err != nil {
			p.mu.Lock()
			p.fail(fmt.Errorf("worker %d cannot have its thread: %w", g.slot.index, err))
			p.mu.Unlock()
			return
		}
		defer release()
	}
	g.run()
}

// takeThread locks the goroutine to an OS thread and binds that to the worker's
// CPUs. release undoes both. A thread whose former CPUs cannot be restored stays
// locked and ends with the goroutine, so that nothing else ever runs on it.
func (g *goroutine) takeThread() (release func(), err error) {
	runtime.LockOSThread()
	bind := g.slot.pool.opts.Bind
	if len(bind) == 0 || bind[g.slot.index%len(bind)].Empty() {
		return runtime.UnlockOSThread, nil
	}
	cpus := bind[g.slot.index%len(bind)]
	mask, err := placement.ThreadAffinity()
	if err == nil {
		err = placement.SetThreadAffinity(cpus)
	}
	if err != nil {
		runtime.UnlockOSThread()
		return nil, err
	}
	g.slot.pool.mu.Lock()
	g.slot.stats.CPUs = cpus.String()
	g.slot.pool.mu.Unlock()
	return func() {
		if placement.SetThreadAffinity(mask) == nil {
			runtime.UnlockOSThread()
		}
	}, nil
}

// run computes until the pool is closed.
func (g *goroutine) run() {
	p := g.slot.pool
	var flights []flight // a copy: the slot's own moves up as chunks are answered
	orderly := false
	defer func() {
		if !orderly { // a task ended this goroutine: another takes its place
			p.workers.Go(g.start)
		}
	}()
	for {
		p.mu.Lock()
		g.slot.fill()
		for len(g.slot.inFlight) == 0 && !g.ending {
			g.ready.Wait()
		}
		if g.ending {
			p.mu.Unlock()
			orderly = true
			return
		}
		flights = append(flights[:0], g.slot.inFlight...)
		p.mu.Unlock()
		g.compute(flights)
	}
}

// compute works through chunks in flight, in order. Should a task end this
// goroutine (runtime.Goexit), that is the answer to its chunk.
func (g *goroutine) compute(flights []flight) {
	begin := time.Now()
	settled := begin
	var answers []answer
	next := 0
	settle := func() { g.slot.settle(flights[next-len(answers):next], answers) }
	defer func() {
		if next < len(flights) {
			answers = append(answers, answer{err: &TaskError{Input: flights[next].input(), Err: goexit}})
			next++
			settle()
		}
	}()
	for next < len(flights) {
		f := flights[next]
		err := f.call.compute(f.chunk, g.slot.index)
		end := time.Now()
		answers = append(answers, answer{seconds: end.Sub(begin).Seconds(), began: g.slot.pool.moment(begin), err: err})
		begin = end
		next++
		if next == len(flights) || end.Sub(settled) >= settleEvery {
			settle()
			settled, answers = end, answers[:0]
		}
	}
}

// settle accepts answers to the first chunks in flight, and tells OnEvent of them.
func (s *slot) settle(flights []flight, answers []answer) {
	p := s.pool
	events := p.finished(s.index, 0, flights, answers)
	p.mu.Lock()
	s.answered(0, answers)
	p.mu.Unlock()
	p.emit(events...)
}

// goexit is the error of a task that ended the goroutine it ran on.
var goexit = &task.Error{Text: "the task ended its goroutine (runtime.Goexit)"}

// compute runs a chunk in this process and gives its error the form that it
// would have from a worker process.
func (c *call) compute(ch *chunk, index int) error {
	if err := c.ctx.Err(); err != nil {
		return err
	}
	err := c.cells.compute(role.WithIndex(c.ctx, index), c.cell(ch), ch)
	if e, ok := err.(*task.Error); ok {
		return &TaskError{Input: c.input(ch), Err: e}
	}
	return err
}
