package pool

import (
	"errors"
	"time"

	"procpool/ipc"
)

// clocks measure a life in the monitor's ticks, not in time: a job that is
// stopped as a whole and continued has missed no tick, and loses nobody.
type clocks struct {
	starting  time.Duration // without a hello
	silent    time.Duration // without a byte from the worker
	busy      time.Duration // with a chunk and without an answer
	ending    time.Duration // told to end
	sinceSent time.Duration // without a byte to the worker
}

// settleTime is when a pool begins to count what the system kills for lack of
// memory. It reads half a dozen files for that, while its workers start: a run that
// is over sooner has no use for it.
const settleTime = 20 * time.Millisecond

// monitor looks at every life now and then until all of them are over.
func (p *Pool) monitor() {
	every := p.tick()
	ticker := time.NewTicker(every)
	defer ticker.Stop()
	settled := time.After(settleTime)
	for {
		select {
		case <-settled:
			ooms := p.sys.oomKills()
			p.mu.Lock()
			p.ooms = max(p.ooms, ooms)
			p.mu.Unlock()
		case <-ticker.C:
			p.look(every)
		case <-p.gone: // not with the pool's end: workers may have to be made to end
			return
		}
	}
}

// tick is how often the monitor looks: often enough for the shortest limit.
func (p *Pool) tick() time.Duration {
	every := time.Second
	for _, limit := range []time.Duration{p.opts.Heartbeat, p.opts.Timeout, p.opts.StartupTimeout, p.opts.Grace} {
		if limit > 0 {
			every = min(every, limit/8)
		}
	}
	return max(every, time.Millisecond)
}

// look looks at every life once.
func (p *Pool) look(every time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, s := range p.slots {
		if w := s.body.(*worker); w.life != nil {
			w.life.look(every)
		}
	}
}

// look advances a life's clocks and acts on those that have run out. The
// caller holds the lock.
func (l *life) look(every time.Duration) {
	o, c := &l.pool.opts, &l.clocks
	if c.silent += every; l.heard.Swap(false) {
		c.silent = 0
	}
	switch {
	case l.killed != nil:
		return
	case !l.ready:
		if c.starting += every; c.starting > o.StartupTimeout {
			l.kill(&SilenceError{Limit: o.StartupTimeout, Starting: true})
		}
		return
	case o.Heartbeat > 0 && c.silent > o.Heartbeat:
		l.kill(&SilenceError{Limit: o.Heartbeat})
		return
	}
	if c.busy += every; o.Timeout > 0 && len(l.slot.hand) > 0 && c.busy > o.Timeout {
		l.late = l.slot.hand[0].chunk
		l.kill(errTimeout)
		return
	}
	if c.ending += every; !l.ended {
		c.ending = 0
	} else if c.ending > o.Grace {
		l.kill(errAborted)
		return
	}
	if c.sinceSent += every; o.Heartbeat > 0 && c.sinceSent >= o.Heartbeat/4 && l.out.empty() && !l.ended {
		l.out.buf = ipc.AppendBeat(l.out.buf)
		l.kick()
	}
}

// errTimeout is why a worker was killed whose chunk took too long.
var errTimeout = errors.New("its chunk took too long")
