package compare

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"time"

	"procpool/pool"
)

// Progress says how far an experiment is.
type Progress struct {
	Stage   Stage
	Plan    *Plan         // as far as it is known; valid during the call only
	Cell    Cell          // about to run
	Round   int           // complete rounds
	Runs    int           // measured so far
	Active  int           // tasks that are not yet precise
	Elapsed time.Duration // since the experiment began
	ETA     time.Duration // until the fewest rounds are done; 0 afterwards
}

// Stage is a part of an experiment.
type Stage string

// The stages, in their order.
const (
	StageFloor     Stage = "floor"     // null cells: what can run here, and what it costs to start
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
// rounds that were complete before an error.
func Do(ctx context.Context, x Experiment, runner Runner, progress func(Progress)) (Record, error) {
	x = x.withDefaults()
	if progress == nil {
		progress = func(Progress) {}
	}
	e := &engine{Experiment: x, runner: runner, report: progress, began: x.now(), values: map[string]firstValue{}}
	e.rng = rand.New(rand.NewPCG(x.Seed, 0))
	e.rec = Record{Version: RecordVersion, Created: e.began.UTC(), Environment: x.Environment, Order: [][]int{}, Runs: []Run{}, Missing: map[string]string{}, Caveats: []Caveat{}}
	e.rec.Plan = Plan{Seed: x.Seed, CPUs: x.CPUs, Confidence: x.Confidence, Precision: x.Precision, Margin: x.Margin,
		Target: x.Target.Seconds(), MaxSeconds: x.MaxTime.Seconds()}

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
	runner Runner
	report func(Progress)
	rng    *rand.Rand
	began  time.Time
	rec    Record
	costs  []cost                // of Plan.Cells
	values map[string]firstValue // by task, since the sizes are frozen
	rounds int                   // complete
	stops  map[string]Stop       // tasks that are done
	spent  float64               // seconds of the last complete round
	took   float64               // seconds of the last run, also of what Run.Wall leaves out
}

// A firstValue is the first value of a task and the cell that computed it.
type firstValue struct {
	cell  Cell
	value Value
}

func (e *engine) elapsed() float64 { return e.now().Sub(e.began).Seconds() }

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
	if !(r.Wall > 0 && r.Wall < 1e9) {
		return Run{}, fmt.Errorf("%v: its runner measured %g seconds", c, r.Wall)
	}
	if err := r.SumPhases(); err != nil {
		return Run{}, fmt.Errorf("%v: %w", c, err)
	}
	r.Start, e.took = start, e.elapsed()-start
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

func (e *engine) progress(stage Stage, c Cell) {
	eta := 0.0
	if left := e.rec.Plan.Rounds[0] - e.rounds; left > 0 && stage == StageMeasure {
		eta = float64(left) * e.roundSeconds()
	} else if stage == StagePlan {
		eta = e.rec.Plan.ETA
	}
	e.report(Progress{Stage: stage, Plan: &e.rec.Plan, Cell: c, Round: e.rounds, Runs: len(e.rec.Runs),
		Active: len(e.rec.Plan.Tasks) - 1 - len(e.stops), Elapsed: duration(e.elapsed()), ETA: duration(eta)})
}

func duration(seconds float64) time.Duration { return time.Duration(seconds * float64(time.Second)) }

// roundSeconds estimates the next round: as long as the last one, or as planned.
func (e *engine) roundSeconds() float64 {
	return cmp.Or(e.spent, e.rec.Plan.Round)
}

// measure runs the rounds.
func (e *engine) measure(ctx context.Context) error {
	p := &e.rec.Plan
	e.stops = map[string]Stop{}
	squares := make([]*square, len(p.Tasks))
	for i, t := range p.Tasks {
		squares[i] = newSquare(len(p.of(t.Name)), e.rng)
	}
	for {
		start := e.elapsed()
		if e.rounds >= p.Rounds[1] {
			e.stopAll(StopRounds)
		} else if e.rounds >= p.Rounds[0] && start+e.roundSeconds() > p.MaxSeconds {
			e.stopAll(StopBudget)
		}
		if len(e.stops) >= len(p.Tasks)-1 { // null has no end of its own
			return nil
		}
		blocks, err := e.round(ctx, squares)
		if err != nil {
			return err
		}
		e.spent = e.elapsed() - start
		e.rounds++
		e.stopPrecise(blocks)
	}
}

// round runs every cell of every active task once, the tasks in random order,
// the cells of each in the order of its square. It returns the tasks whose
// squares are complete.
func (e *engine) round(ctx context.Context, squares []*square) (blocks []string, err error) {
	p := &e.rec.Plan
	var order []int
	for _, i := range e.rng.Perm(len(p.Tasks)) {
		name := p.Tasks[i].Name
		if _, done := e.stops[name]; done {
			continue
		}
		cells := p.of(name)
		row, last := squares[i].next()
		if last {
			blocks = append(blocks, name)
		}
		for _, c := range row {
			order = append(order, cells[c])
		}
	}
	runs := make([]Run, 0, len(order))
	for position, i := range order {
		r, err := e.run(ctx, StageMeasure, p.Cells[i], true)
		if err != nil {
			return nil, err // the runs of an incomplete round have no partners
		}
		r.Cell, r.Round, r.Position = i, e.rounds, position
		maps.Copy(e.rec.Missing, r.Missing)
		r.Missing = nil
		runs = append(runs, r)
	}
	e.rec.Order = append(e.rec.Order, order)
	e.rec.Runs = append(e.rec.Runs, runs...)
	return blocks, nil
}

func (e *engine) stopAll(why Stop) {
	for _, t := range e.rec.Plan.Tasks {
		if _, done := e.stops[t.Name]; !done && t.Name != Null {
			e.stops[t.Name] = why
		}
	}
}

// stopPrecise ends the tasks whose every ratio is known to the wanted precision.
// It checks at the end of a block only, where positions are balanced, and looks at
// the width of intervals only, never at where they lie.
func (e *engine) stopPrecise(blocks []string) {
	p := &e.rec.Plan
	if e.rounds < p.Rounds[0] {
		return
	}
	s, level := newSamples(e.rec.Runs, len(p.Cells)), levelFor(p.Comparisons, p.Confidence)
	for _, name := range blocks {
		pairs := p.pairs(name)
		if twin, original, ok := p.control(name); ok {
			pairs = append(pairs, [2]int{twin, original})
		}
		wide := slices.ContainsFunc(pairs, func(pair [2]int) bool {
			return estimate(s.logRatios(pair[0], pair[1]), level).exp().halfWidth() > p.Precision
		})
		if !wide && name != Null {
			e.stops[name] = StopPrecision
		}
	}
}

// finish completes the record from what was measured before err.
func (e *engine) finish(err error) {
	rec := &e.rec
	rec.Seconds, rec.Status = e.elapsed(), statusOf(err)
	rec.Results = Analyse(*rec)
	for i := range rec.Results.Tasks {
		t := &rec.Results.Tasks[i]
		if stop, ok := e.stops[t.Task]; ok {
			t.Stopped = stop
		} else if t.Task == Null && err == nil {
			t.Stopped = StopFloor
		}
	}
	var differ *DifferError
	if errors.As(err, &differ) {
		for i, t := range rec.Results.Tasks {
			rec.Results.Tasks[i].Identical = t.Identical && t.Task != differ.A.Task
		}
		rec.Caveats = append(rec.Caveats, Caveat{differ.A.Task, true, differ.Error()})
	} else if errors.Is(err, context.Canceled) {
		rec.Caveats = append(rec.Caveats, Caveat{"", true, "cut short: cancelled"})
	} else if err != nil {
		rec.Caveats = append(rec.Caveats, Caveat{"", true, "cut short: " + err.Error()})
	}
	rec.Fairness = contracts(*rec)
	rec.Caveats = append(rec.Caveats, caveats(*rec)...)
	rec.trimSpans()
}

// statusOf is how an experiment that returned err ended. Interrupted and Failed
// keep the rounds that were complete.
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

// trimSpans keeps the spans of the median and the worst run of each cell.
func (rec *Record) trimSpans() {
	keep := make([]bool, len(rec.Runs))
	for _, t := range rec.Results.Tasks {
		for _, c := range t.Cells {
			keep[c.MedianRun], keep[c.WorstRun] = true, true
		}
	}
	for i := range rec.Runs {
		if keep[i] {
			continue
		}
		rec.Runs[i].Parent.Spans = nil
		for w := range rec.Runs[i].Workers {
			rec.Runs[i].Workers[w].Spans = nil
		}
	}
}
