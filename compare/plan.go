package compare

import (
	"math"
	"slices"

	"procpool/ipc"
	"procpool/pool"
)

// layout lists the cells and rows of the experiment, task by task, each in the order in
// which reports show them. Sizes are filled in by freeze.
func (x Experiment) layout(p *Plan) {
	for _, t := range x.Tasks {
		p.Tasks = append(p.Tasks, TaskPlan{Name: t.Name, Start: t.Start, Size: t.Size, Cause: t.Cause})
		add := func(c Cell) int {
			c.Task, c.Warm = t.Name, x.Warm
			p.Cells = append(p.Cells, c)
			return len(p.Cells) - 1
		}
		serial := add(Cell{Backend: pool.Serial, Workers: 1})
		for _, n := range x.Workers {
			var cells []int
			for _, b := range x.parallel() {
				cells = append(cells, add(Cell{Backend: b, Workers: n}))
			}
			if x.SelfCheck {
				cells = append(cells, add(Cell{Backend: pool.Goroutines, Workers: n, Twin: true}))
			} else if len(cells) == 1 {
				cells = []int{serial, cells[0]}
			}
			for i, b := range cells {
				for _, a := range cells[i+1:] { // the more separated one first
					p.Rows = append(p.Rows, Row{A: a, B: b})
				}
			}
		}
		if x.explains() && !slices.Contains(x.Backends, pool.Threads) {
			add(Cell{Backend: pool.Threads, Workers: slices.Max(x.Workers)})
		}
	}
}

// explains reports whether the experiment splits the difference between goroutines and
// processes into parts. Both must run for that.
func (x Experiment) explains() bool {
	return x.Why && slices.Contains(x.Backends, pool.Goroutines) && slices.Contains(x.Backends, pool.Processes)
}

// freeze gives every cell the size of its task. From then on sizes are fixed.
func (p *Plan) freeze() {
	for i, c := range p.Cells {
		t := p.task(c.Task)
		p.Cells[i].Interval = ipc.Interval{Start: t.Start, End: t.Start + t.Size}
		p.Cells[i].ChunkSize = t.ChunkSize
	}
}

// task returns the plan of a task, the zero TaskPlan if there is none.
func (p *Plan) task(name string) (t TaskPlan) {
	if i := slices.IndexFunc(p.Tasks, func(t TaskPlan) bool { return t.Name == name }); i >= 0 {
		t = p.Tasks[i]
	}
	return t
}

// resize cuts size indices into about chunks chunks of whole grains; inputs are chunks
// of their own.
func (t *TaskPlan) resize(size int64, s Subject, chunks int) {
	grain := max(s.Grain, 1)
	ceil := func(a, b int64) int64 { return (a-1)/b + 1 }
	t.Size = min(max(size, 1), ipc.MaxIndex-t.Start)
	t.ChunkSize = 1
	if !s.Singles {
		t.ChunkSize = ceil(ceil(t.Size, int64(chunks)), grain) * grain
	}
}

// scale multiplies a size.
func scale(size int64, factor float64) int64 {
	return int64(math.Min(math.Max(float64(size)*factor, 1), float64(ipc.MaxIndex)))
}

// find returns the index of the cell, or -1.
func (p *Plan) find(task string, b pool.Backend, workers int) int {
	return slices.IndexFunc(p.Cells, func(c Cell) bool {
		return c.Task == task && c.Backend == b && (b == pool.Serial || c.Workers == workers) && !c.Twin
	})
}

// row returns the index of the row that compares a with b, or -1. turned reports that the
// row has them the other way round.
func (p *Plan) row(task string, a, b pool.Backend, workers int) (i int, turned bool) {
	x, y := p.find(task, a, workers), p.find(task, b, workers)
	for i, r := range p.Rows {
		if r.A == x && r.B == y || r.A == y && r.B == x {
			return i, r.A == y
		}
	}
	return -1, false
}

// extra returns in how many rounds cell i runs outside of all rows.
func (p *Plan) extra(i int) (rounds int) {
	switch {
	case slices.ContainsFunc(p.Rows, func(r Row) bool { return r.A == i || r.B == i }):
		return 0
	case p.Cells[i].Backend == pool.Serial:
		return serialRounds
	}
	return whyRounds
}
