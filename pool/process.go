package pool

import (
	"time"

	"procpool/ipc"
)

// A worker is the body of a slot in the processes backend: one process after
// another, each with a life of its own.
type worker struct {
	slot  *slot
	spawn *spawner

	life      *life // of the process there now; nil between two. Guarded by the pool's lock
	fruitless int   // lives in a row that ended without a chunk to show for
}

const (
	maxFruitless = 5                     // lives in a row, then the slot is given up
	firstPause   = 50 * time.Millisecond // before a life that follows a fruitless one; doubled each time
	provenAfter  = 10 * time.Second      // a worker that lived so long had started well, though it may never have had a chunk
)

func newWorker(s *slot, spawn *spawner) *worker {
	w := &worker{slot: s, spawn: spawn}
	s.body = w
	return w
}

// supervise lives one life after the other until the pool is closed or the
// slot is given up. It owns everything that a life starts.
func (w *worker) supervise() {
	p := w.slot.pool
	for lives := 0; ; lives++ {
		l, err := w.begin(lives)
		if err == nil {
			err = l.live()
		}
		v := w.judge(l, err)
		p.emit(v.events...)
		if !v.again {
			return
		}
		if v.pause > 0 {
			select {
			case <-time.After(v.pause):
			case <-p.stop:
				return
			}
		}
	}
}

// begin starts a process for the slot.
func (w *worker) begin(lives int) (*life, error) {
	p := w.slot.pool
	p.mu.Lock()
	if p.closed {
		p.mu.Unlock()
		return nil, ErrClosed
	}
	if lives > 0 {
		w.slot.stats.Restarts++
	}
	p.mu.Unlock()

	l := newLife(w)
	proc, err := w.spawn.start(w.slot.index)
	if err != nil {
		return nil, err
	}
	l.attach(proc)
	p.emit(Event{Kind: WorkerSpawned, Worker: w.slot.index, PID: proc.Pid(), Seconds: time.Since(l.born).Seconds(), Began: l.born})

	p.mu.Lock()
	defer p.mu.Unlock()
	w.life = l
	w.slot.stats.PID = proc.Pid()
	if p.closed { // meanwhile: close did not see this life
		l.kill(errAborted)
	}
	return l, nil
}

// The executor's methods; the pool's lock is held.

func (w *worker) send(h held) { w.life.request(h) }
func (w *worker) flush()      { w.life.kick() }

func (w *worker) more() int {
	l := w.life
	if l == nil || !l.ready || l.retiring || l.killed != nil {
		return 0
	}
	n := ipc.MaxPending - len(w.slot.hand)
	if most := w.slot.pool.opts.MaxChunksPerChild; most > 0 {
		n = min(n, most-l.sent)
	}
	return n
}

func (w *worker) abort() {
	if w.life != nil {
		w.life.kill(errAborted)
	}
}

func (w *worker) end() {
	switch l := w.life; {
	case l == nil:
	case l.ready:
		l.sayEnd()
	default:
		l.kill(errAborted)
	}
}
