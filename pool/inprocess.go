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

// A goroutine is the body of a worker in the goroutines and threads backends.
type goroutine struct {
	slot   *slot
	ready  *sync.Cond // on the pool's lock: the hand was filled, or it is time to end
	ending bool
}

func (g *goroutine) send(held) {}
func (g *goroutine) flush()    { g.ready.Signal() }
func (g *goroutine) abort()    { g.end() } // what runs cannot be stopped; its context is cancelled

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
	return ipc.MaxPending - len(g.slot.hand)
}

// start is the worker's life, in the threads backend on a thread of its own.
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
// CPUs. release gives the thread back as it was; one that cannot be freed of its
// bounds ends with the goroutine, so that nothing else ever runs on it.
func (g *goroutine) takeThread() (release func(), err error) {
	runtime.LockOSThread()
	cpus := g.slot.pool.opts.bound(g.slot.index)
	if cpus.Empty() {
		return runtime.UnlockOSThread, nil
	}
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
	var hand []held // a copy: the slot's own moves up as chunks are answered
	orderly := false
	defer func() {
		if !orderly { // a task ended this goroutine: another takes its place
			p.workers.Go(g.start)
		}
	}()
	for {
		p.mu.Lock()
		g.slot.draw()
		for len(g.slot.hand) == 0 && !g.ending {
			g.ready.Wait()
		}
		if g.ending {
			p.mu.Unlock()
			orderly = true
			return
		}
		hand = append(hand[:0], g.slot.hand...)
		p.mu.Unlock()
		g.compute(hand)
	}
}

// compute works through chunks that are in the slot's hand, in order. Should a
// task end this goroutine (runtime.Goexit), that is the answer to its chunk.
func (g *goroutine) compute(hand []held) {
	begin := time.Now()
	settled := begin
	var answers []answer
	next := 0
	settle := func() { g.slot.pool.settle(g.slot, 0, hand[next-len(answers):], answers) }
	defer func() {
		if next < len(hand) {
			h := hand[next]
			answers = append(answers, answer{err: &TaskError{Input: h.job.input(h.chunk), Err: goexit}})
			next++
			settle()
		}
	}()
	for next < len(hand) {
		h := hand[next]
		err := h.job.compute(h.chunk, g.slot.index)
		end := time.Now()
		answers = append(answers, answer{seconds: end.Sub(begin).Seconds(), began: g.slot.pool.moment(begin), err: err})
		begin = end
		next++
		if next == len(hand) || end.Sub(settled) >= settleEvery {
			settle()
			settled, answers = end, answers[:0]
		}
	}
}

// settle accepts answers to the first chunks of a slot's hand, and tells OnEvent of them.
func (p *Pool) settle(s *slot, pid int, hand []held, answers []answer) {
	events := p.finished(s.index, pid, hand, answers)
	p.mu.Lock()
	s.answered(pid, answers)
	p.mu.Unlock()
	p.emit(events...)
}

// goexit is the error of a task that ended the goroutine it ran on.
var goexit = &task.Error{Text: "the task ended its goroutine (runtime.Goexit)"}

// compute runs a chunk in this process and gives its error the form that it
// would have from a worker process.
func (j *job) compute(c *chunk, index int) error {
	if err := j.ctx.Err(); err != nil {
		return err
	}
	err := j.cells.compute(role.WithIndex(j.ctx, index), j.cell(c), c)
	if e, ok := err.(*task.Error); ok {
		return &TaskError{Input: j.input(c), Err: e}
	}
	return err
}

// A serial is the body of the one worker in the serial backend. It has no
// goroutine and holds nothing in hand: a consumer that has nothing else to do
// computes the next chunk of its own job.
type serial struct{ slot *slot }

func (s *serial) send(held) {}
func (s *serial) flush()    {}
func (s *serial) abort()    {}
func (s *serial) end()      {}
func (s *serial) more() int { return 0 }

// step computes one chunk of j on the calling goroutine, and reports whether there was one.
func (s *serial) step(j *job) bool {
	p := s.slot.pool
	p.mu.Lock()
	c := j.take(true)
	p.mu.Unlock()
	if c == nil {
		return false
	}
	begin := time.Now()
	err := j.compute(c, s.slot.index)
	a := answer{seconds: time.Since(begin).Seconds(), began: p.moment(begin), err: err}
	events := p.finished(s.slot.index, 0, []held{{j, c}}, []answer{a})
	p.mu.Lock()
	s.slot.accept(held{j, c}, 0, a)
	p.mu.Unlock()
	p.emit(events...)
	return true
}
