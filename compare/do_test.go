package compare

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"procpool/pool"
)

func TestTheZeroExperimentIsTheStandardOne(t *testing.T) {
	s := newSimulation(1)
	s.noise = lognormal(0.005)
	rec := s.do(t, Experiment{})
	if rec.Status != pool.Done || len(rec.Plan.Tasks) != 7 || rec.Plan.Comparisons != 6*3 || rec.Plan.Rounds != [2]int{10, 100} {
		t.Fatalf("status %s, %d tasks, %d comparisons, rounds %v", rec.Status, len(rec.Plan.Tasks), rec.Plan.Comparisons, rec.Plan.Rounds)
	}
	if len(rec.Plan.Cells) != 6*(1+2*3+1)+7 {
		t.Errorf("%d cells", len(rec.Plan.Cells))
	}
	if len(rec.Environment) == 0 || rec.Environment[0].Name != "goos" {
		t.Errorf("environment %v", rec.Environment)
	}
	for _, task := range rec.Plan.Tasks[:6] {
		if task.SerialSeconds < 0.1 || task.SerialSeconds > 0.4 || task.Chunks > 64 || task.Chunks < 60 {
			t.Errorf("%+v is not calibrated to 200 ms in 64 chunks", task)
		}
	}
	for round, order := range rec.Order {
		for position, cell := range order {
			r := rec.Runs[0]
			rec.Runs = rec.Runs[1:]
			if r.Round != round || r.Position != position || r.Cell != cell {
				t.Fatalf("run of cell %d in round %d at %d, the order has cell %d in round %d at %d", r.Cell, r.Round, r.Position, cell, round, position)
			}
		}
	}
	if len(rec.Runs) != 0 {
		t.Errorf("%d runs are in no order", len(rec.Runs))
	}
	for _, task := range rec.Results.Tasks {
		if task.Stopped != StopPrecision && task.Task != Null {
			t.Errorf("%s stopped by %s", task.Task, task.Stopped)
		}
		if !task.Identical || task.Value.Text != "1" {
			t.Errorf("%s: identical %v, value %q", task.Task, task.Identical, task.Value.Text)
		}
	}
}

