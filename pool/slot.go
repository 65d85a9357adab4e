package pool

import (
	"procpool/ipc"
	"procpool/task"
)

// A slot is a worker's place in the pool. It outlives the processes that fill
// it one after the other. The pool's lock guards its fields.
type slot struct {
	pool     *Pool
	index    int
	body     executor
	inFlight []flight // chunks that its worker was sent and has not answered, in the order of sending
	store    []flight // an empty slice of the array that inFlight lies in
	stats    WorkerStats

	far     bool       // its worker is behind a launcher
	idle    bool       // in pool.idle
	lost    bool       // its last process was lost, and the next has not said hello
	givenUp bool       // no process fills it any more
	pace    float64    // seconds that a chunk of paceOf takes here, smoothed
	paceOf  *task.Spec // nil before the first
}

// A flight is a chunk in flight.
type flight struct {
	call  *call
	chunk *chunk
}

func (f flight) input() Input { return f.call.input(f.chunk) }

// An executor computes a slot's chunks. There is one for each backend. Its
// methods are called with the pool's lock held.
type executor interface {
	// send begins work on a chunk that was just put in flight.
	send(flight)
	// more says how many chunks the executor may still be sent.
	more() int
	// flush is called after a series of sends.
	flush()
	// abort gives up what is in flight: nobody wants it any more.
	abort()
	// end asks for an orderly end; nothing is in flight.
	end()
}

const (
	aheadSeconds = 0.010 // of work that a worker may have in flight, by its own pace
	aheadChunks  = 2     // chunks that it may always have in flight, to hide the way there and back

	// farSeconds is aheadSeconds of a worker behind a launcher: longer than a way
	// there and back. Slurm before 24.05 delays each message over 1,024 bytes by
	// 44 ms in each direction when nothing follows it.
	farSeconds = 0.200
)

// fill sends the slot's worker as much as it may have. The caller holds the lock.
func (s *slot) fill() {
	sent := false
	for s.body.more() > 0 {
		f, ok := s.pool.pick(s)
		if !ok {
			break
		}
		s.push(f)
		s.body.send(f)
		sent = true
	}
	if sent {
		s.body.flush()
	}
	if len(s.inFlight) == 0 && !s.idle && !s.givenUp && s.body.more() > 0 {
		s.idle = true
		s.pool.idle = append(s.pool.idle, s)
	}
}

// limit is how many chunks of c the slot may have in flight: what it does in
// 10 ms (in 200 ms if they have a way to go), but no more than its share of what
// is left, so that the last chunks are not queued behind a slow one while another
// worker is idle.
func (s *slot) limit(c *call) int {
	n := aheadChunks
	if s.pace > 0 && s.paceOf == c.spec {
		seconds := aheadSeconds
		if s.far {
			seconds = farSeconds
		}
		n = max(n, int(min(seconds/s.pace, ipc.MaxPending)))
	}
	share := c.remaining() / int64(s.pool.present())
	return min(n, int(max(share, 1)))
}

// canBegin reports whether the slot's worker will begin a chunk of c that is
// assigned to it: it is there or on its way, and busy with no other call.
func (s *slot) canBegin(c *call) bool {
	return !s.lost && !s.givenUp && (len(s.inFlight) == 0 || s.inFlight[0].call == c)
}

// An answer says what became of a chunk in flight.
type answer struct {
	seconds float64 // that the task took
	began   float64 // when, on the clock of ipc.Now; 0 without a trace
	size    int64   // of the encoded result, in bytes
	err     error
}

// answered accepts the answers to the first chunks in flight.
func (s *slot) answered(pid int, answers []answer) {
	for i, a := range answers {
		s.accept(s.inFlight[i], pid, a)
	}
	clear(s.inFlight[:len(answers)])
	s.inFlight = s.inFlight[len(answers):]
}

func (s *slot) accept(f flight, pid int, a answer) {
	c := f.chunk
	c.worker, c.host, c.pid, c.seconds, c.size = s.index, s.stats.Host, pid, a.seconds, a.size
	s.stats.Chunks++
	s.stats.BusySeconds += a.seconds
	if seconds := max(a.seconds, 1e-9); s.paceOf != f.call.spec {
		s.paceOf, s.pace = f.call.spec, seconds
	} else {
		s.pace += (seconds - s.pace) / 8
	}
	f.call.settle(c, a.err)
}

// push puts f last in flight. inFlight moves through its store as chunks are
// answered at the front, and goes back to the start when it has room to spare.
func (s *slot) push(f flight) {
	if len(s.inFlight) == cap(s.inFlight) {
		if len(s.inFlight) > cap(s.store)/2 {
			s.store = make([]flight, 0, 4*len(s.inFlight)+aheadChunks)
		}
		s.inFlight = append(s.store, s.inFlight...)
	}
	s.inFlight = append(s.inFlight, f)
}
