package pool

import (
	"context"
	"errors"
	"fmt"
	"math"
	"syscall"
	"time"

	"procpool/internal/text"
	"procpool/parent"
)

const (
	maxFailedStarts = 5                     // failed starts in a row after which the slot counts as failing
	firstPause      = 50 * time.Millisecond // after the first failed start; doubled each time
	longestPause    = 5 * time.Second
	provenAfter     = 10 * time.Second // a worker that lived this long does not count as a failed start, even without a chunk

	// farPause and longestFarPause are the pauses behind a launcher. They are longer,
	// because another machine may be unreachable for hours.
	farPause        = 250 * time.Millisecond
	longestFarPause = 30 * time.Second
)

// afterwards says what the supervisor does after the end of a process.
type afterwards struct {
	again  bool          // start another process
	parked bool          // but wait until there is work for it
	pause  time.Duration // before the start
	events []Event
}

func (a *afterwards) add(e Event) { a.events = append(a.events, e) }

// afterExit decides at the end of a process what happens to the chunks that it had in
// flight, which chunk the loss is charged to, and when the slot gets another process.
// r is nil if no process could be started; err says why.
func (w *worker) afterExit(r *workerProcess, exit parent.Exit, err error) (next afterwards) {
	p, s := w.slot.pool, w.slot
	p.mu.Lock()
	defer p.mu.Unlock()
	w.current = nil
	s.unlist()
	flights := s.takeAll()
	s.lost = true // unless it ended in order
	if r != nil && r.ready {
		if p.living--; p.living == 0 {
			p.without = time.Now()
		}
	}
	if r == nil {
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
	case exit.InOrder, exit.Unwanted, exit.Left:
		s.lost = false
		next.add(Event{Kind: WorkerEnded, Worker: s.index, PID: exit.PID})
		s.returnAll(flights)
		failed = false
	case exit.LateID != 0:
		flights = singles(flights, 1)
		if len(flights) > 0 && exit.LateID == flights[0].id { // else the answer arrived before the kill
			if ch := flights[0]; ch.call.overdue() {
				ch.call.settle(ch, context.DeadlineExceeded)
			} else {
				w.charge(&next, ch, &TimeoutError{Limit: ch.call.timeout, PID: exit.PID})
			}
			flights = flights[1:]
		}
		s.returnAll(flights)
		failed = false
	default:
		lost := w.describe(exit)
		if !p.closed {
			next.add(Event{Kind: WorkerLost, Worker: s.index, PID: lost.PID, Err: lost})
		}
		err = lost
		failed = failed && len(flights) == 0
		if lost.CPULimit > 0 && r.settled > 0 { // the chunks before this one used most of the time
			s.returnAll(flights)
		} else {
			w.blame(&next, flights, lost)
		}
	}
	w.next(&next, failed, err)
	return next
}

// blame charges a loss to the chunk in flight if there was just one. If there were
// several, any of them may have caused it: none is charged, and they are handed out
// again one to a worker.
func (w *worker) blame(next *afterwards, flights []*chunk, lost *LostWorkerError) {
	if len(flights) == 1 && flights[0].inputs == 1 {
		w.charge(next, flights[0], lost)
		return
	}
	flights = singles(flights, math.MaxInt)
	for _, ch := range flights {
		ch.alone = true
	}
	w.slot.returnAll(flights)
}

// singles splits batches so that each of the first n inputs is a chunk of its own.
func singles(flights []*chunk, n int) (split []*chunk) {
	for i, ch := range flights {
		for ; ch.inputs > 1 && n > 0; n-- {
			split = append(split, ch.cell.split(1))
			ch.call.inFlight++
		}
		if n <= 0 {
			return append(split, flights[i:]...)
		}
		split = append(split, ch)
		n--
	}
	return split
}

// next decides whether another process is started, and after what pause. err is
// why the last one failed.
func (w *worker) next(next *afterwards, failed bool, err error) {
	p, s := w.slot.pool, w.slot
	defer p.offer()
	if p.closed {
		return
	}
	next.again = true
	if !failed {
		w.failedStarts = 0
		next.parked = s.parked
		return
	}
	if s.parked {
		s.parked = false
		p.parked--
	}
	w.failedStarts++
	first, longest := firstPause, longestPause
	if p.opts.Launcher != "" {
		first, longest = farPause, max(min(longestFarPause, p.opts.Outage/8), farPause)
	}
	next.pause = min(first<<min(w.failedStarts-1, 20), longest)
	if w.failedStarts >= maxFailedStarts && !s.failing {
		s.failing = true
		p.failing++
		next.add(Event{Kind: WorkerGivenUp, Worker: s.index, Err: err})
	}
	if s.failing {
		p.failWithoutWorkers(w.failedStarts, err)
	}
}

