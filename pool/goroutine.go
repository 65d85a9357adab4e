package pool

import (
	"context"
	"errors"
	"fmt"
	"math"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"procpool/internal/role"
	"procpool/ipc"
	"procpool/placement"
	"procpool/task"
)

// settleEvery is the longest time that a goroutine keeps results before it settles them,
// even while it computes the next chunk. Many short chunks share one use of the pool's
// lock.
const settleEvery = time.Millisecond

// A goroutine is the executor of a slot in the goroutines and threads backends.
type goroutine struct {
	slot   *slot
	ready  *sync.Cond // on the pool's lock: there is something in flight, or it is time to end
	ending bool
	claims atomic.Uint64 // counts chunks: sent and not recalled in the lower half, begun in the upper half

	settling sync.Mutex // held while answers are accepted, to keep them in order; locked before the pool's lock
	mu       sync.Mutex // guards the fields up to armed
	done     []*chunk   // computed and not settled
	answers  []answer   // to the chunks in done
	timer    *time.Timer
	armed    bool     // the timer runs
	spare    struct { // empty slices to reuse; the holder of settling owns them
		chunks  []*chunk
		answers []answer
	}
}

func (g *goroutine) send(*chunk) {
	for v := g.claims.Load(); !g.claims.CompareAndSwap(v, v&^math.MaxUint32|uint64(uint32(v)+1)); v = g.claims.Load() {
	}
}

// claim reports whether the goroutine may begin the next chunk.
func (g *goroutine) claim() bool {
	for {
		v := g.claims.Load()
		if uint32(v>>32) == uint32(v) {
			return false
		}
		if g.claims.CompareAndSwap(v, v+1<<32) {
			return true
		}
	}
}

// unsend reports whether the chunk that was sent last has not been begun, and
// takes it back.
func (g *goroutine) unsend() bool {
	for {
		v := g.claims.Load()
		if uint32(v>>32) == uint32(v) {
			return false
		}
		if g.claims.CompareAndSwap(v, v&^math.MaxUint32|uint64(uint32(v)-1)) {
			return true
		}
	}
}

func (g *goroutine) recall(n int) {
	s, back := g.slot, false
	for ; n > 0 && len(s.inFlight) > 1 && g.unsend(); n-- {
		ch := s.remove(len(s.inFlight) - 1)
		ch.call.giveBack(ch)
		back = true
	}
	if back {
		s.pool.offer()
	}
}

func (g *goroutine) flush()       { g.ready.Signal() }
func (g *goroutine) cancel(*call) {} // a running task cannot be stopped; its context is cancelled by the call
func (g *goroutine) abort()       { g.end() }

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

// start runs the goroutine; in the threads backend, on an OS thread of its own.
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
	var chunks []*chunk // a copy, because settle removes answered chunks from slot.inFlight
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
		chunks = append(chunks[:0], g.slot.inFlight...)
		p.mu.Unlock()
		g.compute(chunks)
		clear(chunks)
	}
}

// compute computes chunks in flight in order, until one has been recalled. If a task
// ends this goroutine (runtime.Goexit), its chunk fails with the error goexit.
func (g *goroutine) compute(chunks []*chunk) {
	begin := time.Now()
	next, begun := 0, false
	defer func() {
		if begun {
			g.computed(chunks[next], answer{seconds: time.Since(begin).Seconds(), err: &TaskError{Input: chunks[next].input(), Err: goexit}})
		}
		g.settle()
	}()
	for next < len(chunks) && g.claim() {
		ch := chunks[next]
		begun = true
		err := ch.compute(g.slot.index)
		begun = false
		end := time.Now()
		g.computed(ch, answer{seconds: end.Sub(begin).Seconds(), began: g.slot.pool.moment(begin), size: ch.size, err: err})
		begin = end
		next++
	}
}

// computed keeps an answer to be settled soon.
func (g *goroutine) computed(ch *chunk, a answer) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.done, g.answers = append(g.done, ch), append(g.answers, a)
	switch {
	case g.armed:
	case g.timer == nil:
		g.timer = time.AfterFunc(settleEvery, g.settle)
	default:
		g.timer.Reset(settleEvery)
	}
	g.armed = true
}

// settle accepts the answers so far, which belong to the first chunks in flight, and
// emits their events.
func (g *goroutine) settle() {
	g.settling.Lock()
	defer g.settling.Unlock()
	g.mu.Lock()
	chunks, answers := g.done, g.answers
	g.done, g.answers = g.spare.chunks[:0], g.spare.answers[:0]
	g.armed = false
	g.mu.Unlock()
	if len(answers) == 0 {
		g.spare.chunks, g.spare.answers = chunks, answers
		return
	}
	p, s := g.slot.pool, g.slot
	events := p.finished(s.index, 0, chunks, answers)
	p.mu.Lock()
	s.answered(0, answers)
	p.mu.Unlock()
	p.emit(events...)
	clear(chunks)
	clear(answers)
	g.spare.chunks, g.spare.answers = chunks, answers
}

// goexit is the error of a task that ended the goroutine it ran on.
var goexit = &task.Error{Text: "the task ended its goroutine (runtime.Goexit)"}

// compute runs a chunk in this process and gives its error the type that it would have
// from a worker process. Only the task itself can end at a timeout, by its context.
func (ch *chunk) compute(worker int) error {
	c := ch.call
	if err := c.ctx.Err(); err != nil {
		return err
	}
	ctx := role.WithCall(c.ctx, role.Call{Worker: worker, Index: ch.seq, Attempt: ch.attempts, With: ch.with()})
	if c.timeout > 0 {
		timed, cancel := context.WithTimeout(ctx, c.timeout)
		defer cancel()
		ctx = timed
	}
	err := ch.cell.compute(ctx, ch.iv)
	var failed *task.Error
	switch {
	case err != nil && c.timeout > 0 && ctx.Err() == context.DeadlineExceeded && c.ctx.Err() == nil:
		return &TimeoutError{Input: ch.input(), Limit: c.timeout, Attempts: 1}
	case errors.As(err, &failed):
		return &TaskError{Input: ch.input(), Err: failed}
	}
	return err
}
