package pool

import (
	"context"
	"fmt"
	"slices"
	"time"

	"procpool/ipc"
	"procpool/parent"
)

// A worker is the executor of a slot in the processes backend. It runs one process after
// another.
type worker struct {
	slot     *slot
	spawner  *parent.Spawner
	unparked chan struct{} // holds one token when a parked worker is to be started

	current      *workerProcess // the process that runs now; nil between two. Guarded by the pool's lock
	failedStarts int            // processes in a row that ended without having finished a chunk
}

// A workerProcess is one process of a worker, from its start to its end. It is the
// [parent.Handler] of the process.
type workerProcess struct {
	worker  *worker
	slot    *slot
	pool    *Pool
	process *parent.Process

	// Used only by the goroutine that reads from the process.
	view []*chunk // a copy of the slice slot.inFlight
	seen int      // chunks of view that are answered
	part int      // inputs of the batch view[seen] that are answered
	sums answer   // the sum of their answers
	done []answer // answers that are not yet settled
	busy float64  // seconds that the tasks of done took

	// Guarded by the pool's lock.
	ready    bool // it said hello
	batches  bool // it understands batches
	retiring bool // it is sent no more chunks
	sent     int  // chunks sent
	settled  int  // chunks settled
}

// supervise runs one process after another until the pool is closed.
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
		if next.parked && !w.waitParked() || next.pause > 0 && !w.rest(next.pause) {
			return
		}
	}
}

// rest waits before the next start: for pause, or after maxFailedStarts failed starts
// while there are no calls, until a call comes. It reports false if the pool is closed
// first.
func (w *worker) rest(pause time.Duration) bool {
	p := w.slot.pool
	p.mu.Lock()
	called, unasked := p.called, w.failedStarts >= maxFailedStarts && len(p.calls) == 0
	if unasked {
		p.resting++
		defer func() {
			p.mu.Lock()
			p.resting--
			p.mu.Unlock()
		}()
	}
	p.mu.Unlock()
	var over <-chan time.Time
	if !unasked {
		timer := time.NewTimer(pause)
		defer timer.Stop()
		over, called = timer.C, nil
	}
	select {
	case <-over:
		return true
	case <-called:
		return true
	case <-p.stop:
		return false
	}
}

// start starts a process for the slot. starts is the number of starts before this one.
func (w *worker) start(starts int) (*workerProcess, error) {
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

	r := &workerProcess{worker: w, slot: w.slot, pool: p}
	var err error
	if r.process, err = w.spawner.Start(p.config(w.slot.index), r); err != nil {
		return nil, err
	}
	born := r.process.Born()
	p.emit(Event{Kind: WorkerSpawned, Worker: w.slot.index, PID: r.process.PID(), Seconds: time.Since(born).Seconds(), Began: born})

	p.mu.Lock()
	defer p.mu.Unlock()
	w.current = r
	w.slot.stats.PID = r.process.PID()
	if p.closed { // since the check above: close did not see this process
		r.process.Abort()
	}
	return r, nil
}

// The executor's methods; the pool's lock is held.

func (w *worker) send(ch *chunk) {
	w.current.sent++
	spec := ch.call.spec
	o := ipc.RequestOptions{TimeoutSeconds: min(ch.call.limit().Seconds(), 1e9), Attempt: uint64(ch.attempts)}
	if spec.Sums() {
		ch.id = w.current.process.SendInterval(spec.Name, ch.iv, ch.with(), o)
		return
	}
	o.Index = uint64(ch.seq)
	switch r := w.current; {
	case ch.inputs == 1:
		ch.id = r.process.SendInput(spec.Name, ch.arg, o)
	case r.batches:
		ch.id = r.process.SendBatch(spec.Name, ch.arg, ch.inputs, o)
	default:
		var arg []byte
		for i, rest := 0, ch.arg; i < ch.inputs; i++ {
			arg, rest = ipc.SplitValues(rest, 1)
			ch.id = r.process.SendInput(spec.Name, arg, o)
			o.Index++
		}
		ch.id -= uint64(ch.inputs - 1)
	}
}

func (w *worker) flush() { w.current.process.Flush() }

func (w *worker) more() int {
	r := w.current
	if r == nil || !r.ready || r.retiring || !r.process.Accepting() {
		return 0
	}
	n := ipc.MaxPending - len(w.slot.inFlight) - w.slot.batched
	if most := w.slot.pool.opts.MaxChunksPerChild; most > 0 {
		n = min(n, most-r.sent)
	}
	return n
}

func (w *worker) recall(n int) {
	if w.current == nil {
		return
	}
	for i := len(w.slot.inFlight) - 1; i >= 0 && n > 0; i-- {
		ch := w.slot.inFlight[i]
		if ch.recalled {
			continue
		}
		ch.recalled = true
		first := 0
		if i == 0 {
			first = 1 // input 0 is running
		}
		for k := ch.inputs - 1; k >= first; k-- {
			w.current.process.Recall(ch.id + uint64(k))
			n--
		}
	}
}

func (w *worker) cancel(c *call) {
	if w.current == nil {
		return
	}
	for _, ch := range slices.Backward(w.slot.inFlight) {
		if ch.call == c {
			ch.recalled = true
			for k := ch.inputs - 1; k >= 0; k-- {
				w.current.process.Cancel(ch.id + uint64(k))
			}
		}
	}
}

func (w *worker) abort() {
	if w.current != nil {
		w.current.process.Abort()
	}
}

func (w *worker) end() {
	if w.current != nil {
		w.current.process.End()
	}
}

// The methods of parent.Handler, which the process's Run calls.

