package parent

import (
	"time"

	"procpool/ipc"
)

// clocks measure in watch's ticks.
type clocks struct {
	starting   time.Duration // without a hello
	silent     time.Duration // without a byte from the worker
	busy       time.Duration // with a request and without an answer
	cancelling time.Duration // with a cancelled request that is the oldest without an answer
	ending     time.Duration // told to end
	sinceSent  time.Duration // without a byte to the worker
}

// watch keeps the limits of time until the talk is over.
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
		every = p.look(min(now.Sub(last), every), hurried) // more is time in which this process was stopped
		last = now
		timer.Reset(every)
	}
}

// tick is how soon watch looks again: often enough for the shortest limit that
// counts now. The caller holds mu.
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

// tickFor is how often watch looks for a limit; 0 is none.
func tickFor(limit time.Duration) time.Duration {
	if limit <= 0 {
		return time.Second
	}
	return max(min(limit/8, time.Second), time.Millisecond)
}

// hasten tells watch of a limit that begins to count now. The caller holds mu.
func (p *Process) hasten(limit time.Duration) {
	if tickFor(limit) < p.every {
		select {
		case p.hurry <- struct{}{}:
		default:
		}
	}
}

// keepTimeout notes the timeout of the request that was queued last. The caller
// holds mu.
func (p *Process) keepTimeout(d time.Duration) {
	if p.timeouts == nil {
		p.timeouts = make(map[uint64]time.Duration)
	}
	p.timeouts[p.sent] = d
	if p.sent == p.answered+1 {
		p.hasten(d)
	}
}

// look advances the clocks and acts on those that have run out. It returns how
// soon it is to be called again. If it was hurried, a limit has just begun to count,
// and what passed before does not count for it.
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
	// Only the oldest request can be running. One that waits behind it is not late
	// for its cancel, and later ones give the oldest no more time.
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
