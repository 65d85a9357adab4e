package pool

import (
	"fmt"
	"time"

	"procpool/parent"
)

const (
	maxFailedStarts = 5                     // in a row, then the slot is given up
	firstPause      = 50 * time.Millisecond // before the start that follows a failed one; doubled each time
	provenAfter     = 10 * time.Second      // a worker that lived so long had started well, though it may never have had a chunk

	// farPause is firstPause of a launched worker: what refused it is further away.
	farPause = 250 * time.Millisecond
)

// afterwards says what follows from the end of a process.
type afterwards struct {
	again  bool          // another process is started
	pause  time.Duration // before it
	events []Event
}

func (a *afterwards) add(e Event) { a.events = append(a.events, e) }

// afterExit decides, at the end of a process, what becomes of the chunks that it
// had in flight, which of them the loss is charged to, and whether the slot gets
// another process. r is nil if none could be started, because of err.
func (w *worker) afterExit(r *run, exit parent.Exit, err error) (next afterwards) {
	p, s := w.slot.pool, w.slot
	p.mu.Lock()
	defer p.mu.Unlock()
	w.run = nil
	flights := s.inFlight
	s.inFlight = nil
	if r == nil {
		s.lost = true
		if !p.closed {
			next.add(Event{Kind: WorkerLost, Worker: s.index, Err: err})
		}
		w.next(&next, true, err)
		return next
	}
	if exit.Used != nil {
		s.stats.add(*exit.Used)
	}
	failed := r.settled == 0 && !(exit.Ready && exit.Lived > provenAfter)
	switch {
	case exit.InOrder, exit.Unwanted:
		next.add(Event{Kind: WorkerEnded, Worker: s.index, PID: exit.PID})
		giveBack(flights)
		failed = false
	case exit.LateID != 0:
		s.lost = true
		if len(flights) > 0 && exit.LateID == uint64(r.settled)+1 { // else its answer came after all
			w.charge(&next, flights[0], &TimeoutError{Limit: p.opts.Timeout, PID: exit.PID})
			flights = flights[1:]
		}
		giveBack(flights)
		failed = false
	default:
		s.lost = true
		lost := w.describe(exit)
		if !p.closed {
			next.add(Event{Kind: WorkerLost, Worker: s.index, PID: lost.PID, Err: lost})
		}
		err = lost
		failed = failed && len(flights) == 0
		w.blame(&next, flights, lost)
	}
	w.next(&next, failed, err)
	return next
}

// blame charges a loss to the chunk in flight if there was just one. Any of
// several may have caused it: they are handed out again one to a worker.
func (w *worker) blame(next *afterwards, flights []flight, lost *LostWorkerError) {
	if len(flights) == 1 {
		w.charge(next, flights[0], lost)
		return
	}
	for _, f := range flights {
		f.chunk.alone = true
	}
	giveBack(flights)
}

// next decides whether another process is started, and after what pause. err is
// why the last one failed.
func (w *worker) next(next *afterwards, failed bool, err error) {
	p := w.slot.pool
	defer p.offer()
	switch {
	case p.closed:
		return
	case !failed:
		w.failedStarts = 0
	default:
		w.failedStarts++
		first := firstPause
		if p.opts.Launcher != "" {
			first = farPause
		}
		next.pause = first << (w.failedStarts - 1)
	}
	if w.failedStarts == maxFailedStarts {
		p.giveUp(w.slot, w.failedStarts, err)
		next.add(Event{Kind: WorkerGivenUp, Worker: w.slot.index, Err: err})
		return
	}
	next.again = true
}

func giveBack(flights []flight) {
	for _, f := range flights {
		f.call.giveBack(f.chunk)
	}
}

// charge puts a worker's end down to a chunk, which is tried again, alone, or
// fails for good.
func (w *worker) charge(next *afterwards, f flight, err error) {
	c, in := f.chunk, f.input()
	c.attempts++
	switch err := err.(type) {
	case *LostWorkerError:
		err.Input, err.Attempts = in, c.attempts
	case *TimeoutError:
		err.Input, err.Attempts = in, c.attempts
	}
	if c.attempts > w.slot.pool.opts.Retries {
		f.call.settle(c, err)
		return
	}
	c.alone = true
	f.call.giveBack(c)
	next.add(Event{Kind: ChunkRetried, Worker: w.slot.index, Input: in, Err: err})
}

// describe describes a worker that ended before its time.
func (w *worker) describe(exit parent.Exit) *LostWorkerError {
	e := &LostWorkerError{
		Worker: w.slot.index, PID: exit.PID, Host: exit.Host, Launcher: exit.Launcher,
		Signal: exit.Signal, ExitCode: exit.ExitCode, Stderr: exit.Stderr, Err: exit.Err,
	}
	if exit.Signal == "killed" && !exit.Killed {
		e.OOM = w.slot.pool.oomEvidence()
	}
	return e
}

// oomEvidence says whether the system has killed for lack of memory since it was
// asked last. The caller holds the lock.
func (p *Pool) oomEvidence() string {
	before := p.oomKills
	if p.oomKills = p.sys.OOMKills(); before >= 0 && p.oomKills > before {
		return fmt.Sprintf("out of memory: the system killed %d of this control group's processes for it", p.oomKills-before)
	}
	return ""
}

// config is what worker i's processes are told and held to.
func (p *Pool) config(i int) parent.Config {
	o := p.opts
	return parent.Config{
		Worker: i, Heartbeat: o.Heartbeat, StartupTimeout: o.StartupTimeout, Timeout: o.Timeout, Grace: o.Grace,
		MaxMessage: o.MaxMessage, Trace: o.Trace, Stderr: &p.stderr, Verbose: o.Verbose,
	}
}

var _ parent.Handler = (*run)(nil)
