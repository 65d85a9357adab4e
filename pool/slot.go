package pool

import (
	"procpool/ipc"
	"procpool/task"
)

// A slot is a worker's place in the pool. It outlives the processes that fill
// it one after the other. Its fields are guarded by the pool's lock.
type slot struct {
	pool  *Pool
	index int
	body  executor
	hand  []held // chunks that its worker has and has not answered, in the order in which they were sent
	store []held // an empty slice of what hand is a part of
	stats WorkerStats

	far    bool       // its worker is behind a launcher
	hungry bool       // in pool.hungry
	absent bool       // given up, or its pool is closed
	pace   float64    // seconds that a chunk of paceOf takes here, smoothed
	paceOf *task.Spec // nil before the first
}

// held is a chunk in a slot's hand.
type held struct {
	job   *job
	chunk *chunk
}

// An executor is the body of a worker: where its chunks are computed. There
// is one for each backend. Its methods are called with the pool's lock held.
type executor interface {
	// send begins work on a chunk that was just put into the slot's hand.
	send(held)
	// more says how many chunks the executor may still be sent.
	more() int
	// flush is called after a series of sends.
	flush()
	// abort gives up what is in hand: nobody wants it any more.
	abort()
	// end asks for an orderly end once the hand is empty.
	end()
}

const (
	handSeconds = 0.010 // of work that a worker may hold, by its own pace
	handChunks  = 2     // chunks that it may always hold, to hide the way there and back
)

// draw fills the slot's hand. The caller holds the lock.
func (s *slot) draw() {
	sent := false
	for s.body.more() > 0 {
		h, ok := s.pool.pick(s)
		if !ok {
			break
		}
		s.hold(h)
		s.body.send(h)
		sent = true
	}
	if sent {
		s.body.flush()
	}
	if len(s.hand) == 0 && !s.hungry && !s.absent && s.body.more() > 0 {
		s.hungry = true
		s.pool.hungry = append(s.pool.hungry, s)
	}
}

// limit is how many chunks of j the slot may hold: what it does in 10 ms (in
// 200 ms if they have a way to go), but no more than its share of what is left,
// so that the last chunks are not queued behind a slow one while another worker
// is idle.
func (s *slot) limit(j *job) int {
	n := handChunks
	if s.pace > 0 && s.paceOf == j.spec {
		seconds := handSeconds
		if s.far {
			seconds = farSeconds
		}
		n = max(n, int(min(seconds/s.pace, ipc.MaxPending)))
	}
	share := j.remaining() / int64(s.pool.present())
	return min(n, int(max(share, 1)))
}

// An answer is what became of a chunk in a hand.
type answer struct {
	seconds float64 // that the task took
	began   float64 // when, on the clock of ipc.Now; 0 without a trace
	size    int64   // of the encoded result, in bytes
	err     error
}

// answered accepts the answers to the first chunks of the hand.
func (s *slot) answered(pid int, answers []answer) {
	for i, a := range answers {
		s.accept(s.hand[i], pid, a)
	}
	clear(s.hand[:len(answers)])
	s.hand = s.hand[len(answers):]
}

func (s *slot) accept(h held, pid int, a answer) {
	c := h.chunk
	c.worker, c.host, c.pid, c.seconds, c.size = s.index, s.stats.Host, pid, a.seconds, a.size
	s.stats.Chunks++
	s.stats.BusySeconds += a.seconds
	if seconds := max(a.seconds, 1e-9); s.paceOf != h.job.spec {
		s.paceOf, s.pace = h.job.spec, seconds
	} else {
		s.pace += (seconds - s.pace) / 8
	}
	h.job.settle(c, a.err)
}

// hold puts h last into the hand, which moves through its store as chunks are
// answered at the front and goes back to the start when it has room to spare.
func (s *slot) hold(h held) {
	if len(s.hand) == cap(s.hand) {
		if len(s.hand) > cap(s.store)/2 {
			s.store = make([]held, 0, 4*len(s.hand)+handChunks)
		}
		s.hand = append(s.store, s.hand...)
	}
	s.hand = append(s.hand, h)
}
