package compare

import (
	"fmt"
	"slices"

	"procpool/pool"
)

// unfair lists the conditions under which the cells did not run alike.
func (a *analysis) unfair() []string {
	out := []string{}
	say := func(format string, args ...any) {
		if s := fmt.Sprintf(format, args...); !slices.Contains(out, s) {
			out = append(out, s)
		}
	}
	first := map[string]Terms{}
	for _, r := range a.rec.Runs {
		c := a.p.Cells[r.Cell]
		if had := r.Terms.ParentGOMAXPROCS; c.Backend != pool.Processes && had != 0 && had != c.Workers {
			say("%s had GOMAXPROCS %d", c.Label(), had)
		}
		if threads := r.Terms.WorkerGOMAXPROCS * c.Workers; r.Terms.WorkerGOMAXPROCS > 1 && threads > a.p.CPUs {
			say("GOMAXPROCS of the workers of %s adds up to %d on %d CPUs", c.Label(), threads, a.p.CPUs)
		}
		if had, ok := first[c.String()]; !ok {
			first[c.String()] = r.Terms
		} else if had != r.Terms {
			say("the terms of %s changed between runs", c.Label())
		}
		if r.Lost > 0 {
			say("workers of %s were lost", c.Label())
		}
	}
	return out
}
