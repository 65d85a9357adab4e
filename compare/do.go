package compare

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"procpool/compare/rank"
	"procpool/pool"
)

// Progress says how far an experiment is.
type Progress struct {
	Stage   Stage
	Plan    *Plan         // as far as it is known; valid during the call only
	Cell    Cell          // about to run
	Round   int           // complete rounds
	Open    int           // rows that are not yet decided
	Elapsed time.Duration // since the experiment began
}

// Stage is a part of an experiment.
type Stage string

// The stages, in their order.
const (
	StageCalibrate Stage = "calibrate" // sizes, on serial
	StageWarmUp    Stage = "warm-up"   // every cell once, thrown away
	StagePlan      Stage = "plan"      // once: sizes are frozen, Plan is complete
	StageMeasure   Stage = "measure"
)

// Do runs the experiment x and returns its record, complete with results. It calls
// progress, if not nil, before every run on the caller's goroutine; progress must
// return soon.
//
// The error is a [*PlanError] when the experiment makes no sense or does not fit
// its budget, a [*DifferError] when two cells of a task disagree in any bit, the
// context's when it was cancelled, and otherwise the runner's. The record keeps the
// pairs that were complete before an error.
func Do(ctx context.Context, x Experiment, runner Runner, progress func(Progress)) (Record, error) {
	x = x.withDefaults()
	if progress == nil {
		progress = func(Progress) {}
	}
	e := &engine{Experiment: x, runner: runner, report: progress, began: x.now(), values: map[string]firstValue{}}
	e.rng = rand.New(rand.NewPCG(x.Seed, 0))
	e.rec = Record{Version: RecordVersion, Created: e.began.UTC(), Environment: x.Environment, Runs: []Run{}, Notes: []string{}}
	e.rec.Plan = Plan{Seed: x.Seed, CPUs: x.CPUs, Confidence: x.Confidence, Margin: x.Margin,
		Target: x.Target.Seconds(), MaxSeconds: x.MaxTime.Seconds(), Tasks: []TaskPlan{}, Cells: []Cell{}, Rows: []Row{}}

	err := e.prepare(ctx)
	if err == nil && !x.PlanOnly {
		err = e.measure(ctx)
	}
	e.finish(err)
	return e.rec, err
}

// An engine is the state of one call of Do.
type engine struct {
	Experiment
	runner  Runner
	report  func(Progress)
	rng     *rand.Rand
	began   time.Time
	rec     Record
	values  map[string]firstValue // by task, since the sizes are frozen
	trial   *rank.Trial           // of Plan.Rows
	samples [][]float64           // log-ratios, by row
	rounds  int                   // complete
	serial  float64               // seconds that serial runs took outside of rows
}

// A firstValue is the first value of a task and the cell that computed it.
type firstValue struct {
	cell  Cell
	value Value
}

func (e *engine) elapsed() float64 { return e.now().Sub(e.began).Seconds() }

func duration(seconds float64) time.Duration { return time.Duration(seconds * float64(time.Second)) }

func (e *engine) progress(stage Stage, c Cell) {
	p := Progress{Stage: stage, Plan: &e.rec.Plan, Cell: c, Round: e.rounds, Open: len(e.rec.Plan.Rows), Elapsed: duration(e.elapsed())}
	if e.trial != nil {
		p.Open = e.trial.Open()
	}
	e.report(p)
}

// run runs one cell and checks the result. If compared is true, the size is frozen,
// and the value must be that of all other cells of the task.
func (e *engine) run(ctx context.Context, stage Stage, c Cell, compared bool) (Run, error) {
	e.progress(stage, c)
	if err := ctx.Err(); err != nil {
		return Run{}, err
	}
	start := e.elapsed()
	r, err := e.runner.Run(ctx, c)
	if err != nil {
		if ctx.Err() != nil {
			return Run{}, ctx.Err()
		}
		return Run{}, fmt.Errorf("%v: %w", c, err)
	}
	if !(r.Wall > 0 && r.Wall < maxSeconds) {
		return Run{}, fmt.Errorf("%v: its runner measured %g seconds", c, r.Wall)
	}
	if err := r.SumPhases(); err != nil {
		return Run{}, fmt.Errorf("%v: %w", c, err)
	}
	if !(r.Computing() > 0) {
		return Run{}, fmt.Errorf("%v: it took %g s, all of it for starting", c, r.Wall)
	}
	r.Start = start
	if !compared {
		return r, nil
	}
	first, ok := e.values[c.Task]
	if !ok {
		e.values[c.Task] = firstValue{c, r.Value}
	} else if first.value.Bits != r.Value.Bits {
		return r, &DifferError{first.cell, c, first.value, r.Value}
	}
	return r, nil
}

