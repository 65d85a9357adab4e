package compare

import (
	"cmp"
	"fmt"
	"math"
	"slices"
)

// sortSpans puts spans in the order of their start, an enclosing span before
// those within it.
func sortSpans(spans []Span) {
	slices.SortStableFunc(spans, func(a, b Span) int {
		return cmp.Or(cmp.Compare(a.Start, b.Start), cmp.Compare(b.End, a.End))
	})
}

// phaseTimes sums up sorted spans by innermost phase, in the order of [Phases],
// to the nanosecond, which is as fine as clocks are. It reports spans that overlap
// without being nested, end before they start, leave [0, wall], or are of an
// unknown phase.
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

// SumPhases sorts and checks the spans of a run and sums them up as Phases. Do does
// it for every run; whoever renders the spans of a run that did not come from Do
// calls it first.
func (r *Run) SumPhases() error {
	if err := r.Parent.settle(r.Wall); err != nil {
		return fmt.Errorf("parent: %w", err)
	}
	for i := range r.Workers {
		if err := r.Workers[i].settle(r.Wall); err != nil {
			return err
		}
	}
	return nil
}

// settle checks one worker's spans and fills its Phases from them; a worker
// without spans keeps the Phases that its runner gave it.
func (w *WorkerRun) settle(wall float64) error {
	if len(w.Spans) == 0 {
		return nil
	}
	sortSpans(w.Spans)
	var err error
	if w.Phases, err = phaseTimes(w.Spans, wall); err != nil {
		return fmt.Errorf("worker %d: %w", w.Index, err)
	}
	w.separatePauses()
	return nil
}

// separatePauses takes the collector's pauses out of the computing that they
// interrupted where only their sum is known, as of worker processes.
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

// seconds is the time of one phase.
func (w WorkerRun) seconds(p Phase) float64 {
	for _, t := range w.Phases {
		if t.Phase == p {
			return t.Seconds
		}
	}
	return 0
}
