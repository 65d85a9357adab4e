package pool

import (
	"fmt"
	"time"

	"procpool/ipc"
	"procpool/parent"
	"procpool/task"
)

// A worker computes for a slot in the processes backend: one process after another.
type worker struct {
	slot    *slot
	spawner *parent.Spawner

	run          *run // of the process there now; nil between two. Guarded by the pool's lock
	failedStarts int  // processes in a row that ended without a chunk to show for
}

// A run is one process of a worker, from its start to its end. It is the
// [parent.Handler] of the process.
type run struct {
	worker  *worker
	slot    *slot
	pool    *Pool
	process *parent.Process

	// The reader's own.
	view []flight // of slot.inFlight
	seen int      // of view: answered, or in answers
	done []answer // answers that are not yet settled

	// Guarded by the pool's lock.
	ready    bool // it said hello
	retiring bool // it gets no more
	sent     int  // chunks
	settled  int  // chunks
}

// supervise has one process after the other until the pool is closed or the slot
// is given up.
func (w *worker) supervise() {
	p := w.slot.pool
	for starts := 0; ; starts++ {
		r, err := w.start(starts)
		var exit parent.Exit
		if err == nil {
			exit = r.process.Run()
		}
		next := w.afterExit(r, exit, err)
		p.emit(next.events...)
		if !next.again {
			return
		}
		if next.pause > 0 {
			select {
			case <-time.After(next.pause):
			case <-p.stop:
				return
			}
		}
	}
}

// start starts a process for the slot.
func (w *worker) start(starts int) (*run, error) {
	p := w.slot.pool
	p.mu.Lock()
	if p.closed {
		p.mu.Unlock()
		return nil, ErrClosed
	}
	if starts > 0 {
		w.slot.stats.Restarts++
	}
	p.mu.Unlock()

	r := &run{worker: w, slot: w.slot, pool: p}
	var err error
	if r.process, err = w.spawner.Start(p.config(w.slot.index), r); err != nil {
		return nil, err
	}
	born := r.process.Born()
	p.emit(Event{Kind: WorkerSpawned, Worker: w.slot.index, PID: r.process.PID(), Seconds: time.Since(born).Seconds(), Began: born})

	p.mu.Lock()
	defer p.mu.Unlock()
	w.run = r
	w.slot.stats.PID = r.process.PID()
	if p.closed { // meanwhile: close did not see this process
		r.process.Abort()
	}
	return r, nil
}

// The executor's methods; the pool's lock is held.

func (w *worker) send(f flight) {
	w.run.sent++
	if spec := f.call.spec; spec.Sums() {
		w.run.process.SendInterval(spec.Name, f.chunk.iv)
	} else {
		w.run.process.SendInput(spec.Name, f.chunk.arg)
	}
}

func (w *worker) flush() { w.run.process.Flush() }

func (w *worker) more() int {
	r := w.run
	if r == nil || !r.ready || r.retiring || !r.process.Accepting() {
		return 0
	}
	n := ipc.MaxPending - len(w.slot.inFlight)
	if most := w.slot.pool.opts.MaxChunksPerChild; most > 0 {
		n = min(n, most-r.sent)
	}
	return n
}

func (w *worker) abort() {
	if w.run != nil {
		w.run.process.Abort()
	}
}

func (w *worker) end() {
	if w.run != nil {
		w.run.process.End()
	}
}

// The handler's methods; the process's Run calls them.

// Hello lets the worker have chunks.
func (r *run) Hello(h ipc.Hello) {
	p, s := r.pool, r.slot
	startup := time.Since(r.process.Born()).Seconds()
	p.mu.Lock()
	r.ready = true
	s.lost, s.far = false, r.process.Far()
	s.stats.PID, s.stats.Host, s.stats.CPUs = r.process.PID(), h.Host, h.CPUs
	s.stats.StartupSeconds += startup
	if p.closed {
		r.process.End()
	} else {
		s.fill()
	}
	p.mu.Unlock()
	p.emit(Event{Kind: WorkerStarted, Worker: s.index, PID: r.process.PID(), Seconds: startup, Began: r.process.Born()})
}

// Result puts a result into its chunk's cell.
func (r *run) Result(res ipc.Result, owned bool) error {
	f := r.oldest()
	if f.call.spec.Sums() && (!res.HasInterval || res.Interval != f.chunk.iv) {
		return &ipc.Fault{Reason: fmt.Sprintf("a result for interval %v, asked was %v", res.Interval, f.chunk.iv)}
	}
	if err := f.call.cells.decode(f.call.cell(f.chunk), res.Value, owned); err != nil {
		return &ipc.Fault{Reason: "a result of another type", Err: err}
	}
	r.done = append(r.done, answer{seconds: res.Seconds, began: res.Began, size: int64(len(res.Value))})
	return nil
}

// Fail notes a task's failure.
func (r *run) Fail(fail ipc.Fail) {
	r.done = append(r.done, answer{err: &TaskError{Input: r.oldest().input(), Err: &task.Error{Text: fail.Error, Stack: fail.Stack}}})
}

// oldest is the chunk that was sent first of those not answered: the process
// takes no answer without one. What is in flight stays so until it is settled
// here, so a view of it is enough.
func (r *run) oldest() flight {
	if r.seen == len(r.view) {
		r.pool.mu.Lock()
		r.view = r.slot.inFlight
		r.pool.mu.Unlock()
		r.seen = len(r.done)
	}
	f := r.view[r.seen]
	r.seen++
	return f
}

// Flush accepts the answers that have come and sends more work.
func (r *run) Flush() {
	p, s := r.pool, r.slot
	pid := s.stats.PID // written by this goroutine alone
	events := p.finished(s.index, pid, r.view, r.done)
	tooLarge := p.opts.MaxRSS > 0 && r.process.ResidentSet() > p.opts.MaxRSS
	p.mu.Lock()
	s.answered(pid, r.done)
	r.settled += len(r.done)
	if tooLarge || p.opts.MaxChunksPerChild > 0 && r.settled >= p.opts.MaxChunksPerChild {
		r.retiring = true
	}
	s.fill()
	if r.retiring && len(s.inFlight) == 0 {
		r.process.End()
	}
	p.mu.Unlock()
	p.emit(events...)
	r.done, r.view, r.seen = r.done[:0], nil, 0
}