// Hello marks the worker as ready and sends it chunks.
func (r *workerProcess) Hello(h ipc.Hello) {
	p, s := r.pool, r.slot
	startup := time.Since(r.process.Born()).Seconds()
	p.mu.Lock()
	r.ready, r.batches = true, h.Batches
	s.lost, s.far = false, r.process.Far()
	if s.failing {
		s.failing = false
		p.failing--
	}
	p.hadWorker = true
	p.living++
	if p.hello == nil {
		p.hello = &h
	}
	p.announceReady()
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

// Result puts a result into its chunk's cell, or keeps it for the consumer.
func (r *workerProcess) Result(res ipc.Result, owned bool) error {
	ch := r.oldest()
	c := ch.call
	switch oldest := ch.id + uint64(r.part); {
	case res.ID != oldest:
		return &ipc.Fault{Reason: fmt.Sprintf("a result for request %d, the oldest is %d", res.ID, oldest)}
	case !(res.Seconds >= 0 && res.Seconds <= 1e9):
		return &ipc.Fault{Reason: fmt.Sprintf("a result after %v seconds", res.Seconds)}
	case c.spec.Sums() && (!res.HasInterval || res.Interval != ch.iv):
		return &ipc.Fault{Reason: fmt.Sprintf("a result for interval %v, asked was %v", res.Interval, ch.iv)}
	}
	switch {
	case c.custom && owned:
		ch.raw = res.Value
	case c.custom:
		ch.raw = append(ch.raw[:0], res.Value...)
	default:
		if err := ch.cell.decode(r.part, res, owned); err != nil {
			return &ipc.Fault{Reason: "a result of another type", Err: err}
		}
	}
	r.sums.seconds, r.sums.began, r.sums.size = r.sums.seconds+res.Seconds, res.Began, r.sums.size+int64(len(res.Value))
	r.busy += res.Seconds
	if r.part++; r.part == ch.inputs {
		r.answer(r.sums)
	}
	return nil
}

// answer keeps the answer to the oldest chunk, to be settled later.
func (r *workerProcess) answer(a answer) {
	r.done = append(r.done, a)
	r.seen++
	r.part, r.sums = 0, answer{}
}

// Fail handles the failure of a task: its own error, or that it ended at its timeout.
func (r *workerProcess) Fail(f ipc.Fail) {
	ch := r.oldest()
	if ch.inputs > 1 {
		r.settle(func() {
			if r.slot.inFlight[0].inputs > 1 {
				r.slot.split(0, 1)
			}
		})
		ch = r.oldest()
	}
	switch {
	case f.Timeout && ch.call.overdue():
		r.answer(answer{err: context.DeadlineExceeded})
		return
	case f.Timeout && ch.call.timeout > 0:
		r.charge(ch, &TimeoutError{Limit: ch.call.timeout})
		return
	}
	err := &TaskError{Input: ch.input(), Err: ch.call.spec.Failure(f.Error, f.Stack, f.Is)}
	if ch.call.triesAgain(err) {
		r.charge(ch, err)
		return
	}
	// A fail has no seconds: take the time that the worker has had the chunk.
	r.pool.mu.Lock()
	seconds := max(time.Since(r.slot.since).Seconds()-r.busy, 0)
	r.pool.mu.Unlock()
	r.busy += seconds
	r.answer(answer{seconds: seconds, err: err})
}

// charge counts err as a failed attempt of ch, the oldest chunk. The worker goes on.
func (r *workerProcess) charge(ch *chunk, err error) {
	var next afterwards
	r.settle(func() {
		r.slot.takeFirst()
		r.worker.charge(&next, ch, err)
		r.settled++
		r.pool.offer() // another worker may be free to try it
	})
	r.pool.emit(next.events...)
}

// NotBegun takes a chunk back that the worker will not compute.
func (r *workerProcess) NotBegun(id uint64) {
	r.settle(func() {
		s := r.slot
		i := slices.IndexFunc(s.inFlight, func(ch *chunk) bool { return ch.id <= id && id-ch.id < uint64(ch.inputs) })
		if before := id - s.inFlight[i].id; before > 0 {
			s.split(i, int(before))
			i++
		}
		if s.inFlight[i].inputs > 1 {
			s.split(i, 1)
		}
		r.sent--
		s.takenBack(s.remove(i))
	})
}

// settle accepts the answers that have come, then calls then with the pool's lock held.
func (r *workerProcess) settle(then func()) {
	p, s := r.pool, r.slot
	pid := s.stats.PID // written by this goroutine alone
	events := p.finished(s.index, pid, r.view, r.done)
	p.mu.Lock()
	if r.part > 0 {
		s.split(len(r.done), r.part)
		r.answer(r.sums)
	}
	s.answered(pid, r.done)
	r.settled += len(r.done)
	then()
	p.mu.Unlock()
	p.emit(events...)
	r.done, r.view, r.seen, r.busy = r.done[:0], nil, 0, 0
}

// oldest returns the first chunk in flight that is not fully answered; package parent
// calls the handler only if there is one. Only this goroutine removes chunks from the
// front of inFlight, so a copy of the slice is enough.
func (r *workerProcess) oldest() *chunk {
	if r.seen == len(r.view) {
		r.pool.mu.Lock()
		r.view = r.slot.inFlight
		r.pool.mu.Unlock()
		r.seen = len(r.done)
	}
	return r.view[r.seen]
}

// Flush settles the answers that have come and sends more chunks.
func (r *workerProcess) Flush() {
	p, s := r.pool, r.slot
	tooLarge := p.opts.MaxRSS > 0 && r.process.ResidentSet() > p.opts.MaxRSS
	r.settle(func() {
		if tooLarge || p.opts.MaxChunksPerChild > 0 && r.settled >= p.opts.MaxChunksPerChild {
			r.retiring = true
		}
		s.fill()
		if r.retiring && len(s.inFlight) == 0 {
			r.process.End()
		}
	})
}
