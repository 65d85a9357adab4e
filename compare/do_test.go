package compare

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"
	"time"
)

// do runs the experiment on s and fails the test on an error.
func (s *simulation) do(t *testing.T, o Options) Record {
	t.Helper()
	rec, err := Do(t.Context(), s.options(o), s, nil)
	if err != nil {
		t.Fatal(err)
	}
	return rec
}

func tasks(names ...string) (out []Task) {
	for _, name := range names {
		out = append(out, Task{Name: name})
	}
	return out
}

func (r Results) verdict(task string) Comparison {
	for _, t := range r.Tasks {
		if t.Task == task {
			return t.Comparisons[len(t.Comparisons)-1]
		}
	}
	panic("no task " + task)
}

func TestZeroOptionsAreTheStandardExperiment(t *testing.T) {
	s := newSimulation(1)
	s.noise = lognormal(0.005)
	rec := s.do(t, Options{})
	if rec.Status != Done || len(rec.Plan.Tasks) != 7 || rec.Plan.Comparisons != 6*3 || rec.Plan.Rounds != [2]int{10, 100} {
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
		b, err := json.Marshal(s.do(t, Options{Tasks: tasks("pi", "alloc"), Workers: []int{1, 2}, Seed: 5, Why: true}))
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

// processesTake makes processes take factor times the time of goroutines.
func processesTake(factor float64) func(Cell) float64 {
	return func(c Cell) float64 {
		if c.Backend == Processes {
			return factor
		}
		return 1
	}
}

func TestNoFalseVerdictsOnIdenticalCode(t *testing.T) {
	const experiments = 400
	wrong, missed, controls := 0, 0, 0
	for seed := range uint64(experiments) {
		s := newSimulation(seed)
		s.noise = lognormal(0.05)
		rec := s.do(t, Options{Tasks: tasks("a", "b", "c"), Workers: []int{1, 2}, MaxRounds: 24})
		bad, outside := false, false
		for _, task := range rec.Results.Tasks {
			for _, c := range task.Comparisons {
				// What the control took back counts as well: the tests alone must hold.
				claim := string(c.Verdict) + c.Downgraded
				bad = bad || strings.Contains(claim, string(Faster)) || strings.Contains(claim, string(Slower))
				outside = outside || !c.Ratio.contains(1)
			}
			if c, ok := task.Control.Get(); ok && !c.Ratio.contains(1) {
				controls++
			}
		}
		if bad {
			wrong++
		}
		if outside {
			missed++
		}
	}
	atMost(t, "experiments with a false verdict", wrong, experiments, 0.05)
	atMost(t, "experiments with an interval without the truth", missed, experiments, 0.05)
	atMost(t, "failed controls on a fair machine", controls, 3*experiments, 0.05/6)
}

func TestNoFalseEquivalenceAtTheMargin(t *testing.T) {
	const experiments = 300
	wrong := 0
	for seed := range uint64(experiments) {
		s := newSimulation(seed)
		s.noise, s.truth = lognormal(0.01), processesTake(1.0201)
		rec := s.do(t, Options{Tasks: tasks("a", "b"), Workers: []int{2}, MinRounds: 20, MaxRounds: 40})
		if rec.Results.verdict("a").Verdict == Equivalent || rec.Results.verdict("b").Verdict == Equivalent {
			wrong++
		}
	}
	atMost(t, "experiments with a false equivalence", wrong, experiments, 0.05)
}

// Stopping looks at the width of intervals after every block; that must not cost
// coverage.
func TestStoppingByPrecisionKeepsCoverage(t *testing.T) {
	const experiments = 400
	missed, early := 0, 0
	for seed := range uint64(experiments) {
		s := newSimulation(seed)
		s.noise, s.truth = lognormal(0.03), processesTake(1.2)
		rec := s.do(t, Options{Tasks: tasks("a"), Workers: []int{2}, Precision: 0.025})
		if !rec.Results.verdict("a").Ratio.contains(1.2) {
			missed++
		}
		if rec.Results.Tasks[0].Stopped == StopPrecision {
			early++
		}
	}
	if early < experiments/2 {
		t.Errorf("only %d of %d experiments stopped by precision: this tests nothing", early, experiments)
	}
	atMost(t, "intervals without the truth", missed, experiments, 0.05)
}

// disturbances are what real machines do; none may change a verdict.
func disturbances() map[string]func(*rand.Rand, int) float64 {
	quiet := lognormal(0.01)
	return map[string]func(*rand.Rand, int) float64{
		"drift": func(r *rand.Rand, run int) float64 { return quiet(r, run) * (1 + float64(run)/300) },
		"steps": func(r *rand.Rand, run int) float64 { return quiet(r, run) * (1 + float64(run/90%2)) },
		"one-sided noise": func(r *rand.Rand, run int) float64 {
			if r.Float64() < 0.15 {
				return quiet(r, run) * (1 + 3*r.Float64())
			}
			return quiet(r, run)
		},
	}
}

func TestDisturbancesDoNotFool(t *testing.T) {
	for name, noise := range disturbances() {
		for _, c := range []struct {
			factor float64
			want   Verdict
		}{{1.25, Slower}, {0.8, Faster}, {1, Equivalent}} {
			const experiments = 40
			right, wrong := 0, 0
			for seed := range uint64(experiments) {
				s := newSimulation(seed + 100)
				s.noise, s.truth = noise, processesTake(c.factor)
				rec := s.do(t, Options{Tasks: tasks("a"), Workers: []int{4}, MinRounds: 60})
				switch rec.Results.verdict("a").Verdict {
				case c.want:
					right++
				case Unresolved:
				default:
					wrong++
				}
			}
			t.Logf("%s, ratio %g: %d of %d %s, %d wrong", name, c.factor, right, experiments, c.want, wrong)
			if wrong > 5 || (c.factor != 1 && right < experiments*9/10) || right == 0 {
				t.Errorf("%s, ratio %g: %d of %d %s, %d wrong", name, c.factor, right, experiments, c.want, wrong)
			}
		}
	}
}

// A cell that always ran first would pay for a cold machine; every cell must be
// in every position equally often.
func TestPositionDoesNotFool(t *testing.T) {
	s := newSimulation(3)
	quiet, last := lognormal(0.002), 0
	s.noise = quiet
	o := s.options(Options{Tasks: tasks("a"), Workers: []int{1, 2}, MinRounds: 24, MaxRounds: 24})
	rec, err := Do(t.Context(), o, runnerFunc(func(ctx context.Context, c Cell) (Run, error) {
		r, err := s.Run(ctx, c)
		if s.runs%10 == 0 { // not a divisor of the cells in a round
			last++
			r.Wall *= 1.3
		}
		return r, err
	}), nil)
	if err != nil || last == 0 {
		t.Fatal(err, last)
	}
	for _, c := range rec.Results.Tasks[0].Comparisons {
		if c.Verdict == Faster || c.Verdict == Slower {
			t.Errorf("%s at ratio %v for identical code", c.Verdict, c.Ratio)
		}
	}
}

type runnerFunc func(context.Context, Cell) (Run, error)

func (f runnerFunc) Run(ctx context.Context, c Cell) (Run, error) { return f(ctx, c) }

func TestFailedControlDowngrades(t *testing.T) {
	for _, c := range []struct {
		processes float64
		want      Verdict
	}{{1.04, Unresolved}, {1, Unresolved}, {2, Slower}} {
		s := newSimulation(11)
		s.noise = lognormal(0.002)
		s.truth = func(cell Cell) float64 {
			if cell.Control {
				return 1.06 // identical code, reported 6 % apart
			}
			return processesTake(c.processes)(cell)
		}
		rec := s.do(t, Options{Tasks: tasks("a"), Workers: []int{2}})
		got := rec.Results.verdict("a")
		if got.Verdict != c.want || got.Downgraded == "" {
			t.Errorf("ratio %g: %s, downgraded %q; want %s and why", c.processes, got.Verdict, got.Downgraded, c.want)
		}
		control, _ := rec.Results.Tasks[0].Control.Get()
		if control.Pass || !strings.Contains(control.Why, "excludes 1") {
			t.Errorf("control %+v passes", control)
		}
		if len(rec.Warnings) == 0 || !rec.Warnings[0].Headline {
			t.Errorf("no headline warning: %v", rec.Warnings)
		}
	}
}

func TestDifferentBitsAreAnError(t *testing.T) {
	s := newSimulation(1)
	s.value = func(c Cell) Value {
		if c.Backend == Processes && c.Workers == 2 && c.Task == "b" {
			return Value{"1", "3ff0000000000001"}
		}
		return Value{"1", "3ff0000000000000"}
	}
	_, err := Do(t.Context(), s.options(Options{Tasks: tasks("a", "b"), Workers: []int{1, 2}}), s, nil)
	var differ *DifferError
	if !errors.As(err, &differ) || differ.B.Label() != "processes×2" || differ.A.Backend != Serial {
		t.Fatalf("error %v, want a DifferError for processes×2", err)
	}
}

func TestBudgetShrinksSizesNotRounds(t *testing.T) {
	s := newSimulation(2)
	s.noise = lognormal(0.1)
	s.floor = func(c Cell) float64 { return 2e-3 * float64(c.Workers) }
	rec := s.do(t, Options{Tasks: tasks("a", "b"), Workers: []int{1, 2, 4}, MaxTime: 8 * time.Second})
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
	rec := s.do(t, Options{Tasks: tasks("a"), Workers: []int{4}, MaxTime: 7 * time.Second})
	if !rec.Plan.Shrunk || len(rec.Order) < rec.Plan.Rounds[0] || rec.Seconds > 8 {
		t.Errorf("shrunk %v, %d rounds, %.1f s of 7", rec.Plan.Shrunk, len(rec.Order), rec.Seconds)
	}
}

func TestImpossiblePlansAreErrors(t *testing.T) {
	for _, c := range []struct {
		o    Options
		want string
	}{
		{Options{MaxTime: time.Second}, "need about"},
		{Options{MaxRounds: 4}, "18 comparisons at 95 % confidence need at least 10 rounds"},
		{Options{Tasks: tasks("a", "a")}, "named twice"},
		{Options{Tasks: tasks(Null)}, "name a task"},
		{Options{Backends: []Backend{"fibers"}}, "unknown backend"},
		{Options{Workers: []int{0, 2}}, "at least 1"},
		{Options{Target: time.Millisecond}, "target"},
		{Options{Confidence: 2}, "confidence"},
		{Options{Margin: -1}, "margin"},
		{Options{Precision: math.NaN()}, "precision"},
		{Options{Tasks: []Task{{Name: "a", Size: 1_000_000_000}}, Workers: []int{2}, MaxTime: 20 * time.Second}, "need about"},
	} {
		s := newSimulation(1)
		s.floor = func(c Cell) float64 { return 1e-3 }
		rec, err := Do(t.Context(), s.options(c.o), s, nil)
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
	rec := s.do(t, Options{Tasks: tasks("a"), Workers: []int{2, 8}, PlanOnly: true})
	if rec.Status != Done || rec.Plan.ETA <= 0 || rec.Plan.Tasks[0].Size == 0 || len(rec.Runs) != 0 || len(rec.Results.Tasks) != 0 {
		t.Errorf("status %s, plan %+v, %d runs", rec.Status, rec.Plan, len(rec.Runs))
	}
}

func TestUnsupportedCellsAreLeftOutByName(t *testing.T) {
	s := newSimulation(1)
	s.fails = func(c Cell) error {
		if c.Backend == Threads || c.Ablation == Bound {
			return fmt.Errorf("cannot bind a thread here: %w", errors.ErrUnsupported)
		}
		return nil
	}
	rec := s.do(t, Options{Tasks: tasks("a"), Workers: []int{2}, Backends: []Backend{Goroutines, Threads, Processes}, Why: true})
	if len(rec.Plan.Skipped) != 3 || rec.Plan.Comparisons != 1 {
		t.Errorf("skipped %v, %d comparisons", rec.Plan.Skipped, rec.Plan.Comparisons)
	}
	for _, p := range rec.Results.Tasks[0].Why[0].Parts {
		if p.Name == "unbound" || p.Name == "scheduler" {
			t.Errorf("part %s without its cell", p.Name)
		}
	}
	text := fmt.Sprint(rec.Warnings)
	if !strings.Contains(text, "left out a threads×2: cannot bind a thread here") {
		t.Errorf("warnings %s do not name the cell", text)
	}
}

func TestCancelKeepsCompleteRounds(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	s := newSimulation(1)
	o := s.options(Options{Tasks: tasks("a"), Workers: []int{2}, MinRounds: 30})
	rec, err := Do(ctx, o, s, func(p Progress) {
		if p.Round == 7 {
			cancel()
		}
	})
	if !errors.Is(err, context.Canceled) || rec.Status != Interrupted || len(rec.Order) != 7 || len(rec.Runs) != 7*7 {
		t.Fatalf("%v, status %s, %d rounds, %d runs", err, rec.Status, len(rec.Order), len(rec.Runs))
	}
	if got := rec.Results.Tasks[0]; got.Rounds != 7 || got.Stopped != StopCut {
		t.Errorf("result has %d rounds, stopped %q", got.Rounds, got.Stopped)
	}
}

func TestRunnerFaultsEndTheExperiment(t *testing.T) {
	for want, fault := range map[string]func(*Run) error{
		"its runner measured NaN seconds": func(r *Run) error { r.Wall = math.NaN(); return nil },
		"is not within the run":           func(r *Run) error { r.Parent.Spans = []Span{{Phase: Compute, End: r.Wall * 2}}; return nil },
		"without being within it": func(r *Run) error {
			r.Workers = []Worker{{Spans: []Span{{Phase: GC, Start: r.Wall / 4, End: r.Wall}, {Phase: Compute, End: r.Wall / 2}}}}
			return nil
		},
		"no memory": func(*Run) error { return errors.New("no memory") },
	} {
		s := newSimulation(1)
		rec, err := Do(t.Context(), s.options(Options{Tasks: tasks("a"), Workers: []int{2}}), runnerFunc(func(ctx context.Context, c Cell) (Run, error) {
			r, err := s.Run(ctx, c)
			if s.runs == 40 {
				err = fault(&r)
			}
			return r, err
		}), nil)
		if err == nil || !strings.Contains(err.Error(), want) || rec.Status != Failed || len(rec.Order) == 0 {
			t.Errorf("error %v, want %q; status %s, %d rounds kept", err, want, rec.Status, len(rec.Order))
		}
	}
}

func TestProgressShowsThePlanFirst(t *testing.T) {
	s := newSimulation(1)
	s.noise = lognormal(0.01)
	var stages []Stage
	var planned Progress
	_, err := Do(t.Context(), s.options(Options{Tasks: tasks("a"), Workers: []int{2}}), s, func(p Progress) {
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
