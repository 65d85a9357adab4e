package compare

import "procpool/compare/rank"

// usage fills in the resources of a cell: the medians over its runs.
func (a *analysis) usage(c *CellResult, runs []int) {
	for i, m := range c.Resources.all() {
		*m = a.median(runs, func(r Run) Maybe[float64] { return r.total(i) })
	}
}

// median is the median of a figure over the runs that have it.
func (a *analysis) median(runs []int, figure func(Run) Maybe[float64]) Maybe[float64] {
	var x []float64
	for _, k := range runs {
		if v, ok := figure(a.rec.Runs[k]).Get(); ok {
			x = append(x, v)
		}
	}
	if len(x) == 0 {
		return Maybe[float64]{}
	}
	return Known(rank.Median(x))
}

// total adds field i of [Resources.all] of the parent to those of all workers.
// Where no worker has the figure, the workers are inside the parent's process and
// its figure includes them.
func (r Run) total(i int) Maybe[float64] {
	own, ok := r.Parent.Resources.all()[i].Get()
	if workers, n := r.sum(i); ok && (n == 0 || n == len(r.Workers)) {
		return Known(own + workers)
	}
	return Maybe[float64]{}
}

// CPUSeconds is the CPU time of the parent and all workers.
func (r Run) CPUSeconds() Maybe[float64] {
	return Resources{UserSeconds: r.total(0), SystemSeconds: r.total(1)}.CPUSeconds()
}

// WorkersTotal adds up what all workers used. A sum is unavailable unless every
// worker has the figure, because a partial sum is a wrong number.
func (r Run) WorkersTotal() (total Resources) {
	for i, m := range total.all() {
		if sum, n := r.sum(i); n > 0 && n == len(r.Workers) {
			*m = Known(sum)
		}
	}
	return total
}

// sum adds up field i of [Resources.all] over the n workers that have it.
func (r Run) sum(i int) (sum float64, n int) {
	for _, w := range r.Workers {
		if v, ok := w.Resources.all()[i].Get(); ok {
			sum, n = sum+v, n+1
		}
	}
	return sum, n
}

// where fills in the time that a cell spent in each phase: for each run the mean over its
// workers (the parent, where there are none), then the mean over runs. The parent
// folds some results while workers are busy; only the part of its reduce that lies
// after its workers' phases adds to the wall time.
func (a *analysis) where(c *CellResult, runs []int) {
	total := map[Phase]float64{}
	wall := 0.0
	for _, k := range runs {
		r := a.rec.Runs[k]
		wall += r.Wall
		left := r.Wall
		for _, p := range Phases() {
			share := r.mean(p)
			total[p] += share
			left -= share
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
	if c.Unaccounted = rest / n; c.Unaccounted < 1e-9 { // the resolution of clocks
		c.Unaccounted = 0
	}
}
