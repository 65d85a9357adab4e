package compare

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"procpool/pool"
)

// contracts lists the terms that the runs observed, for each backend and ablation
// with its largest worker count.
func contracts(rec Record) []Contract {
	out := []Contract{}
	for _, r := range rec.Runs {
		c := rec.Plan.Cells[r.Cell]
		if c.Task == Null || c.Control {
			continue
		}
		i := slices.IndexFunc(out, func(k Contract) bool { return k.Backend == c.Backend && k.Ablation == c.Ablation })
		terms := Contract{c.Backend, c.Ablation, c.Workers, r.Terms}
		if i < 0 {
			out = append(out, terms)
		} else if c.Workers > out[i].Workers {
			out[i] = terms
		}
	}
	slices.SortStableFunc(out, func(a, b Contract) int {
		return cmp.Or(rank(a.Backend)-rank(b.Backend), cmp.Compare(a.Ablation, b.Ablation))
	})
	return out
}

// caveats lists what a reader of the verdicts must know: broken terms, failed
// controls, rounds cut short, disturbed rounds, cells left out.
func caveats(rec Record) []Caveat {
	out := brokenTerms(rec)
	add := func(task string, headline bool, format string, args ...any) {
		out = append(out, Caveat{task, headline, fmt.Sprintf(format, args...)})
	}
	p := rec.Plan
	if p.Shrunk {
		add("", false, "sizes were shrunk to %.3g ms of serial work to fit the budget of %.4g s", 1000*p.Target, p.MaxSeconds)
	}
	if rec.Seconds > p.MaxSeconds && rec.Status == pool.Done {
		add("", false, "the fewest rounds took %.1f s, more than the budget of %.4g s", rec.Seconds, p.MaxSeconds)
	}
	most := 0
	for _, c := range p.Cells {
		most = max(most, c.Workers)
	}
	if most > p.CPUs && len(rec.Runs) > 0 {
		add("", false, "oversubscribed: up to %d workers share %d CPUs", most, p.CPUs)
	}
	for _, s := range p.Skipped {
		add(s.Cell.Task, s.Cell.Ablation == Plain, "left out %s", s.Reason)
	}
	out = append(out, noise(rec)...)
	for _, t := range rec.Results.Tasks {
		if t.Task != Null && t.Rounds < p.Rounds[0] {
			add(t.Task, true, "too few rounds: %d, and a verdict on all comparisons (%d) needs %d", t.Rounds, p.Comparisons, p.Rounds[0])
		}
		for _, f := range t.Amdahl {
			if f.Fraction < 0 {
				add(t.Task, false, "%s scale better than linearly (serial fraction %.3f): a cache effect, or a handicapped base", f.Backend, f.Fraction)
			}
		}
	}
	return out
}

// noise lists, in one caveat each for all tasks, where identical code differed and
// how many rounds were disturbed from outside.
func noise(rec Record) (out []Caveat) {
	var failed, disturbed, by []string
	most := false // whether most rounds of a task were disturbed
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
		out = append(out, Caveat{"", true, "the A/A control does not pass, so a difference counts only beyond the ratios that identical code shows: " + strings.Join(failed, ", ")})
	}
	if len(disturbed) > 0 {
		out = append(out, Caveat{"", most, fmt.Sprintf("disturbed rounds (%s): %s", strings.Join(slices.Compact(by), ", "), strings.Join(disturbed, ", "))})
	}
	return out
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
		if had, ok := first[key]; !ok {
			first[key] = r.Terms
		} else if had != r.Terms {
			broken(c, "the terms changed between runs")
		}
		if c.Backend == pool.Threads || c.Ablation == Bound || r.Terms.Mask == "" {
			continue // bound deliberately, or unknown
		}
		if had, ok := masks[c.Ablation]; !ok {
			masks[c.Ablation] = r.Terms.Mask
		} else if had != r.Terms.Mask {
			broken(c, "it may run on CPUs %s, others on %s", r.Terms.Mask, had)
		}
	}
	return out
}
