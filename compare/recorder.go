package compare

import (
	"cmp"
	"runtime/debug"
	"slices"
	"time"

	"procpool/pool"
)

// A Recorder builds the timeline of a run from the events of its pool, which
// needs [pool.Options.Trace]. Pass Event as the pool's OnEvent, or call it from
// there. A Recorder keeps some hundred bytes for every chunk. The zero value is
// ready for use, for one run.
type Recorder struct {
	workers map[int][]stretch // in the order of events
}

// A stretch is a known part of a worker's time.
type stretch struct {
	phase    Phase
	from, to time.Time
	accepted time.Time // of PhaseCompute: when the parent had the result
}

// Event records an event. The pool makes one call at a time.
func (r *Recorder) Event(e pool.Event) {
	if r.workers == nil {
		r.workers = map[int][]stretch{}
	}
	m := stretch{from: e.Began, accepted: e.Time}
	switch e.Kind {
	case pool.WorkerSpawned:
		m.phase = PhaseSpawn
	case pool.WorkerStarted:
		m.phase = PhaseHello // begins with the process; the spawn event, which comes first, takes its share
	case pool.ChunkFinished:
		m.phase = PhaseCompute
	}
	if m.phase == "" || e.Began.IsZero() {
		return
	}
	m.to = e.Began.Add(time.Duration(e.Seconds * float64(time.Second)))
	r.workers[e.Worker] = append(r.workers[e.Worker], m)
}

// Run builds the Run from the recorded events: it began at began and took wall,
// and its pool, which is closed, had this backend and these stats. Run does not
// fill in the parent's resources, the value and the terms.
func (r *Recorder) Run(backend pool.Backend, began time.Time, wall time.Duration, stats []pool.WorkerStats) Run {
	run := Run{Wall: wall.Seconds(), Parent: WorkerRun{Index: -1}}
	end := r.lastAccepted(began, run.Wall)
	if backend == pool.Serial { // between chunks, it adds up results
		t := timeline{end: run.Wall}
		t.add(r.workers[0], began, PhaseReduce)
		t.fill(PhaseReduce, run.Wall)
		run.Parent.Spans = t.withPauses(pauses(began))
		return run
	}
	if end < run.Wall {
		run.Parent.Spans = []Span{{Phase: PhaseReduce, Start: end, End: run.Wall}}
	}
	var stops []Span
	if backend != pool.Processes {
		stops = pauses(began)
	}
	for _, s := range stats {
		t := timeline{end: end}
		t.add(r.workers[s.Worker], began, PhaseDispatch)
		t.fill(PhaseReply, t.accepted)
		t.fill(PhaseIdle, end)
		w := WorkerRun{Index: s.Worker, CPUs: s.CPUs, Spans: t.withPauses(stops)}
		if backend == pool.Processes {
			w.PID, w.Resources = s.PID, resources(s)
		}
		run.Workers = append(run.Workers, w)
	}
	return run
}

// lastAccepted returns when the parent had the last result, in seconds since began. After
// that no worker computes.
func (r *Recorder) lastAccepted(began time.Time, wall float64) float64 {
	last := -1.0
	for _, stretches := range r.workers {
		for _, m := range stretches {
			if m.phase == PhaseCompute {
				last = max(last, m.accepted.Sub(began).Seconds())
			}
		}
	}
	if last < 0 {
		return wall
	}
	return min(last, wall) // the event may come after the sum is done
}

// A timeline is one worker's spans under construction: disjoint, without gaps,
// from 0 to end.
type timeline struct {
	spans    []Span
	at, end  float64
	accepted float64 // when the parent had the last result
}

