package parent

import (
	"time"

	"procpool/ipc"
)

// clocks measure in watch's ticks.
type clocks struct {
	starting  time.Duration // without a hello
	silent    time.Duration // without a byte from the worker
	busy      time.Duration // with a request and without an answer
	ending    time.Duration // told to end
	sinceSent time.Duration // without a byte to the worker
}

// watch keeps the limits of time until the talk is over.
func (p *Process) watch() {
	every := p.tick()
	ticker := time.NewTicker(every)
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
			p.look(every)
		case <-p.over:
			return
		}
	}
}

// tick is how often watch looks: often enough for the shortest limit.
func (p *Process) tick() time.Duration {
	every, c := time.Second, p.config
	for _, limit := range [...]time.Duration{c.Heartbeat, c.Timeout, c.StartupTimeout, c.Grace} {
		if limit > 0 {
			every = min(every, limit/8)
		}
	}
	return max(every, time.Millisecond)
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
	if c.busy += every; o.Timeout > 0 && p.sent > p.answered && c.busy > o.Timeout {
		p.lateID = p.answered + 1
		p.killLocked(errTimeout)
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