func TestSameSeedSameRecord(t *testing.T) {
	record := func() []byte {
		s := newSimulation(7)
		s.noise, s.spans = lognormal(0.02), true
		b, err := json.Marshal(s.do(t, Experiment{Tasks: tasks("pi", "alloc"), Workers: []int{1, 2}, Seed: 5, Why: true}))
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	a, b := record(), record()
	if string(a) != string(b) {
		t.Error("two experiments with one seed differ")
	}
	var rec Record
	if err := json.Unmarshal(a, &rec); err != nil {
		t.Fatal(err)
	}
	again, _ := json.Marshal(rec)
	if string(again) != string(a) {
		t.Error("a record does not survive JSON")
	}
	if got := Analyse(rec); !reflect.DeepEqual(got.Tasks[0].Comparisons, rec.Results.Tasks[0].Comparisons) {
		t.Errorf("analysing the raw runs again gives %+v, recorded is %+v", got.Tasks[0].Comparisons, rec.Results.Tasks[0].Comparisons)
	}
}

func TestDifferentBitsAreAnError(t *testing.T) {
	s := newSimulation(1)
	s.value = func(c Cell) Value {
		if c.Backend == pool.Processes && c.Workers == 2 && c.Task == "b" {
			return Value{"1", "3ff0000000000001"}
		}
		return Value{"1", "3ff0000000000000"}
	}
	_, err := Do(t.Context(), s.experiment(Experiment{Tasks: tasks("a", "b"), Workers: []int{1, 2}}), s, nil)
	var differ *DifferError
	if !errors.As(err, &differ) || differ.B.Label() != "processes×2" || differ.A.Backend != pool.Serial {
		t.Fatalf("error %v, want a DifferError for processes×2", err)
	}
}

func TestBudgetShrinksSizesNotRounds(t *testing.T) {
	s := newSimulation(2)
	s.noise = lognormal(0.1)
	s.floor = func(c Cell) float64 { return 2e-3 * float64(c.Workers) }
	rec := s.do(t, Experiment{Tasks: tasks("a", "b"), Workers: []int{1, 2, 4}, MaxTime: 8 * time.Second})
	if !rec.Plan.Shrunk || rec.Plan.Target > 0.1 || len(rec.Order) < rec.Plan.Rounds[0] {
		t.Errorf("shrunk %v to %g s, %d rounds of at least %d", rec.Plan.Shrunk, rec.Plan.Target, len(rec.Order), rec.Plan.Rounds[0])
	}
	if rec.Seconds > 9 {
		t.Errorf("took %.1f s of 8", rec.Seconds)
	}
	if rec.Results.Tasks[0].Stopped != StopBudget {
		t.Errorf("stopped by %s", rec.Results.Tasks[0].Stopped)
	}
}

func TestShrinksWhenParallelRunsAreSlowerThanPlanned(t *testing.T) {
	s := newSimulation(2)
	s.noise, s.truth = lognormal(0.01), processesTake(40)
	rec := s.do(t, Experiment{Tasks: tasks("a"), Workers: []int{4}, MaxTime: 7 * time.Second})
	if !rec.Plan.Shrunk || len(rec.Order) < rec.Plan.Rounds[0] || rec.Seconds > 8 {
		t.Errorf("shrunk %v, %d rounds, %.1f s of 7", rec.Plan.Shrunk, len(rec.Order), rec.Seconds)
	}
}

func TestImpossiblePlansAreErrors(t *testing.T) {
	for _, c := range []struct {
		o    Experiment
		want string
	}{
		{Experiment{MaxTime: time.Second}, "need about"},
		{Experiment{MaxRounds: 4}, "18 comparisons at 95 % confidence need at least 10 rounds"},
		{Experiment{Tasks: tasks("a", "a")}, "named twice"},
		{Experiment{Tasks: tasks(Null)}, "name a task"},
		{Experiment{Backends: []pool.Backend{"fibers"}}, "unknown backend"},
		{Experiment{Workers: []int{0, 2}}, "at least 1"},
		{Experiment{Target: time.Millisecond}, "target"},
		{Experiment{Confidence: 2}, "confidence"},
		{Experiment{Margin: -1}, "margin"},
		{Experiment{Precision: math.NaN()}, "precision"},
		{Experiment{Tasks: []Subject{{Name: "a", Size: 1_000_000_000}}, Workers: []int{2}, MaxTime: 20 * time.Second}, "need about"},
	} {
		s := newSimulation(1)
		s.floor = func(c Cell) float64 { return 1e-3 }
		rec, err := Do(t.Context(), s.experiment(c.o), s, nil)
		var plan *PlanError
		if !errors.As(err, &plan) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%+v: error %v, want a PlanError with %q", c.o, err, c.want)
		}
		if len(rec.Runs) != 0 {
			t.Errorf("%+v: %d runs", c.o, len(rec.Runs))
		}
	}
}

func TestPlanOnlyStopsBeforeTheFirstRound(t *testing.T) {
	s := newSimulation(1)
	rec := s.do(t, Experiment{Tasks: tasks("a"), Workers: []int{2, 8}, PlanOnly: true})
	if rec.Status != pool.Done || rec.Plan.ETA <= 0 || rec.Plan.Tasks[0].Size == 0 || len(rec.Runs) != 0 || len(rec.Results.Tasks) != 0 {
		t.Errorf("status %s, plan %+v, %d runs", rec.Status, rec.Plan, len(rec.Runs))
	}
}

