package compare

import (
	"procpool/compare/rank"
	"procpool/pool"
)

// why takes the gaps between processes and goroutines apart, if the ablations ran. Every
// part is measured round by round. Locked threads stand between the two: they share one
// address space as goroutines do, and each stays one worker's as a process does.
func (a *analysis) why() (out []Why) {
	for _, row := range a.p.Rows {
		p, g := a.p.Cells[row.A], a.p.Cells[row.B]
		if p.Backend != pool.Processes || g.Backend != pool.Goroutines || p.Twin {
			continue
		}
		find := func(b pool.Backend, x Ablation) map[int]Run { return a.byRound(a.p.find(p.Task, b, p.Workers, x)) }
		threads, pOff, gOff := find(pool.Threads, Plain), find(pool.Processes, GCOff), find(pool.Goroutines, GCOff)
		if len(threads) == 0 || len(pOff) == 0 || len(gOff) == 0 {
			continue
		}
		ps, gs := a.byRound(row.A), a.byRound(row.B)
		// each estimates a difference over the rounds in which all of these cells ran
		each := func(difference func(p, g, t, pOff, gOff Run) float64) Estimate {
			var x []float64
			for round := range whyRounds {
				rp, okP := ps[round]
				rg, okG := gs[round]
				rt, okT := threads[round]
				x1, ok1 := pOff[round]
				x2, ok2 := gOff[round]
				if okP && okG && okT && ok1 && ok2 {
					x = append(x, difference(rp, rg, rt, x1, x2))
				}
			}
			return estimate(rank.Estimate(x, 0.05))
		}
		messages := func(r Run) float64 { return r.mean(PhaseDispatch, PhaseReply) }
		w := Why{Task: p.Task, Workers: p.Workers, Gap: each(func(p, g, _, _, _ Run) float64 { return p.Wall - g.Wall })}
		add := func(name string, within bool, meaning string, difference func(p, g, t, pOff, gOff Run) float64) {
			w.Parts = append(w.Parts, Part{Name: name, Meaning: meaning, Within: within, Seconds: each(difference)})
		}
		add("starting", false, "making the processes, and what each sets up", func(p, g, _, _, _ Run) float64 { return p.Starting() - g.Starting() })
		add("messages", false, "chunks and results on their way", func(p, g, _, _, _ Run) float64 { return messages(p) - messages(g) })
		add("scheduler", false, "goroutines against threads that stay one worker's", func(_, g, t, _, _ Run) float64 { return t.Computing() - g.Computing() })
		add("address space", false, "threads against processes: what sharing one address space costs, if negative", func(p, g, t, _, _ Run) float64 {
			return p.Computing() - t.Computing() - (messages(p) - messages(g))
		})
		add("collector", true, "of all this, what is gone when nobody collects garbage", func(p, g, _, pOff, gOff Run) float64 {
			return (p.Wall - g.Wall) - (pOff.Wall - gOff.Wall)
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
