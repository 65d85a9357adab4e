package compare

import (
	"cmp"
	"maps"
	"runtime"
	"runtime/debug"
	"slices"
	"time"

	"procpool/pool"
)

// A Recorder makes the timeline of a run from the events of its pool, which
// needs [pool.Options.Trace]: its Event is the pool's OnEvent, or called by it.
// It keeps some hundred bytes for every chunk. The zero value is ready for use,
// once.
type Recorder struct {
	workers map[int][]mark // in the order in which events came
}

// A mark is one known stretch of a worker's time.
type mark struct {
	phase    Phase
	from, to time.Time
	accepted time.Time // of Compute: when its result was here
}

// Event notes what happened. A pool calls it once at a time.
func (r *Recorder) Event(e pool.Event) {
	if r.workers == nil {
		r.workers = map[int][]mark{}
	}
	m := mark{from: e.Began, accepted: e.Time}
	switch e.Kind {
	case pool.WorkerSpawned:
		m.phase = PhaseSpawn
	case pool.WorkerStarted:
		m.phase = PhaseHello // from the start of the process; what is spawn of it comes first
	case pool.ChunkFinished:
		m.phase = PhaseCompute
	}
	if m.phase == "" || e.Began.IsZero() {
		return
	}
	m.to = e.Began.Add(time.Duration(e.Seconds * float64(time.Second)))
	r.workers[e.Worker] = append(r.workers[e.Worker], m)
}

// Run is the run that the events tell of: it began at began and took wall, and
// its pool, which is closed, had this backend and gives these stats. What the
// parent itself used is left open, and so are the value and the terms.
func (r *Recorder) Run(backend pool.Backend, began time.Time, wall time.Duration, stats []pool.WorkerStats) Run {
	run := Run{Wall: wall.Seconds(), Parent: WorkerRun{Index: -1}}
	end := r.lastAccepted(began, run.Wall)
	if backend == pool.Serial { // what is not computing there is taking chunks and adding them up
		t := timeline{end: run.Wall}
		t.follow(r.workers[0], began, PhaseReduce)
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
		t.follow(r.workers[s.Worker], began, PhaseDispatch)
		t.fill(PhaseReply, t.accepted)
		t.fill(PhaseIdle, end)
		w := WorkerRun{Index: s.Worker, CPUs: s.CPUs, Spans: t.withPauses(stops)}
		if backend == pool.Processes {
			w.PID = s.PID
			var missing map[string]string
			w.Resources, missing = usageOf(s)
			run.miss(missing)
		}
		run.Workers = append(run.Workers, w)
	}
	return run
}

// lastAccepted is when the last result was here, in seconds since began: from
// then on the parent was alone.
func (r *Recorder) lastAccepted(began time.Time, wall float64) float64 {
	last := -1.0
	for _, marks := range r.workers {
		for _, m := range marks {
			if m.phase == PhaseCompute {
				last = max(last, m.accepted.Sub(began).Seconds())
			}
		}
	}
	if last < 0 {
		return wall
	}
	return min(last, wall) // the event may be told after the sum is done
}

// A timeline is one worker's spans under construction: disjoint, without gaps,
// from 0 to end.
type timeline struct {
	spans    []Span
	at, end  float64
	accepted float64 // when the last result was here
}

// follow lays out marks in the order of time. Time between chunks is that of
// replies until the result is here, and then of the given phase; clocks that
// differ by a trifle from process to process move edges, never their order.
func (t *timeline) follow(marks []mark, began time.Time, between Phase) {
	slices.SortStableFunc(marks, func(a, b mark) int { return cmp.Or(a.from.Compare(b.from), a.to.Compare(b.to)) })
	seconds := func(m time.Time) float64 { return m.Sub(began).Seconds() }
	for _, m := range marks {
		if m.phase == PhaseCompute {
			if between == PhaseDispatch {
				t.fill(PhaseReply, min(t.accepted, seconds(m.from)))
			}
			t.fill(between, seconds(m.from))
		} else {
			t.fill(PhaseIdle, seconds(m.from)) // before a worker, and between one that was lost and the next
		}
		if m.phase == PhaseCompute && seconds(m.to) <= t.at {
			// Every chunk shows, also one that clocks leave no room for.
			t.spans = append(t.spans, Span{Phase: PhaseCompute, Start: t.at, End: t.at})
		}
		t.fill(m.phase, seconds(m.to))
		if m.phase == PhaseCompute {
			t.accepted = seconds(m.accepted)
		}
	}
}

// fill says what the worker was busy with up to a moment.
func (t *timeline) fill(p Phase, to float64) {
	if to = min(to, t.end); to > t.at {
		t.spans = append(t.spans, Span{Phase: p, Start: t.at, End: to})
		t.at = to
	}
}

// withPauses puts the pauses into the computing that they interrupted.
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

// pauses are the garbage collector's in this process since began, in which it
// stopped all goroutines, oldest first. Go tells the end of each cycle's second
// pause and the sum of both, and keeps the last 256.
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

// miss notes why measurements are unavailable.
func (r *Run) miss(reasons map[string]string) {
	if r.Missing == nil {
		r.Missing = map[string]string{}
	}
	maps.Copy(r.Missing, reasons)
}

// usageOf is a process's own account, and why the rest of it is missing.
func usageOf(s pool.WorkerStats) (u Resources, missing map[string]string) {
	reason := "not told by this system, " + runtime.GOOS
	if s.Host == "" {
		reason = "the run was over before a worker had started"
	}
	u.CPUSeconds = Known(s.UserSeconds + s.SystemSeconds)
	if s.GC != nil {
		cycles, _ := s.GC.Cycles.Get()
		u.GCCycles, u.GCPauseSeconds = Known(float64(cycles)), Known(s.GC.PauseSeconds)
	}
	missing = map[string]string{}
	to := map[string]*Maybe[float64]{
		"minor_faults": &u.MinorFaults, "major_faults": &u.MajorFaults, "voluntary_switches": &u.VoluntarySwitches,
		"involuntary_switches": &u.InvoluntarySwitches, "migrations": &u.Migrations, "peak_rss_bytes": &u.PeakRSSBytes,
	}
	for _, c := range s.All() {
		if n, known := c.Count.Get(); known {
			*to[c.Name] = Known(float64(n))
		} else {
			missing[c.Name] = reason
		}
	}
	return u, missing
}
