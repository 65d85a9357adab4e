package parent

import "time"

// EventKind says what an [Event] is about.
type EventKind string

// The kinds of event.
const (
	WorkerStarted EventKind = "started"  // a worker said hello
	ChunkFinished EventKind = "finished" // a chunk's result was accepted
	ChunkRetried  EventKind = "retried"  // a chunk goes to another worker
	WorkerLost    EventKind = "lost"     // a worker ended before its time, or could not be started
	WorkerEnded   EventKind = "ended"    // a worker ended in order, at the end or to be replaced
	WorkerGivenUp EventKind = "given-up" // a worker's place stays empty after failed starts
)

// An Event is something that happened in a pool.
type Event struct {
	Kind    EventKind
	Time    time.Time
	Worker  int
	PID     int     // 0 for goroutines
	Input   Input   // of chunks
	Seconds float64 // of chunks: computing; of started: from spawn to hello
	Err     error   // of lost, retried and given-up
}

// emit tells OnEvent. It must not be called with p.mu held.
func (p *Pool) emit(events ...Event) {
	if p.opts.OnEvent == nil || len(events) == 0 {
		return
	}
	p.events.Lock()
	defer p.events.Unlock()
	for _, e := range events {
		e.Time = time.Now()
		p.opts.OnEvent(e)
	}
}