func TestUnsupportedCellsAreLeftOutByName(t *testing.T) {
	s := newSimulation(1)
	s.fails = func(c Cell) error {
		if c.Backend == pool.Threads || c.Ablation == Bound {
			return fmt.Errorf("cannot bind a thread here: %w", errors.ErrUnsupported)
		}
		return nil
	}
	rec := s.do(t, Experiment{Tasks: tasks("a"), Workers: []int{2}, Backends: []pool.Backend{pool.Goroutines, pool.Threads, pool.Processes}, Why: true})
	if len(rec.Plan.Skipped) != 3 || rec.Plan.Comparisons != 1 {
		t.Errorf("skipped %v, %d comparisons", rec.Plan.Skipped, rec.Plan.Comparisons)
	}
	for _, p := range rec.Results.Tasks[0].Why[0].Parts {
		if p.Name == "unbound" || p.Name == "scheduler" {
			t.Errorf("part %s without its cell", p.Name)
		}
	}
	text := fmt.Sprint(rec.Caveats)
	if !strings.Contains(text, "left out a threads×2: cannot bind a thread here") {
		t.Errorf("warnings %s do not name the cell", text)
	}
}

func TestCancelKeepsCompleteRounds(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	s := newSimulation(1)
	o := s.experiment(Experiment{Tasks: tasks("a"), Workers: []int{2}, MinRounds: 30})
	rec, err := Do(ctx, o, s, func(p Progress) {
		if p.Round == 7 {
			cancel()
		}
	})
	if !errors.Is(err, context.Canceled) || rec.Status != pool.Interrupted || len(rec.Order) != 7 || len(rec.Runs) != 7*7 {
		t.Fatalf("%v, status %s, %d rounds, %d runs", err, rec.Status, len(rec.Order), len(rec.Runs))
	}
	if !slices.ContainsFunc(rec.Caveats, func(w Caveat) bool { return w.Text == "cut short: cancelled" }) {
		t.Errorf("no warning of it in %v", rec.Caveats)
	}
	if got := rec.Results.Tasks[0]; got.Rounds != 7 || got.Stopped != StopCut {
		t.Errorf("result has %d rounds, stopped %q", got.Rounds, got.Stopped)
	}
}

func TestRunnerFaultsEndTheExperiment(t *testing.T) {
	for want, fault := range map[string]func(*Run) error{
		"its runner measured NaN seconds": func(r *Run) error { r.Wall = math.NaN(); return nil },
		"is not within the run":           func(r *Run) error { r.Parent.Spans = []Span{{Phase: PhaseCompute, End: r.Wall * 2}}; return nil },
		"without being within it": func(r *Run) error {
			r.Workers = []WorkerRun{{Spans: []Span{{Phase: PhaseGC, Start: r.Wall / 4, End: r.Wall}, {Phase: PhaseCompute, End: r.Wall / 2}}}}
			return nil
		},
		"no memory": func(*Run) error { return errors.New("no memory") },
	} {
		s := newSimulation(1)
		rec, err := Do(t.Context(), s.experiment(Experiment{Tasks: tasks("a"), Workers: []int{2}}), runnerFunc(func(ctx context.Context, c Cell) (Run, error) {
			r, err := s.Run(ctx, c)
			if s.runs == 40 {
				err = fault(&r)
			}
			return r, err
		}), nil)
		if err == nil || !strings.Contains(err.Error(), want) || rec.Status != pool.Failed || len(rec.Order) == 0 {
			t.Errorf("error %v, want %q; status %s, %d rounds kept", err, want, rec.Status, len(rec.Order))
		}
	}
}

func TestProgressShowsThePlanFirst(t *testing.T) {
	s := newSimulation(1)
	s.noise = lognormal(0.01)
	var stages []Stage
	var planned Progress
	_, err := Do(t.Context(), s.experiment(Experiment{Tasks: tasks("a"), Workers: []int{2}}), s, func(p Progress) {
		if len(stages) == 0 || stages[len(stages)-1] != p.Stage {
			stages = append(stages, p.Stage)
		}
		if p.Stage == StagePlan {
			planned = p
		}
		if p.Stage == StageMeasure && p.Round == 0 && (p.ETA <= 0 || p.ETA > 2*planned.ETA) {
			t.Errorf("ETA %v at the start, planned %v", p.ETA, planned.ETA)
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	want := []Stage{StageFloor, StageCalibrate, StageWarmUp, StagePlan, StageMeasure}
	if !reflect.DeepEqual(stages, want) || planned.ETA <= 0 {
		t.Errorf("stages %v, want %v; ETA %v", stages, want, planned.ETA)
	}
}
