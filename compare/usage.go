package compare

import "slices"

// usage fills in the medians over runs of what the parent and all workers used.
func (a *analysis) usage(c *CellResult, runs []int) {
	median := func(of func(Run) Maybe[float64]) Maybe[float64] {
		var x []float64
		for _, k := range runs {
			if v, ok := of(a.rec.Runs[k]).Get(); ok {
				x = append(x, v)
			}
		}
		if len(x) < len(runs) { // of all runs or of none
			return Maybe[float64]{}
		}
		slices.Sort(x)
		return Known(medianOf(x))
	}
	total := func(field func(Resources) Maybe[float64]) Maybe[float64] {
		return median(func(r Run) Maybe[float64] { return r.total(field) })
	}
	c.CPUSeconds = total(func(u Resources) Maybe[float64] { return u.CPUSeconds })
	c.GCCycles = total(func(u Resources) Maybe[float64] { return u.GCCycles })
	c.GCPauseSeconds = total(func(u Resources) Maybe[float64] { return u.GCPauseSeconds })
	c.MinorFaults = total(func(u Resources) Maybe[float64] { return u.MinorFaults })
	c.MajorFaults = total(func(u Resources) Maybe[float64] { return u.MajorFaults })
	c.VoluntarySwitches = total(func(u Resources) Maybe[float64] { return u.VoluntarySwitches })
	c.InvoluntarySwitches = total(func(u Resources) Maybe[float64] { return u.InvoluntarySwitches })
	c.Migrations = total(func(u Resources) Maybe[float64] { return u.Migrations })
	c.PeakRSSBytes = total(func(u Resources) Maybe[float64] { return u.PeakRSSBytes })
	c.ParentCPU = median(func(r Run) Maybe[float64] { return r.Parent.CPUSeconds })
	c.WorkersCPU = median(func(r Run) Maybe[float64] {
		return sum(r.Workers, func(u Resources) Maybe[float64] { return u.CPUSeconds })
	})
}

// total adds the parent's figure and those of the workers. Workers inside the
// parent's process have none of their own; the parent's then covers them.
func (r Run) total(field func(Resources) Maybe[float64]) Maybe[float64] {
	parent, ok := field(r.Parent.Resources).Get()
	if !ok {
		return Maybe[float64]{}
	}
	for _, w := range r.Workers {
		if _, ok := field(w.Resources).Get(); ok {
			workers, ok := sum(r.Workers, field).Get()
			if !ok {
				return Maybe[float64]{}
			}
			return Known(parent + workers)
		}
	}
	return Known(parent)
}

// sum is available only when every worker's figure is: a partial sum is a wrong
// number.
func sum(workers []WorkerRun, field func(Resources) Maybe[float64]) Maybe[float64] {
	if len(workers) == 0 {
		return Maybe[float64]{}
	}
	total := 0.0
	for _, w := range workers {
		v, ok := field(w.Resources).Get()
		if !ok {
			return Maybe[float64]{}
		}
		total += v
	}
	return Known(total)
}

// where fills in where the time of a cell went: for each run the mean over its
// workers (the parent, where there are none), then the mean over runs. What the
// parent folds while workers are busy costs no time; only what is left of the
// run after its workers' phases can be the parent's reduce.
func (a *analysis) where(c *CellResult, runs []int) {
	total := map[Phase]float64{}
	wall := 0.0
	for _, k := range runs {
		r := a.rec.Runs[k]
		wall += r.Wall
		workers := r.Workers
		if len(workers) == 0 {
			workers = []WorkerRun{r.Parent}
		}
		left := r.Wall
		for _, w := range workers {
			for _, t := range w.Phases {
				share := t.Seconds / float64(len(workers))
				total[t.Phase] += share
				left -= share
			}
		}
		if len(r.Workers) > 0 {
			total[PhaseReduce] += max(min(r.Parent.seconds(PhaseReduce), left), 0)
		}
	}
	n, rest := float64(len(runs)), wall
	c.Where = []PhaseTime{}
	for _, p := range Phases() {
		if t := total[p]; t > 0 {
			c.Where = append(c.Where, PhaseTime{p, t / n})
			rest -= t
		}
	}
	c.Unaccounted = max(rest, 0) / n
}

// slowest finds the worker that was busy longest in r.
func slowest(r Run) Maybe[Slowest] {
	if len(r.Workers) < 2 {
		return Maybe[Slowest]{}
	}
	var worst Slowest
	busy := make([]float64, len(r.Workers))
	for i, w := range r.Workers {
		busy[i] = w.seconds(PhaseCompute) + w.seconds(PhaseGC)
		if busy[i] > worst.Busy {
			worst.Worker, worst.Busy = w.Index, busy[i]
		}
	}
	if worst.Busy == 0 { // no phases were measured
		return Maybe[Slowest]{}
	}
	slices.Sort(busy)
	worst.Median = medianOf(busy)
	return Known(worst)
}
