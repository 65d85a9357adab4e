package compare

import (
	"cmp"
	"fmt"
	"math"
	"slices"
)

// phaseTimes adds up sorted spans by innermost phase, in the order of [Phases], to
// the nanosecond, the resolution of clocks. It returns an error for spans that
// overlap without being nested, end before they start, leave [0, wall], or are of
// an unknown phase.
func phaseTimes(spans []Span, wall float64) ([]PhaseTime, error) {
	self, known := map[Phase]float64{}, Phases()
	var open []Span // enclosing spans, outermost first
	for _, s := range spans {
		if !slices.Contains(known, s.Phase) {
			return nil, fmt.Errorf("span of an unknown phase %q", s.Phase)
		}
		if !(0 <= s.Start && s.Start <= s.End && s.End <= wall) {
			return nil, fmt.Errorf("span %s [%g, %g] is not within the run of %g s", s.Phase, s.Start, s.End, wall)
		}
		for len(open) > 0 && open[len(open)-1].End <= s.Start {
			open = open[:len(open)-1]
		}
		if len(open) > 0 {
			outer := open[len(open)-1]
			if s.End > outer.End {
				return nil, fmt.Errorf("span %s [%g, %g] overlaps %s [%g, %g] without being within it",
					s.Phase, s.Start, s.End, outer.Phase, outer.Start, outer.End)
			}
			self[outer.Phase] -= s.End - s.Start
		}
		self[s.Phase] += s.End - s.Start
		open = append(open, s)
	}
	var out []PhaseTime
	for _, p := range Phases() {
		if t, ok := self[p]; ok {
			out = append(out, PhaseTime{p, math.Round(max(t, 0)*1e9) / 1e9})
		}
	}
	return out, nil
}

// SumPhases sorts and checks the spans of a run and adds them up as Phases. Do
// calls it for every run; call it before rendering a run that is not from Do.
func (r *Run) SumPhases() error {
	if err := r.Parent.sumPhases(r.Wall); err != nil {
		return fmt.Errorf("parent: %w", err)
	}
	for i := range r.Workers {
		if err := r.Workers[i].sumPhases(r.Wall); err != nil {
			return fmt.Errorf("worker %d: %w", r.Workers[i].Index, err)
		}
	}
	return nil
}

// sumPhases checks one worker's spans and fills its Phases from them. A worker
// without spans keeps the Phases that its runner gave it.
func (w *WorkerRun) sumPhases(wall float64) (err error) {
	if len(w.Spans) == 0 {
		return nil
	}
	slices.SortStableFunc(w.Spans, func(a, b Span) int { // an enclosing span before those within it
		return cmp.Or(cmp.Compare(a.Start, b.Start), cmp.Compare(b.End, a.End))
	})
	if w.Phases, err = phaseTimes(w.Spans, wall); err == nil {
		w.separatePauses()
	}
	return err
}

// separatePauses moves the collector's pauses from computing to a phase of their
// own where only their sum is known, as for worker processes.
func (w *WorkerRun) separatePauses() {
	pause, ok := w.GCPauseSeconds.Get()
	i := slices.IndexFunc(w.Phases, func(t PhaseTime) bool { return t.Phase == PhaseCompute })
	if !ok || pause == 0 || i < 0 || w.seconds(PhaseGC) > 0 {
		return
	}
	pause = min(pause, w.Phases[i].Seconds)
	w.Phases[i].Seconds = math.Round((w.Phases[i].Seconds-pause)*1e9) / 1e9
	w.Phases = slices.Insert(w.Phases, i+1, PhaseTime{PhaseGC, pause})
}

// seconds returns the time of one phase, 0 if there was none.
func (w WorkerRun) seconds(p Phase) float64 { return sumOf(w.Phases, p) }

// sumOf adds up the times of some phases.
func sumOf(times []PhaseTime, phases ...Phase) (sum float64) {
	for _, t := range times {
		if slices.Contains(phases, t.Phase) {
			sum += t.Seconds
		}
	}
	return sum
}