// add appends the stretches in the order of time. It fills the time after a chunk
// with PhaseReply until the parent has the result, and then with the phase between.
// Clocks that differ slightly from process to process move edges, but never change
// their order.
func (t *timeline) add(stretches []stretch, began time.Time, between Phase) {
	slices.SortStableFunc(stretches, func(a, b stretch) int { return cmp.Or(a.from.Compare(b.from), a.to.Compare(b.to)) })
	seconds := func(m time.Time) float64 { return m.Sub(began).Seconds() }
	setup := setupOf(stretches)
	for _, m := range stretches {
		if m.phase == PhaseCompute {
			if between == PhaseDispatch {
				t.fill(PhaseReply, min(t.accepted, seconds(m.from)))
			}
			t.fill(between, seconds(m.from))
		} else {
			t.fill(PhaseIdle, seconds(m.from)) // before the first process, and between a lost one and the next
		}
		if m.phase == PhaseCompute && setup > 0 {
			t.fill(PhaseSetup, seconds(m.from)+setup.Seconds())
			setup = 0
		}
		if m.phase == PhaseCompute && min(seconds(m.to), t.end) <= t.at {
			// Show every chunk, even if the clocks leave no room for it.
			t.spans = append(t.spans, Span{Phase: PhaseCompute, Start: t.at, End: t.at})
		}
		t.fill(m.phase, seconds(m.to))
		if m.phase == PhaseCompute {
			t.accepted = seconds(m.accepted)
		}
	}
}

// setupOf returns what the first chunk of a worker took longer than its median chunk, if
// it is twice as long as any other: a task that builds something at its first call.
func setupOf(sorted []stretch) time.Duration {
	var chunks []time.Duration
	for _, m := range sorted {
		if m.phase == PhaseCompute {
			chunks = append(chunks, m.to.Sub(m.from))
		}
	}
	if len(chunks) < 5 {
		return 0
	}
	first := chunks[0]
	slices.Sort(chunks)
	if first == chunks[len(chunks)-1] && first > time.Millisecond && first > 2*chunks[len(chunks)-2] {
		return first - chunks[len(chunks)/2]
	}
	return 0
}

// fill appends a span of phase p from the end of the last one to the given time.
func (t *timeline) fill(p Phase, to float64) {
	if to = min(to, t.end); to > t.at {
		t.spans = append(t.spans, Span{Phase: p, Start: t.at, End: to})
		t.at = to
	}
}

// withPauses returns t.spans with the pauses nested in the computing that they
// interrupted.
func (t *timeline) withPauses(stops []Span) []Span {
	leaves := t.spans
	for _, stop := range stops {
		i, _ := slices.BinarySearchFunc(leaves, stop.Start, func(s Span, at float64) int { return cmp.Compare(s.End, at) })
		for ; i < len(leaves) && leaves[i].Start < stop.End; i++ {
			from, to := max(stop.Start, leaves[i].Start), min(stop.End, leaves[i].End)
			if leaves[i].Phase == PhaseCompute && to > from {
				t.spans = append(t.spans, Span{Phase: PhaseGC, Start: from, End: to})
			}
		}
	}
	return t.spans
}

// pauses returns the spans since began in which the garbage collector stopped all
// goroutines of this process, oldest first. Go keeps the last 256 cycles: the end
// of each one's second pause, and the sum of both.
func pauses(began time.Time) []Span {
	var gc debug.GCStats
	debug.ReadGCStats(&gc)
	var out []Span
	for i, end := range gc.PauseEnd {
		to := end.Sub(began).Seconds()
		if from := max(to-gc.Pause[i].Seconds(), 0); to > from {
			if n := len(out); n > 0 && to > out[n-1].Start {
				to = out[n-1].Start // the clock was set meanwhile
			}
			if to > from {
				out = append(out, Span{Phase: PhaseGC, Start: from, End: to})
			}
		}
	}
	slices.Reverse(out)
	return out
}

// resources converts a worker's figures.
func resources(s pool.WorkerStats) (used Resources) {
	used.UserSeconds, used.SystemSeconds = Known(s.UserSeconds), Known(s.SystemSeconds)
	if s.GC != nil {
		cycles, _ := s.GC.Cycles.Get()
		used.GCCycles, used.GCPauseSeconds = Known(float64(cycles)), Known(s.GC.PauseSeconds)
	}
	figures := used.CountersOf.All()
	for i, c := range s.Counters.All() {
		if n, known := c.Count.Get(); known {
			*figures[i].Count = Known(float64(n))
		}
	}
	return used
}
