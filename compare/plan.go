package compare

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"procpool/ipc"
	"procpool/pool"
)

// layout lists the cells of the experiment, task by task with null last, each
// in the order in which reports show them. Sizes are filled in by freeze.
func (x Experiment) layout() (tasks []TaskPlan, cells []Cell) {
	for _, t := range x.Tasks {
		if t.Name == Null {
			continue // added at the end
		}
		tasks = append(tasks, TaskPlan{Name: t.Name, Start: t.Start, Size: t.Size})
		cells = append(cells, x.matrix(t.Name)...)
		cells = append(cells, x.extras(t.Name)...)
	}
	// One chunk is one index: null has as many messages as a real task.
	tasks = append(tasks, TaskPlan{Name: Null, Size: int64(x.Chunks), ChunkSize: 1, Chunks: int64(x.Chunks)})
	return tasks, append(cells, x.matrix(Null)...)
}

// matrix is serial and every parallel backend at every worker count.
func (x Experiment) matrix(task string) []Cell {
	cells := []Cell{{Task: task, Backend: pool.Serial, Workers: 1}}
	for _, b := range x.parallel() {
		for _, n := range x.Workers {
			cells = append(cells, Cell{Task: task, Backend: b, Workers: n})
		}
	}
	return cells
}

// extras are the A/A control of the reference backend and, on request, the
// ablations, all at the largest worker count, where noise and effects are largest.
func (x Experiment) extras(task string) []Cell {
	parallel, most := x.parallel(), slices.Max(x.Workers)
	control := Cell{Task: task, Backend: pool.Serial, Workers: 1, Control: true}
	if len(parallel) > 0 {
		control.Backend, control.Workers = parallel[0], most
	}
	cells := []Cell{control}
	if !x.explains() {
		return cells
	}
	at := func(b pool.Backend, a Ablation) Cell { return Cell{Task: task, Backend: b, Workers: most, Ablation: a} }
	if !slices.Contains(parallel, pool.Threads) {
		cells = append(cells, at(pool.Threads, Plain))
	}
	return append(cells, at(pool.Processes, Warm), at(pool.Processes, Bound), at(pool.Goroutines, GCOff), at(pool.Processes, GCOff), at(pool.Goroutines, EqualHeap))
}

// parallel lists the backends but serial, in the order in which they are shown;
// the first one is the reference.
func (x Experiment) parallel() []pool.Backend {
	return slices.DeleteFunc(Backends(), func(b pool.Backend) bool { return b == pool.Serial || !slices.Contains(x.Backends, b) })
}

// explains reports whether ablations run: they take the difference between
// goroutines and processes apart, so both must run.
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

func (p *Plan) task(name string) *TaskPlan {
	i := slices.IndexFunc(p.Tasks, func(t TaskPlan) bool { return t.Name == name })
	return &p.Tasks[i]
}

// resize cuts size indices into about chunks chunks of whole grains.
func (t *TaskPlan) resize(size, grain int64, chunks int) {
	grain = max(grain, 1)
	ceil := func(a, b int64) int64 { return (a-1)/b + 1 }
	t.Size = max(size, 1)
	t.ChunkSize = ceil(ceil(t.Size, int64(chunks)), grain) * grain
	t.Chunks = ceil(t.Size, t.ChunkSize)
}

// find is the index of the cell, or -1. The interval does not matter.
func (p *Plan) find(task string, b pool.Backend, workers int, a Ablation, control bool) int {
	return slices.IndexFunc(p.Cells, func(c Cell) bool {
		return c.Task == task && c.Backend == b && (b == pool.Serial || c.Workers == workers) && c.Ablation == a && c.Control == control
	})
}

// plain is the index of the plain cell, or -1.
func (p *Plan) plain(task string, b pool.Backend, workers int) int {
	return p.find(task, b, workers, Plain, false)
}

// of lists the indices of the cells of a task.
func (p *Plan) of(task string) []int {
	var out []int
	for i, c := range p.Cells {
		if c.Task == task {
			out = append(out, i)
		}
	}
	return out
}

// pairs lists the comparisons of a task: every two parallel backends at the same
// worker count, the more separated one first; with one parallel backend, that
// against serial. There are none for null.
func (p *Plan) pairs(task string) [][2]int {
	if task == Null {
		return nil
	}
	var plain []int
	for _, i := range p.of(task) {
		if p.Cells[i].IsPlain() {
			plain = append(plain, i)
		}
	}
	var out [][2]int
	for _, b := range plain {
		for _, a := range plain {
			ca, cb := p.Cells[a], p.Cells[b]
			if ca.Workers == cb.Workers && rank(ca.Backend) > rank(cb.Backend) && cb.Backend != pool.Serial {
				out = append(out, [2]int{a, b})
			}
		}
	}
	if serial := p.plain(task, pool.Serial, 1); len(out) == 0 && serial >= 0 {
		for _, a := range plain {
			if a != serial {
				out = append(out, [2]int{a, serial})
			}
		}
	}
	return out
}

// control is the A/A pair of a task: the twin and the cell that it repeats.
func (p *Plan) control(task string) (twin, original int, ok bool) {
	for _, i := range p.of(task) {
		if c := p.Cells[i]; c.Control {
			original = p.find(task, c.Backend, c.Workers, c.Ablation, false)
			return i, original, original >= 0
		}
	}
	return 0, 0, false
}

// count sets the number of comparisons, the k of every correction, and the fewest
// rounds, which depend on it.
func (p *Plan) count(x Experiment) error {
	p.Comparisons = 0
	for _, t := range p.Tasks {
		p.Comparisons += len(p.pairs(t.Name))
	}
	fewest := max(minRounds(p.Comparisons, p.Confidence), x.MinRounds)
	p.Rounds = [2]int{fewest, max(cmp.Or(x.MaxRounds, 100), fewest)}
	if x.MaxRounds != 0 && x.MaxRounds < fewest {
		p.Rounds[1] = x.MaxRounds
		return &PlanError{Plan: *p,
			Reason: fmt.Sprintf("%d comparisons at %.4g %% confidence need at least %d rounds, and at most %d are allowed", p.Comparisons, 100*p.Confidence, fewest, x.MaxRounds),
			Hint:   "allow more rounds, or compare fewer tasks or worker counts"}
	}
	return nil
}

// A cost is the expected time of one run of a cell in seconds: a floor that no
// size changes, and work that grows with the size.
type cost struct{ floor, work float64 }

// roundCost sums up the costs of one round; work that the budget may not shrink
// counts as floor.
func (e *engine) roundCost() (c cost) {
	for i, cell := range e.rec.Plan.Cells {
		c.floor += e.costs[i].floor
		if e.fixed(cell.Task) {
			c.floor += e.costs[i].work
		} else {
			c.work += e.costs[i].work
		}
	}
	return c
}

// fixed reports whether the size of a task was given and must not change.
func (x Experiment) fixed(task string) bool { return task == Null || x.subject(task).Size > 0 }

// subject is the subject of that name, or the zero one.
func (x Experiment) subject(task string) Subject {
	for _, s := range x.Tasks {
		if s.Name == task {
			return s
		}
	}
	return Subject{}
}

// tooLong is the error for a budget that is too small even for the smallest sizes.
func (e *engine) tooLong(need float64) error {
	p := e.rec.Plan
	return &PlanError{Plan: p,
		Reason: fmt.Sprintf("%d cells in at least %d rounds need about %v even at the smallest sizes, and the budget is %v", len(p.Cells), p.Rounds[0], duration(need).Round(10*time.Millisecond), e.MaxTime),
		Hint:   "allow more time, or compare fewer tasks, backends or worker counts"}
}
