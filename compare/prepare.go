package compare

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"time"

	"procpool/ipc"
	"procpool/pool"
)

// prepare makes the plan: it calibrates the sizes, freezes them, and finds out which
// cells can run here.
func (e *engine) prepare(ctx context.Context) error {
	if err := e.check(); err != nil {
		return &PlanError{Plan: e.rec.Plan, Reason: err.Error()}
	}
	p := &e.rec.Plan
	e.layout(p)
	for i := range p.Tasks {
		if err := e.calibrate(ctx, &p.Tasks[i], e.Tasks[i]); err != nil {
			return err
		}
	}
	p.freeze()
	if err := e.warmUp(ctx); err != nil {
		return err
	}
	if e.elapsed() > p.MaxSeconds {
		return &PlanError{Plan: *p, Hint: "allow more time, or compare smaller sizes, fewer tasks or fewer worker counts",
			Reason: fmt.Sprintf("to choose sizes and to warm up took %v, and the budget is %v", duration(e.elapsed()).Round(time.Millisecond), e.MaxTime)}
	}
	e.progress(StagePlan, Cell{})
	return nil
}

// calibrate finds the size at which the serial backend computes for the target time, not
// counting what starting takes. It multiplies step by step instead of solving once, since
// the cost of an index need not be constant. Beyond the standard target it extrapolates.
// It only measures a size that was given.
func (e *engine) calibrate(ctx context.Context, t *TaskPlan, s Subject) error {
	p := &e.rec.Plan
	target := math.Min(p.Target, standardTarget.Seconds())
	size := max(s.Grain, 1) * int64(e.Chunks)
	if s.Size > 0 {
		size = s.Size
	}
	for range 60 { // from one nanosecond to days in steps of 64
		t.resize(size, s, e.Chunks)
		took, err := e.serialTime(ctx, t, target)
		if err != nil {
			return err
		}
		t.SerialSeconds = took
		largest := ipc.MaxIndex - t.Start
		near := took > target/1.5 && took < target*1.5
		switch {
		case s.Size > 0 || took < target && size == largest:
			return nil
		case near || took > target && size == 1:
			factor := math.Max(p.Target/target, 1)
			t.resize(scale(t.Size, factor), s, e.Chunks)
			t.SerialSeconds *= factor
			return nil
		}
		size = min(scale(size, math.Min(64, target/took)), largest)
	}
	return &PlanError{Plan: *p,
		Reason: fmt.Sprintf("task %s: no size takes about %.3g s on one core (the last try of %d indices took %.3g s)", t.Name, target, t.Size, t.SerialSeconds),
		Hint:   "give the task a size"}
}

// serialTime measures a serial run. It runs one that is long enough twice and
// takes the shorter time, so that a disturbance does not pass for work.
func (e *engine) serialTime(ctx context.Context, t *TaskPlan, target float64) (float64, error) {
	c := Cell{Task: t.Name, Backend: pool.Serial, Workers: 1, ChunkSize: t.ChunkSize,
		Interval: ipc.Interval{Start: t.Start, End: t.Start + t.Size}}
	r, err := e.run(ctx, StageCalibrate, c, false)
	if err != nil || r.Computing() < target/1.5 {
		return r.Computing(), err
	}
	again, err := e.run(ctx, StageCalibrate, c, false)
	return min(r.Computing(), again.Computing()), err
}

// warmUp runs every cell once, for its value, and leaves out the cells and rows that
// this machine cannot run.
func (e *engine) warmUp(ctx context.Context) error {
	p := &e.rec.Plan
	var cells []Cell
	place := make([]int, len(p.Cells)) // in cells, or -1
	for i, c := range p.Cells {
		_, err := e.run(ctx, StageWarmUp, c, true)
		switch {
		case err != nil && errors.Is(err, errors.ErrUnsupported) && c.Backend != pool.Serial:
			e.rec.Notes = append(e.rec.Notes, "left out "+err.Error())
			place[i] = -1
			continue
		case err != nil:
			return err
		}
		place[i] = len(cells)
		cells = append(cells, c)
	}
	p.Cells = cells
	p.Rows = slices.DeleteFunc(p.Rows, func(r Row) bool { return place[r.A] < 0 || place[r.B] < 0 })
	for i, r := range p.Rows {
		p.Rows[i] = Row{place[r.A], place[r.B]}
	}
	if len(p.Rows) == 0 {
		return &PlanError{Plan: *p, Reason: "nothing of this can be compared here: " + fmt.Sprint(e.rec.Notes)}
	}
	return nil
}
