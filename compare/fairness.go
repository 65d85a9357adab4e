package compare

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"procpool/pool"
)

// contracts gathers the terms that the runs observed, for each backend and
// ablation from its largest worker count.
func contracts(rec Record) []Contract {
	out := []Contract{}
	for _, r := range rec.Runs {
		c := rec.Plan.Cells[r.Cell]
		if c.Task == Null || c.Control {
			continue
		}
		i := slices.IndexFunc(out, func(k Contract) bool { return k.Backend == c.Backend && k.Ablation == c.Ablation })
		switch {
		case i < 0:
			out = append(out, Contract{c.Backend, c.Ablation, c.Workers, r.Terms})
		case c.Workers > out[i].Workers:
			out[i] = Contract{c.Backend, c.Ablation, c.Workers, r.Terms}
		}
	}
	slices.SortStableFunc(out, func(a, b Contract) int {
		return cmp.Or(rank(a.Backend)-rank(b.Backend), cmp.Compare(a.Ablation, b.Ablation))
	})
	return out
}

// warnings lists what a reader of the verdicts must know: broken terms, failed
// controls, rounds cut short, disturbed rounds, cells left out.
func warnings(rec Record) []Caveat {
	out := brokenTerms(rec)
	p := rec.Plan
	if p.Shrunk {
		out = append(out, Caveat{Text: fmt.Sprintf("sizes were shrunk to %.3g ms of serial work to fit the budget of %.4g s", 1000*p.Target, p.MaxSeconds)})
	}
	if rec.Seconds > p.MaxSeconds && rec.Status == pool.Done {
		out = append(out, Caveat{Text: fmt.Sprintf("the fewest rounds took %.1f s, more than the budget of %.4g s", rec.Seconds, p.MaxSeconds)})
	}
	if most := mostWorkers(p); most > p.CPUs && len(rec.Runs) > 0 {
		out = append(out, Caveat{Text: fmt.Sprintf("oversubscribed: up to %d workers share %d CPUs", most, p.CPUs)})
	}
	for _, s := range p.Skipped {
		out = append(out, Caveat{s.Cell.Task, s.Cell.Ablation == Plain, "left out " + s.Reason})
	}
	out = append(out, noise(rec)...)
	for _, t := range rec.Results.Tasks {
		if t.Task != Null && t.Rounds < p.Rounds[0] {
			out = append(out, Caveat{t.Task, true, fmt.Sprintf("too few rounds: %d, and a verdict on all comparisons (%d) needs %d", t.Rounds, p.Comparisons, p.Rounds[0])})
		}
		for _, f := range t.Amdahl {
			if f.Fraction < 0 {
				out = append(out, Caveat{t.Task, false, fmt.Sprintf("%s scale better than linearly (serial fraction %.3f): a cache effect, or a handicapped base", f.Backend, f.Fraction)})
			}
		}
	}
	return out
}

// noise says, once for all tasks, where identical code differed and which rounds
// were disturbed from outside.
func noise(rec Record) (out []Caveat) {
	var failed, disturbed, by []string
	most := false // rounds of a task
	for _, t := range rec.Results.Tasks {
		if c, ok := t.Control.Get(); ok && !c.Pass {
			failed = append(failed, fmt.Sprintf("%s [%.3f .. %.3f]", t.Task, c.Ratio.Low, c.Ratio.High))
		}
		if t.Flagged > 0 {
			disturbed = append(disturbed, fmt.Sprintf("%s %d of %d", t.Task, t.Flagged, t.Rounds))
			most = most || 2*t.Flagged > t.Rounds
		}
	}
	for _, r := range rec.Runs {
		by = append(by, r.Flags...)
	}
	slices.Sort(by)
	if len(failed) > 0 {
		out = append(out, Caveat{"", true, "the A/A control does not pass, so verdicts are held against the ratios that identical code shows: " + strings.Join(failed, ", ")})
	}
	if len(disturbed) > 0 {
		out = append(out, Caveat{"", most, fmt.Sprintf("disturbed rounds (%s): %s", strings.Join(slices.Compact(by), ", "), strings.Join(disturbed, ", "))})
	}
	return out
}

func mostWorkers(p Plan) int {
	most := 0
	for _, c := range p.Cells {
		most = max(most, c.Workers)
	}
	return most
}

// brokenTerms compares what the runs observed with what a fair comparison needs.
func brokenTerms(rec Record) []Caveat {
	var out []Caveat
	broken := func(c Cell, format string, args ...any) {
		w := Caveat{"", true, "unfair: " + c.Label() + ": " + fmt.Sprintf(format, args...)}
		if !slices.Contains(out, w) {
			out = append(out, w)
		}
	}
	first := map[string]Terms{}
	masks := map[Ablation]string{}
	for _, r := range rec.Runs {
		c := rec.Plan.Cells[r.Cell]
		inProcess := c.Backend == pool.Goroutines || c.Backend == pool.Threads
		if inProcess && r.Terms.ParentGOMAXPROCS != 0 && r.Terms.ParentGOMAXPROCS < c.Workers {
			broken(c, "GOMAXPROCS is %d, so at most %d of %d workers run at once", r.Terms.ParentGOMAXPROCS, r.Terms.ParentGOMAXPROCS, c.Workers)
		}
		if threads := r.Terms.WorkerGOMAXPROCS * c.Workers; r.Terms.WorkerGOMAXPROCS > 1 && threads > rec.Plan.CPUs {
			broken(c, "GOMAXPROCS of its workers adds up to %d on %d CPUs", threads, rec.Plan.CPUs)
		}
		key := c.Label()
		if was, ok := first[key]; !ok {
			first[key] = r.Terms
		} else if was != r.Terms {
			broken(c, "the terms changed between runs")
		}
		if c.Backend == pool.Threads || c.Ablation == Bound || r.Terms.Mask == "" {
			continue // bound on purpose, or unknown
		}
		if was, ok := masks[c.Ablation]; !ok {
			masks[c.Ablation] = r.Terms.Mask
		} else if was != r.Terms.Mask {
			broken(c, "it may run on CPUs %s, others on %s", r.Terms.Mask, was)
		}
	}
	return out
}
