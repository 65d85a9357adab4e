package parent

import (
	"time"

	"procpool/ipc"
)

// clocks count time in watch's ticks.
type clocks struct {
	starting   time.Duration // since the start, until the hello
	silent     time.Duration // since the last byte from the worker
	busy       time.Duration // since the last answer, while a request is unanswered
	cancelling time.Duration // since the oldest unanswered request was cancelled
	ending     time.Duration // since the worker was told to end
	sinceSent  time.Duration // since the last byte to the worker
}

// watch enforces the limits of time until Run has stopped reading.
func (p *Process) watch() {
	p.mu.Lock()
	every := p.tick()
	p.mu.Unlock()
	timer := time.NewTimer(every)
	defer timer.Stop()
	last := time.Now()
	for {
		hurried := false
		select {
		case <-timer.C:
			hurried = len(p.hurry) > 0
		case <-p.hurry:
			hurried = true
		case <-p.over:
			return
		}
		now := time.Now()
		every = p.look(min(now.Sub(last), every), hurried) // beyond every, this process was stopped: that time does not count
		last = now
		timer.Reset(every)
	}
}

// tick sets and returns the time until watch looks again, short enough for the shortest
// limit that counts now. The caller holds mu.
func (p *Process) tick() time.Duration {
	c := p.config
	p.every = min(time.Second, tickFor(c.Heartbeat), tickFor(p.timeouts[p.answered+1]))
	if !p.ready {
		p.every = min(p.every, tickFor(c.StartupTimeout))
	}
	if p.ending {
		p.every = min(p.every, tickFor(c.Grace))
	}
	if p.askedBack[p.answered+1] {
		p.every = min(p.every, tickFor(c.CancelGrace))
	}
	return p.every
}

// tickFor returns how often watch looks at a limit: eight times, but at most once a
// millisecond and at least once a second. A limit of 0 is none.
func tickFor(limit time.Duration) time.Duration {
	if limit <= 0 {
		return time.Second
	}
	return max(min(limit/8, time.Second), time.Millisecond)
}

// hasten wakes watch if a limit that begins to count now needs shorter ticks. The caller
// holds mu.
func (p *Process) hasten(limit time.Duration) {
	if tickFor(limit) < p.every {
		select {
		case p.hurry <- struct{}{}:
		default:
		}
	}
}

// keepTimeout stores the timeout of the request that was queued last. The caller holds mu.
func (p *Process) keepTimeout(d time.Duration) {
	if p.timeouts == nil {
		p.timeouts = make(map[uint64]time.Duration)
	}
	p.timeouts[p.sent] = d
	if p.sent == p.answered+1 {
		p.hasten(d)
	}
}

// look advances the clocks by passed and acts on limits that are exceeded. It returns the
// time until its next call. hurried means that hasten woke watch: a limit has just begun,
// so the time before does not count for requests and the end.
func (p *Process) look(passed time.Duration, hurried bool) time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	counts := passed
	if hurried {
		counts = 0
	}
	p.act(passed, counts)
	return p.tick()
}

func (p *Process) act(passed, counts time.Duration) {
	o, c := p.config, &p.clocks
	if c.silent += passed; p.gotBytes.Swap(false) {
		c.silent = 0
	}
	switch {
	case p.killed != nil:
		return
	case !p.ready:
		if c.starting += passed; o.StartupTimeout > 0 && c.starting > o.StartupTimeout {
			p.killLocked(&SilenceError{Limit: o.StartupTimeout, Starting: true})
		}
		return
	case o.Heartbeat > 0 && c.silent > o.Heartbeat:
		p.killLocked(&SilenceError{Limit: o.Heartbeat})
		return
	}
	c.busy += counts
	if limit := p.timeouts[p.answered+1]; limit > 0 && c.busy > limit && p.lateID != p.answered+1 {
		p.lateID = p.answered + 1
		p.cancelLocked(p.lateID)
	}
	// Only the oldest request can be running, so CancelGrace counts for it alone. Answers
	// to later requests do not reset its clock.
	if !p.askedBack[p.answered+1] {
		c.cancelling = 0
	} else if c.cancelling += counts; c.cancelling > o.CancelGrace {
		why := errUnwanted
		if p.lateID == p.answered+1 {
			why = errTimeout
		}
		p.killLocked(why)
		return
	}
	if c.ending += counts; !p.ending {
		c.ending = 0
	} else if o.Grace > 0 && c.ending > o.Grace {
		p.killLocked(errUnwanted)
		return
	}
	if c.sinceSent += passed; o.Heartbeat > 0 && c.sinceSent >= o.Heartbeat/4 && p.queue.empty() && !p.ending {
		p.queue.buf = ipc.AppendBeat(p.queue.buf)
		p.kick()
	}
}
