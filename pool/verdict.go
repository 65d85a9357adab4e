package pool

import (
	"errors"
	"fmt"
	"time"

	"procpool/ipc"
)

// A verdict says what follows from the end of a life.
type verdict struct {
	again  bool          // another life follows
	pause  time.Duration // before it
	events []Event
}

// judge decides, at the end of a life, what becomes of the chunks that the
// worker had in hand, whom the death is charged to, and whether the slot gets
// another process. l is nil if there was none to begin with; err is why it ended.
func (w *worker) judge(l *life, err error) verdict {
	p, s := w.slot.pool, w.slot
	p.mu.Lock()
	defer p.mu.Unlock()
	w.life = nil
	hand := s.hand
	s.hand = nil
	if l != nil {
		w.account(l)
	}
	var v verdict
	fruitless := l == nil || l.settled == 0 && !(l.ready && time.Since(l.born) > provenAfter)
	switch {
	case l != nil && err == nil && l.ended && len(hand) == 0:
		v.add(Event{Kind: WorkerEnded, Worker: s.index, PID: l.pid})
		fruitless = false
	case l != nil && l.killed == errAborted:
		giveBack(hand)
		fruitless = false
	case l != nil && l.killed == errTimeout:
		if len(hand) > 0 && hand[0].chunk == l.late { // else its answer came after all
			w.charge(&v, hand[0], &TimeoutError{Limit: p.opts.Timeout, PID: l.pid})
			hand = hand[1:]
		}
		giveBack(hand)
		fruitless = false
	case l == nil: // it could not be started
		if !p.closed {
			v.add(Event{Kind: WorkerLost, Worker: s.index, Err: err})
		}
	default:
		lost := w.lost(l, err)
		if !p.closed {
			v.add(Event{Kind: WorkerLost, Worker: s.index, PID: lost.PID, Err: lost})
		}
		err = lost
		if len(hand) == 1 {
			w.charge(&v, hand[0], lost)
			fruitless = false
		}
		if len(hand) > 1 { // any of them may have been the death of it
			for _, h := range hand {
				h.chunk.alone = true
			}
			giveBack(hand)
			fruitless = false
		}
	}
	w.next(&v, fruitless, err)
	p.offer()
	return v
}

// next decides whether there is another life and after what pause.
func (w *worker) next(v *verdict, fruitless bool, err error) {
	p := w.slot.pool
	switch {
	case p.closed:
		return
	case !fruitless:
		w.fruitless = 0
	default:
		w.fruitless++
		v.pause = firstPause << (w.fruitless - 1)
		if p.launch != nil {
			v.pause = launchPause << (w.fruitless - 1)
		}
	}
	if w.fruitless == maxFruitless {
		p.giveUp(w.slot, w.fruitless, err)
		v.add(Event{Kind: WorkerGivenUp, Worker: w.slot.index, Err: err})
		return
	}
	v.again = true
}

func (v *verdict) add(e Event) { v.events = append(v.events, e) }

func giveBack(hand []held) {
	for _, h := range hand {
		h.job.giveBack(h.chunk)
	}
}

// charge holds a chunk to account for its worker's end: it is tried again,
// alone, or fails for good.
func (w *worker) charge(v *verdict, h held, err error) {
	c, in := h.chunk, h.job.input(h.chunk)
	c.attempts++
	switch err := err.(type) {
	case *LostWorkerError:
		err.Input, err.Attempts = in, c.attempts
	case *TimeoutError:
		err.Input, err.Attempts = in, c.attempts
	}
	if c.attempts > w.slot.pool.opts.Retries {
		h.job.settle(c, err)
		return
	}
	c.alone = true
	h.job.giveBack(c)
	v.add(Event{Kind: ChunkRetried, Worker: w.slot.index, Input: in, Err: err})
}

// lost describes a worker that ended before its time.
func (w *worker) lost(l *life, err error) *LostWorkerError {
	e := &LostWorkerError{Worker: w.slot.index, PID: l.pid, Host: l.host, ExitCode: -1, Stderr: l.stderr.last(), Err: err}
	if l.launched != nil && !l.ready {
		e.Launcher = w.slot.pool.launch.text
	}
	if l.killed != nil {
		e.Err = l.killed
	}
	select {
	case <-l.exited:
		e.Signal, e.ExitCode = l.status.signal, l.status.code
	default:
	}
	// A stream that merely ended says nothing that the exit does not say better.
	var fault *ipc.Fault
	if l.killed == nil && errors.As(err, &fault) && fault.First == nil && (e.Signal != "" || e.ExitCode >= 0) {
		e.Err = nil
	}
	if e.Signal == "killed" && l.killed == nil {
		e.OOM = w.slot.pool.oomSince()
	}
	return e
}

// oomSince says whether the system has killed for lack of memory since it was
// asked last. The caller holds the lock.
func (p *Pool) oomSince() string {
	before := p.ooms
	if p.ooms = p.sys.oomKills(); before >= 0 && p.ooms > before {
		return fmt.Sprintf("out of memory: the system killed %d of this control group's processes for it", p.ooms-before)
	}
	return ""
}

// account adds what the process used to its slot's account: what it said
// itself, or else what the system tells of a process that is gone.
func (w *worker) account(l *life) {
	select {
	case <-l.exited:
	default:
		return
	}
	if l.launched != nil && !l.launched.itself.Load() {
		l.status.user, l.status.system = 0, 0 // are the launcher's
	}
	bye := ipc.Bye{Usage: ipc.Usage{UserSeconds: l.status.user.Seconds(), SystemSeconds: l.status.system.Seconds()}}
	if l.bye != nil {
		bye = *l.bye
		// Exit itself costs time that a worker cannot know of.
		bye.UserSeconds = max(bye.UserSeconds, l.status.user.Seconds())
		bye.SystemSeconds = max(bye.SystemSeconds, l.status.system.Seconds())
	}
	w.slot.stats.add(bye)
}
