package pool

import (
	"slices"
	"time"

	"procpool/ipc"
)

// EventKind says what an [Event] is about.
type EventKind string

// The kinds of event.
const (
	WorkerSpawned EventKind = "spawned"  // a worker's process was made
	WorkerStarted EventKind = "started"  // a worker said hello
	ChunkFinished EventKind = "finished" // a chunk's result was accepted; to be told costs as much as handing the chunk out, see Options.EventKinds
	ChunkRetried  EventKind = "retried"  // a chunk goes to another worker
	WorkerLost    EventKind = "lost"     // a worker ended before its time, or could not be started
	WorkerEnded   EventKind = "ended"    // a worker ended in order, at the end or to be replaced
	WorkerGivenUp EventKind = "given-up" // after failed starts calls do not count on a worker's place any more; it is tried again with pauses
)

// An Event is something that happened in a pool.
type Event struct {
	Kind    EventKind
	Time    time.Time
	Worker  int
	PID     int     // 0 for goroutines
	Input   Input   // of chunks
	Seconds float64 // of chunks: computing; of spawned and started: since Began
	// Began is when a worker's process began to be made, and with Options.Trace
	// when a chunk began to be computed; else zero. It is exact to the clocks
	// that processes of one machine share.
	Began time.Time
	Err   error // of lost, retried and given-up
}

// emit calls OnEvent for each event. It must not be called with p.mu held.
func (p *Pool) emit(events ...Event) {
	events = slices.DeleteFunc(events, func(e Event) bool { return !p.wants(e.Kind) })
	if len(events) == 0 {
		return
	}
	p.events.Lock()
	defer p.events.Unlock()
	for _, e := range events {
		e.Time = time.Now()
		mustReturn("OnEvent", func() { p.opts.OnEvent(e) })
	}
}

// mustReturn calls a caller's function on a goroutine that the pool needs. A panic in f
// ends the program, as on any goroutine. runtime.Goexit ends it too, because the pool
// would hang without that goroutine.
func mustReturn(name string, f func()) {
	returned := false
	defer func() {
		if returned {
			return
		}
		if v := recover(); v != nil {
			panic(v)
		}
		panic(name + " called runtime.Goexit")
	}()
	f()
	returned = true
}

// wants reports whether OnEvent is to be called for a kind of event.
func (p *Pool) wants(kind EventKind) bool {
	return p.opts.OnEvent != nil && (p.opts.EventKinds == nil || slices.Contains(p.opts.EventKinds, kind))
}

// finished returns the ChunkFinished events for answers, which belong to the first of
// chunks. It must be called before the answers are accepted, because then the chunks may
// be reused.
func (p *Pool) finished(worker, pid int, chunks []*chunk, answers []answer) (events []Event) {
	if !p.wants(ChunkFinished) {
		return nil
	}
	for i, a := range answers {
		e := Event{Kind: ChunkFinished, Worker: worker, PID: pid, Input: chunks[i].input(), Seconds: a.seconds, Err: a.err}
		switch {
		case a.began != 0:
			e.Began = p.clock.time(a.began)
		case p.opts.Trace && p.opts.Worker != nil: // other programs need not report it
			e.Began = time.Now().Add(-time.Duration(a.seconds * float64(time.Second)))
		}
		events = append(events, e)
	}
	return events
}

// A clock converts between this process's times and ipc.Now, the clock that it shares
// with its workers. It uses one pair of readings, so that all conversions agree.
type clock struct {
	at  time.Time
	now float64 // reading of ipc.Now at the same moment
}

func newClock() clock { return clock{time.Now(), ipc.Now()} }

func (c clock) time(moment float64) time.Time {
	return c.at.Add(time.Duration((moment - c.now) * float64(time.Second)))
}

func (c clock) moment(t time.Time) float64 { return c.now + t.Sub(c.at).Seconds() }

// moment returns t on the clock of ipc.Now if Options.Trace is set, else 0.
func (p *Pool) moment(t time.Time) float64 {
	if !p.opts.Trace {
		return 0
	}
	return p.clock.moment(t)
}
