package compare

import (
	"procpool/compare/rank"
	"procpool/pool"
)

// why splits the gaps between processes and goroutines into parts, if threads ran. It
// measures every part round by round. Locked threads are between the two: they share one
// address space as goroutines do, and each belongs to one worker as a process does.
func (a *analysis) why() (out []Why) {
	for _, row := range a.p.Rows {
		p, g := a.p.Cells[row.A], a.p.Cells[row.B]
		if p.Backend != pool.Processes || g.Backend != pool.Goroutines || p.Twin {
			continue
		}
		threads := a.byRound(a.p.find(p.Task, pool.Threads, p.Workers))
		if len(threads) == 0 {
			continue
		}
		ps, gs := a.byRound(row.A), a.byRound(row.B)
		// each estimates a difference over the rounds in which all three ran
		each := func(difference func(p, g, t Run) float64) Estimate {
			var x []float64
			for round := range whyRounds {
				p, okP := ps[round]
				g, okG := gs[round]
				if t, okT := threads[round]; okP && okG && okT {
					x = append(x, difference(p, g, t))
				}
			}
			return estimate(rank.Estimate(x, 0.05))
		}
		messages := func(r Run) float64 { return r.mean(PhaseDispatch, PhaseReply) }
		w := Why{Task: p.Task, Workers: p.Workers, Gap: each(func(p, g, _ Run) float64 { return p.Wall - g.Wall })}
		add := func(name, meaning string, difference func(p, g, t Run) float64) {
			w.Parts = append(w.Parts, Part{name, meaning, each(difference)})
		}
		add("starting", "making the processes, and what each sets up", func(p, g, _ Run) float64 { return p.Starting() - g.Starting() })
		add("messages", "chunks and results on their way", func(p, g, _ Run) float64 { return messages(p) - messages(g) })
		add("scheduler", "goroutines against threads that stay one worker's", func(_, g, t Run) float64 { return t.Computing() - g.Computing() })
		add("address space", "threads against processes: what sharing one address space costs, if negative", func(p, g, t Run) float64 {
			return p.Computing() - t.Computing() - (messages(p) - messages(g))
		})
		out = append(out, w)
	}
	return out
}

// byRound are the runs of cell i.
func (a *analysis) byRound(i int) map[int]Run {
	out := map[int]Run{}
	if i >= 0 {
		for _, k := range a.runs[i] {
			out[a.rec.Runs[k].Round] = a.rec.Runs[k]
		}
	}
	return out
}