// failWithoutWorkers fails all calls if every slot is failing and either the reason is
// permanent or there has been no worker for Options.Outage. If there never was a worker,
// it does not wait for the outage, unless the system is short of resources or the caller
// set Outage. Slots go on trying while there are calls, and try at once when a new call
// comes, so the pool works again as soon as one of them has a worker.
func (p *Pool) failWithoutWorkers(tries int, err error) {
	if len(p.slots) > p.failing {
		return
	}
	mayPass := p.hadWorker || p.opts.outageNamed || isShortage(err)
	if mayPass && !isPermanent(err) && time.Since(p.without) < p.opts.Outage {
		return
	}
	for c := range p.calls {
		c.fail(&StartError{Tries: tries, Err: err})
	}
}

// isShortage reports whether the system had no room for a process or its pipes.
func isShortage(err error) bool {
	for _, errno := range []error{syscall.EMFILE, syscall.ENFILE, syscall.EAGAIN, syscall.ENOMEM} {
		if errors.Is(err, errno) {
			return true
		}
	}
	return false
}

// isPermanent reports whether the next start will fail for the same reason: the
// program's file was replaced by another build.
func isPermanent(err error) bool {
	var build *parent.BuildError
	return errors.As(err, &build)
}

// returnAll returns chunks that the slot's worker will not answer, to be handed out
// again. Some of them may have been begun, so chunks that are sent at most once fail.
func (s *slot) returnAll(flights []*chunk) {
	for _, ch := range flights {
		if ch.call.retries < 0 && !ch.call.stopped {
			ch.worker = s.index
			ch.call.settle(ch, &LostWorkerError{Input: ch.input(), Worker: s.index, PID: s.stats.PID, ExitCode: -1, Attempts: 1, MayHaveRun: true, Err: errEnded})
			continue
		}
		ch.call.retried++
		ch.call.giveBack(ch)
	}
}

// errEnded is the error of an input that is sent at most once, if its worker was killed
// for another reason.
var errEnded = errors.New("it had to be ended")

// charge counts err as a failed attempt of a chunk. The chunk is handed out again, alone
// with its worker, or fails with err if it has no retries left.
func (w *worker) charge(next *afterwards, ch *chunk, err error) {
	ch.attempts++
	switch err := err.(type) {
	case *LostWorkerError:
		err.Input, err.Attempts, err.MayHaveRun = ch.input(), ch.attempts, ch.call.retries < 0
	case *TimeoutError:
		err.Input, err.Attempts = ch.input(), ch.attempts
	case *TaskError:
		err.Attempts = ch.attempts
	}
	c := ch.call
	if ch.attempts > c.retries || c.stopped {
		ch.worker = w.slot.index
		c.settle(ch, err)
		return
	}
	ch.alone = true
	c.retried++
	c.giveBack(ch)
	next.add(Event{Kind: ChunkRetried, Worker: w.slot.index, Input: ch.input(), Err: err})
}

// describe makes the LostWorkerError of a process that ended too early.
func (w *worker) describe(exit parent.Exit) *LostWorkerError {
	e := &LostWorkerError{
		Worker: w.slot.index, PID: exit.PID, Host: exit.Host, Launcher: exit.Launcher,
		Signal: exit.Signal, ExitCode: exit.ExitCode, CPULimit: exit.CPULimit, Stderr: exit.Stderr, Err: exit.Err,
	}
	if exit.Signal == "killed" && !exit.Killed && e.CPULimit == 0 {
		e.OOM = w.slot.pool.oomEvidence()
	}
	return e
}

// oomEvidence describes the out-of-memory kills in this control group since it was
// called last, or returns "". The caller holds the lock.
func (p *Pool) oomEvidence() string {
	before := p.oomKills
	if p.oomKills = p.sys.OOMKills(); before >= 0 && p.oomKills > before {
		return fmt.Sprintf("out of memory: the system killed %d of this control group's processes for it", p.oomKills-before)
	}
	return ""
}

// config returns the parent.Config of worker i's processes.
func (p *Pool) config(i int) parent.Config {
	o := p.opts
	logLine := func(line []byte) {
		p.stderr.Write(append(text.AppendPrintable(fmt.Appendf(nil, "[worker %d] ", i), line), '\n'))
	}
	if o.LogLine != nil {
		logLine = func(line []byte) { mustReturn("LogLine", func() { o.LogLine(i, line) }) }
	}
	c := parent.Config{
		Worker: i, Heartbeat: o.Heartbeat, StartupTimeout: o.StartupTimeout, Grace: o.Grace, CancelGrace: o.CancelGrace,
		MaxMessage: o.MaxMessage, Trace: o.Trace, LogLine: logLine, LimitLines: o.LimitLines,
	}
	if o.Worker != nil {
		c.Accept = p.accept
	}
	return c
}

var _ parent.Handler = (*workerProcess)(nil)
