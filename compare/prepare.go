package compare

import (
	"context"
	"errors"
	"fmt"
	"math"

	"procpool/ipc"
	"procpool/pool"
)

// prepare makes the plan: it finds out which cells can run here and what they
// cost, calibrates the sizes, fits them into the budget and freezes them.
func (e *engine) prepare(ctx context.Context) error {
	if err := e.check(); err != nil {
		return &PlanError{Plan: e.rec.Plan, Reason: err.Error()}
	}
	p := &e.rec.Plan
	p.Tasks, p.Cells = e.layout()
	p.freeze()
	e.costs = make([]cost, len(p.Cells))
	if err := p.count(e.Experiment); err != nil {
		return err
	}
	if err := e.measureFloors(ctx); err != nil {
		return err
	}
	if err := e.chooseTarget(); err != nil {
		return err
	}
	for i := range p.Tasks {
		if p.Tasks[i].Name != Null {
			if err := e.calibrate(ctx, &p.Tasks[i]); err != nil {
				return err
			}
		}
	}
	if err := e.fitBudget(ctx); err != nil {
		return err
	}
	e.progress(StagePlan, Cell{})
	return nil
}

// fitBudget freezes the sizes, warms every cell up with one run that it throws
// away, and shrinks the sizes if those runs show that the budget is too small.
func (e *engine) fitBudget(ctx context.Context) error {
	p := &e.rec.Plan
	for range 3 {
		p.freeze()
		clear(e.values)
		if err := e.warmUp(ctx); err != nil {
			return err
		}
		if err := p.count(e.Experiment); err != nil { // cells may have been left out
			return err
		}
		c, rounds, left := e.roundCost(), float64(p.Rounds[0]), p.MaxSeconds-e.elapsed()
		p.Round, p.ETA = c.floor+c.work, rounds*(c.floor+c.work)
		if p.ETA <= left {
			return nil
		}
		// One more warm-up, and a tenth to spare.
		factor := (0.9*left/(rounds+1) - c.floor) / c.work
		if !(factor*p.Target >= smallestTarget.Seconds()) {
			return e.tooLong(e.elapsed() + p.ETA)
		}
		e.shrink(factor)
	}
	return e.tooLong(e.elapsed() + p.ETA)
}

// shrink scales every size that was not given.
func (e *engine) shrink(factor float64) {
	p := &e.rec.Plan
	p.Target *= factor
	p.Shrunk = true
	for i := range p.Tasks {
		if t := &p.Tasks[i]; !e.fixed(t.Name) {
			t.resize(int64(float64(t.Size)*factor), e.subject(t.Name).Grain, e.Chunks)
			t.SerialSeconds *= factor
		}
	}
}

// measureFloors runs every null cell once: the part of a cell's time that no
// size changes.
func (e *engine) measureFloors(ctx context.Context) error {
	p := &e.rec.Plan
	for _, i := range p.of(Null) {
		_, err := e.run(ctx, StageFloor, p.Cells[i], true)
		if errors.Is(err, errors.ErrUnsupported) {
			continue // warmUp will leave it out and say so
		} else if err != nil {
			return err
		}
		for j, c := range p.Cells {
			if c.Backend == p.Cells[i].Backend && c.Workers == p.Cells[i].Workers {
				e.costs[j].floor = e.took
			}
		}
	}
	return nil
}

// chooseTarget lowers the serial time that calibration aims at to what the
// budget has room for, as if workers up to the CPUs shared the work perfectly;
// the warm-up corrects that.
func (e *engine) chooseTarget() error {
	p := &e.rec.Plan
	var floors, shares float64
	for i, c := range p.Cells {
		floors += e.costs[i].floor
		if !e.fixed(c.Task) {
			shares += 1 / float64(min(c.Workers, e.CPUs))
		}
	}
	rounds := float64(p.Rounds[0] + 1) // and the warm-up
	calibration := 3 * float64(len(p.Tasks)-1)
	target := (0.9*(p.MaxSeconds-e.elapsed()) - rounds*floors) / (rounds*shares + calibration)
	p.Round = floors + shares*p.Target
	p.ETA = rounds * p.Round
	switch {
	case shares == 0 || target >= p.Target:
		return nil
	case !(target >= smallestTarget.Seconds()):
		return e.tooLong(e.elapsed() + rounds*floors + (rounds*shares+calibration)*smallestTarget.Seconds())
	}
	p.Target, p.Shrunk = target, true
	return nil
}

// calibrate finds the size at which the serial backend takes about the target
// time. It multiplies step by step instead of solving once, since the cost of an
// index need not be constant. It only measures a size that was given. Where the
// time hardly depends on the size, since the task has to prepare something first,
// it takes a small size.
func (e *engine) calibrate(ctx context.Context, t *TaskPlan) error {
	p := &e.rec.Plan
	grain, fixed := e.subject(t.Name).Grain, e.fixed(t.Name)
	size := max(grain, 1) * int64(e.Chunks)
	if fixed {
		size = t.Size
	}
	var first TaskPlan
	for range 60 { // from one nanosecond to days in steps of 64
		t.resize(size, grain, e.Chunks)
		c := Cell{Task: t.Name, Backend: pool.Serial, Workers: 1, ChunkSize: t.ChunkSize,
			Interval: ipc.Interval{Start: t.Start, End: t.Start + t.Size}}
		wall, err := e.serialTime(ctx, c)
		if err != nil {
			return err
		}
		t.SerialSeconds = wall
		largest := ipc.MaxIndex - t.Start
		if fixed || (wall > p.Target/1.5 && wall < p.Target*1.5) || (wall < p.Target && size == largest) {
			return nil
		}
		if first.Size == 0 {
			first = *t
		}
		if wall > p.Target && size == 1 {
			if wall < first.SerialSeconds/2 {
				break
			}
			*t = first
			return nil
		}
		factor := math.Min(64, p.Target/wall)
		size = min(max(1, int64(math.Min(float64(size)*factor, float64(largest)))), largest)
	}
	return &PlanError{Plan: *p,
		Reason: fmt.Sprintf("task %s: no size takes about %.3g s on one core (the last try of %d indices took %.3g s)", t.Name, p.Target, t.Size, t.SerialSeconds),
		Hint:   "give the task a size"}
}

// serialTime measures a serial cell. It runs one that is long enough twice and
// takes the shorter time, so that a disturbance does not pass for work.
func (e *engine) serialTime(ctx context.Context, c Cell) (float64, error) {
	r, err := e.run(ctx, StageCalibrate, c, false)
	if err != nil || r.Wall < e.rec.Plan.Target/1.5 {
		return r.Wall, err
	}
	again, err := e.run(ctx, StageCalibrate, c, false)
	return min(r.Wall, again.Wall), err
}

// warmUp runs every cell once, in the order of the plan, for its cost and its
// value, and leaves out the cells that this machine cannot run.
func (e *engine) warmUp(ctx context.Context) error {
	p := &e.rec.Plan
	var cells []Cell
	var costs []cost
	for i, c := range p.Cells {
		_, err := e.run(ctx, StageWarmUp, c, true)
		switch {
		case err != nil && errors.Is(err, errors.ErrUnsupported) && c.Backend != pool.Serial:
			p.Skipped = append(p.Skipped, Skip{c, err.Error()})
			continue
		case err != nil:
			return err
		case c.Task == Null:
			e.costs[i] = cost{floor: e.took}
		default:
			e.costs[i].work = max(e.took-e.costs[i].floor, 0)
		}
		cells, costs = append(cells, c), append(costs, e.costs[i])
	}
	p.Cells, e.costs = cells, costs
	return nil
}
