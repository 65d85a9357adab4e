package compare

import "procpool/pool"

// why takes the gap between processes and goroutines apart, if the ablations
// ran. Each part is gap - gap under the ablation, round by round. A part whose cell
// did not run is left out.
func (a *analysis) why(task string) []Why {
	most := 0
	for _, i := range a.p.of(task) {
		if a.p.Cells[i].Ablation != Plain {
			most = a.p.Cells[i].Workers
		}
	}
	if most == 0 {
		return nil
	}
	find := func(task string, b pool.Backend, x Ablation) int { return a.p.find(task, b, most, x, false) }
	g, p := find(task, pool.Goroutines, Plain), find(task, pool.Processes, Plain)
	gap := a.s.differences(p, g)
	w := Why{Workers: most, Gap: estimate(gap, a.level)}
	rest := gap

	add := func(name, within, meaning string, changes ...[2]int) {
		delta := make([]float64, len(gap))
		for _, c := range changes {
			if c[0] < 0 || c[1] < 0 {
				return
			}
			for i, v := range a.s.differences(c[0], c[1])[:len(gap)] {
				delta[i] += v
			}
		}
		w.Parts = append(w.Parts, Part{Name: name, Meaning: meaning, Within: within, Seconds: estimate(delta, a.level)})
		if within == "" {
			rest = minus(rest, delta)
		}
	}
	gOff, pOff := find(task, pool.Goroutines, GCOff), find(task, pool.Processes, GCOff)
	add("null", "", "starting, messages and folding, measured with no work in between",
		[2]int{find(Null, pool.Processes, Plain), find(Null, pool.Goroutines, Plain)})
	add("warm pool", "null", "starting the processes: gone when they are started before the clock",
		[2]int{p, find(task, pool.Processes, Warm)})
	add("GC", "", "garbage collection: gone in both with the collector off",
		[2]int{p, pOff}, [2]int{gOff, g})
	add("heap budget", "GC", "N processes have N heap budgets: gone when goroutines get as much",
		[2]int{find(task, pool.Goroutines, EqualHeap), g})
	add("unbound", "", "moving between CPUs: gone when every process is bound to one",
		[2]int{p, find(task, pool.Processes, Bound)})
	threads := find(task, pool.Threads, Plain)
	add("scheduler", "gap", "goroutines against locked threads: what the Go scheduler's freedom costs",
		[2]int{threads, g})
	add("address space", "gap", "locked threads against processes: what sharing one address space costs",
		[2]int{p, threads})
	w.Unexplained = estimate(rest, a.level)
	return []Why{w}
}
