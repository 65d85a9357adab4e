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
	cancelling time.Duration // with a cancelled request, and without the answer to one
	ending     time.Duration // told to end
	sinceSent  time.Duration // without a byte to the worker
}

// watch keeps the limits of time until the talk is over.
func (p *Process) watch() {
	every := p.tick()
	timer := time.NewTimer(every)
	defer timer.Stop()
	for {
		select {
		case <-timer.C:
			p.look(every)
			timer.Reset(every)
		case limit := <-p.shorter:
			if limit = tickFor(limit); limit < every {
				every = limit
				timer.Reset(every)
			}
		case <-p.over:
			return
		}
	}
}

// tick is how often watch looks: often enough for the shortest limit.
func (p *Process) tick() time.Duration {
	every, c := time.Second, p.config
	for _, limit := range [...]time.Duration{c.Heartbeat, c.StartupTimeout, c.Grace, c.CancelGrace} {
		if limit > 0 {
			every = min(every, tickFor(limit))
		}
	}
	return every
}

func tickFor(limit time.Duration) time.Duration {
	return max(min(limit/8, time.Second), time.Millisecond)
}

// keepTimeout notes the timeout of the request that was queued last. The caller
// holds mu.
func (p *Process) keepTimeout(d time.Duration) {
	if p.timeouts == nil {
		p.timeouts = make(map[uint64]time.Duration)
	}
	p.timeouts[p.sent] = d
	if p.shortest == 0 || d < p.shortest {
		p.shortest = d
		select {
		case <-p.shorter: // an earlier one that watch has not taken
		default:
		}
		p.shorter <- d
	}
}

// look advances the clocks and acts on those that have run out.
func (p *Process) look(every time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	o, c := p.config, &p.clocks
	if c.silent += every; p.gotBytes.Swap(false) {
		c.silent = 0
	}
	switch {
	case p.killed != nil:
		return
	case !p.ready:
		if c.starting += every; o.StartupTimeout > 0 && c.starting > o.StartupTimeout {
			p.killLocked(&SilenceError{Limit: o.StartupTimeout, Starting: true})
		}
		return
	case o.Heartbeat > 0 && c.silent > o.Heartbeat:
		p.killLocked(&SilenceError{Limit: o.Heartbeat})
		return
	}
	c.busy += every
	if limit := p.timeouts[p.answered+1]; limit > 0 && c.busy > limit && p.lateID != p.answered+1 {
		p.lateID = p.answered + 1
		p.cancelLocked(p.lateID)
	}
	if c.cancelling += every; len(p.cancelled) > 0 && c.cancelling > o.CancelGrace {
		why := errUnwanted
		if p.lateID == p.answered+1 {
			why = errTimeout
		}
		p.killLocked(why)
		return
	}
	if c.ending += every; !p.ending {
		c.ending = 0
	} else if o.Grace > 0 && c.ending > o.Grace {
		p.killLocked(errUnwanted)
		return
	}
	if c.sinceSent += every; o.Heartbeat > 0 && c.sinceSent >= o.Heartbeat/4 && p.queue.empty() && !p.ending {
		p.queue.buf = ipc.AppendBeat(p.queue.buf)
		p.kick()
	}
}