// measure runs rounds until all rows are decided or the budget does not hold another
// round. How undecided rows look must not end it: that would bias the verdicts.
func (e *engine) measure(ctx context.Context) error {
	p := &e.rec.Plan
	e.trial, e.samples = rank.NewTrial(len(p.Rows), 1-p.Confidence, p.Margin), make([][]float64, len(p.Rows))
	last := 0.0 // seconds of the last round
	for e.rounds < e.MaxPairs && (e.trial.Open() > 0 || e.explains() && e.rounds < whyRounds) {
		start := e.elapsed()
		if start+last > p.MaxSeconds {
			return nil
		}
		if err := e.round(ctx); err != nil {
			return err
		}
		last = e.elapsed() - start
		e.rounds++
		if rank.IsLook(e.rounds) {
			e.trial.Look(e.samples, e.rounds)
		}
	}
	return nil
}

// round runs a pair of every row that is not decided, and the cells outside of rows as
// long as they are wanted, in random order.
func (e *engine) round(ctx context.Context) error {
	p := &e.rec.Plan
	explained := e.explains() && e.rounds < whyRounds // why needs all cells of these rounds
	for _, i := range e.rng.Perm(len(p.Rows) + len(p.Cells)) {
		var err error
		if i < len(p.Rows) {
			if explained || e.trial.Rows[i].Verdict == rank.Open {
				err = e.pair(ctx, i)
			}
		} else if i -= len(p.Rows); e.rounds < p.extra(i) {
			err = e.single(ctx, i)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// pair runs the two cells of a row. It keeps both runs or none.
func (e *engine) pair(ctx context.Context, row int) error {
	p := &e.rec.Plan
	cells := [2]int{p.Rows[row].A, p.Rows[row].B}
	if e.rng.IntN(2) == 0 {
		cells[0], cells[1] = cells[1], cells[0]
	}
	var runs [2]Run
	for k, i := range cells {
		r, err := e.run(ctx, StageMeasure, p.Cells[i], true)
		if err != nil {
			return err
		}
		r.Cell, r.Row, r.Round = i, row, e.rounds
		runs[k] = r
	}
	a, b := runs[0], runs[1]
	if a.Cell != p.Rows[row].A {
		a, b = b, a
	}
	e.samples[row] = append(e.samples[row], logRatio(a, b))
	e.rec.Runs = append(e.rec.Runs, runs[:]...)
	return nil
}

// single runs a cell outside of all rows. After the first round it skips serial cells that
// have used their share of the budget.
func (e *engine) single(ctx context.Context, i int) error {
	c := e.rec.Plan.Cells[i]
	if c.Backend == pool.Serial && e.rounds > 0 && e.serial > serialShare*e.rec.Plan.MaxSeconds {
		return nil
	}
	r, err := e.run(ctx, StageMeasure, c, true)
	if err != nil {
		return err
	}
	r.Cell, r.Row, r.Round = i, -1, e.rounds
	if c.Backend == pool.Serial {
		e.serial += e.elapsed() - r.Start
	}
	e.rec.Runs = append(e.rec.Runs, r)
	return nil
}

// finish completes the record from what was measured before err.
func (e *engine) finish(err error) {
	rec := &e.rec
	rec.Seconds, rec.Status = e.elapsed(), statusOf(err)
	if errors.Is(err, context.Canceled) {
		rec.Notes = append(rec.Notes, "cut short: cancelled")
	} else if err != nil {
		rec.Notes = append(rec.Notes, "cut short: "+err.Error())
	}
	rec.Results = Analyse(*rec)
}

// statusOf returns how an experiment with this error ended.
func statusOf(err error) pool.Status {
	var differ *DifferError
	switch {
	case err == nil:
		return pool.Done
	case errors.As(err, &differ):
		return Differ
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return pool.Interrupted
	}
	return pool.Failed
}
