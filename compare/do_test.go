package compare

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"procpool/compare/rank"
	"procpool/pool"
)

func TestTheZeroExperimentIsTheStandardOne(t *testing.T) {
	s := newSimulation(1)
	s.noise, s.truth = lognormal(0.03), processesTake(1.3)
	rec := s.do(t, Experiment{})
	if rec.Status != pool.Done || len(rec.Plan.Tasks) != 6 || len(rec.Plan.Rows) != 6 || len(rec.Plan.Cells) != 18 {
		t.Fatalf("status %s, %d tasks, %d rows, %d cells", rec.Status, len(rec.Plan.Tasks), len(rec.Plan.Rows), len(rec.Plan.Cells))
	}
	if rec.Plan.MaxSeconds != 60 || rec.Plan.Margin != 0.05 || rec.Plan.Confidence != 0.95 || len(rec.Environment) == 0 {
		t.Errorf("plan %+v", rec.Plan)
	}
	for _, task := range rec.Plan.Tasks {
		if task.SerialSeconds < 0.03 || task.SerialSeconds > 0.08 {
			t.Errorf("%+v is not calibrated to 50 ms", task)
		}
	}
	for _, r := range rec.Results.Rows {
		if r.Verdict != Slower || r.Winner() != "goroutines" || r.Workers != 2 {
			t.Errorf("%+v", r)
		}
	}
	if rec.Seconds > 20 || rec.Results.Rounds > 36 {
		t.Errorf("all was decided after %g s and %d rounds", rec.Seconds, rec.Results.Rounds)
	}
}

// A pair's runs follow each other directly, in either order; a row that is decided is
// not run again; the serial cell runs in the first rounds alone.
func TestRoundsArePairs(t *testing.T) {
	s := newSimulation(3)
	s.noise = lognormal(0.04)
	s.truth = func(c Cell) float64 {
		if c.Task == "clear" && c.Backend == pool.Processes {
			return 3
		}
		return 1
	}
	rec := s.do(t, Experiment{Tasks: tasks("clear", "even")})
	first := map[pool.Backend]int{}
	for i := 0; i < len(rec.Runs); i++ {
		r := rec.Runs[i]
		if r.Row < 0 {
			if rec.Plan.Cells[r.Cell].Backend != pool.Serial || r.Round >= serialRounds {
				t.Errorf("a run of cell %d alone in round %d", r.Cell, r.Round)
			}
			continue
		}
		other := rec.Runs[i+1]
		if other.Row != r.Row || other.Round != r.Round || other.Cell == r.Cell {
			t.Fatalf("after %+v comes %+v", r, other)
		}
		first[rec.Plan.Cells[r.Cell].Backend]++
		i++
	}
	if n := first[pool.Goroutines] + first[pool.Processes]; first[pool.Goroutines] < n/5 || first[pool.Processes] < n/5 {
		t.Errorf("who was first: %v", first)
	}
	if clear, even := rec.Results.row("clear"), rec.Results.row("even"); clear.Pairs != 14 || even.Pairs <= clear.Pairs || even.Verdict != Same {
		t.Errorf("%+v and %+v", clear, even)
	}
}

func TestSameSeedSameRecord(t *testing.T) {
	record := func() []byte {
		s := newSimulation(7)
		s.noise = lognormal(0.02)
		b, err := json.Marshal(s.do(t, Experiment{Tasks: tasks("pi", "alloc"), Workers: []int{1, 2}, Seed: 5, Why: true}))
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	if a, b := record(), record(); !bytes.Equal(a, b) {
		t.Error("two experiments with one seed differ")
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
	rec, err := Do(t.Context(), s.experiment(Experiment{Tasks: tasks("a", "b"), Workers: []int{1, 2}}), s, nil)
	var differ *DifferError
	if !errors.As(err, &differ) || differ.B.Label() != "processes×2" || differ.A.Backend != pool.Serial || rec.Status != Differ {
		t.Fatalf("error %v, want a DifferError for processes×2", err)
	}
}

func TestTheBudgetEndsIt(t *testing.T) {
	s := newSimulation(2)
	s.noise, s.truth = lognormal(0.3), processesTake(1.05)
	rec := s.do(t, Experiment{MaxTime: 8 * time.Second})
	if rec.Seconds > 9 || rec.Seconds < 5 || rec.Results.Rounds < 5 {
		t.Errorf("took %.1f s of 8, %d rounds", rec.Seconds, rec.Results.Rounds)
	}
}

// With many CPUs runs are longer, and the serial ones may not take the whole budget.
func TestManyCPUs(t *testing.T) {
	s := newSimulation(2)
	s.noise, s.truth = lognormal(0.05), processesTake(1.3)
	rec := s.do(t, Experiment{CPUs: 64})
	serial := 0.0
	for _, r := range rec.Runs {
		if r.Row < 0 {
			serial += r.Wall
		}
	}
	if rec.Plan.Target != 1.6 || rec.Seconds > 65 || serial > 25 || rec.Results.row("pi").Verdict != Slower {
		t.Errorf("target %g s, took %.1f s, %.1f of them serial, %+v", rec.Plan.Target, rec.Seconds, serial, rec.Results.row("pi"))
	}
}

func TestImpossiblePlansAreErrors(t *testing.T) {
	for _, c := range []struct {
		o    Experiment
		want string
	}{
		{Experiment{MaxTime: time.Millisecond}, "the budget is 1ms"},
		{Experiment{MaxPairs: 501}, "at most 500 pairs"},
		{Experiment{Tasks: tasks("a", "a")}, "named twice"},
		{Experiment{Tasks: tasks(Null)}, "name another task"},
		{Experiment{Backends: []pool.Backend{"fibers"}}, "unknown backend"},
		{Experiment{Backends: []pool.Backend{pool.Serial}}, "nothing to compare"},
		{Experiment{Workers: []int{0, 2}}, "worker counts from 0"},
		{Experiment{Target: time.Microsecond}, "target"},
		{Experiment{Confidence: 2}, "confidence"},
		{Experiment{Margin: -1}, "margin"},
	} {
		s := newSimulation(1)
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
	if rec.Status != pool.Done || rec.Plan.Tasks[0].Size == 0 || len(rec.Runs) != 0 {
		t.Errorf("status %s, plan %+v, %d runs", rec.Status, rec.Plan, len(rec.Runs))
	}
}

func TestUnsupportedCellsAreLeftOutByName(t *testing.T) {
	s := newSimulation(1)
	s.noise = lognormal(0.01)
	s.fails = func(c Cell) error {
		if c.Backend == pool.Threads {
			return fmt.Errorf("cannot lock a thread here: %w", errors.ErrUnsupported)
		}
		return nil
	}
	rec := s.do(t, Experiment{Tasks: tasks("a"), Workers: []int{2}, Backends: []pool.Backend{pool.Goroutines, pool.Threads, pool.Processes}, Why: true})
	if len(rec.Plan.Rows) != 1 || !strings.Contains(fmt.Sprint(rec.Notes), "left out a threads×2: cannot lock a thread here") {
		t.Errorf("rows %v, notes %q", rec.Plan.Rows, rec.Notes)
	}
	if r := rec.Results.Rows[0]; r.A != pool.Processes || r.B != pool.Goroutines || r.Pairs == 0 {
		t.Errorf("%+v", r)
	}
}

func TestCancelKeepsCompletePairs(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	s := newSimulation(1)
	rec, err := Do(ctx, s.experiment(Experiment{Tasks: tasks("a")}), s, func(p Progress) {
		if p.Round == 3 {
			cancel()
		}
	})
	if !errors.Is(err, context.Canceled) || rec.Status != pool.Interrupted || rec.Results.row("a").Pairs != 3 {
		t.Fatalf("%v, status %s, %+v", err, rec.Status, rec.Results.Rows)
	}
	var b bytes.Buffer
	if err := Report(&b, rec); err != nil {
		t.Fatal(err)
	}
	out := strings.Join(strings.Fields(b.String()), " ")
	for _, want := range []string{"open too few pairs for an interval (3 pairs)", "Note: cut short: cancelled."} {
		if !strings.Contains(out, want) {
			t.Errorf("the report does not say %q:\n%s", want, b.String())
		}
	}
	if strings.Contains(out, "∞") || strings.Contains(out, "NaN") {
		t.Errorf("the report has an infinity:\n%s", b.String())
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
		"all of it for starting": func(r *Run) error {
			r.Workers = []WorkerRun{{Spans: []Span{{Phase: PhaseHello, End: r.Wall}}}}
			return nil
		},
		"no memory": func(*Run) error { return errors.New("no memory") },
	} {
		s := newSimulation(1)
		s.noise = lognormal(0.1)
		rec, err := Do(t.Context(), s.experiment(Experiment{Tasks: tasks("a")}), runnerFunc(func(ctx context.Context, c Cell) (Run, error) {
			r, err := s.Run(ctx, c)
			if s.runs == 40 {
				err = fault(&r)
			}
			return r, err
		}), nil)
		if err == nil || !strings.Contains(err.Error(), want) || rec.Status != pool.Failed || rec.Results.row("a").Pairs == 0 {
			t.Errorf("error %v, want %q; status %s, %d pairs kept", err, want, rec.Status, rec.Results.row("a").Pairs)
		}
	}
}

func TestProgressShowsThePlanFirst(t *testing.T) {
	s := newSimulation(1)
	s.noise = lognormal(0.01)
	var stages []Stage
	_, err := Do(t.Context(), s.experiment(Experiment{Tasks: tasks("a")}), s, func(p Progress) {
		if len(stages) == 0 || stages[len(stages)-1] != p.Stage {
			stages = append(stages, p.Stage)
		}
	})
	if want := []Stage{StageCalibrate, StageWarmUp, StagePlan, StageMeasure}; err != nil || !reflect.DeepEqual(stages, want) {
		t.Errorf("%v: stages %v, want %v", err, stages, want)
	}
}

// Whole experiments on identical code: how often any verdict is wrong.
func TestNoFalseVerdictsOnIdenticalCode(t *testing.T) {
	const experiments = 60
	wrong, decided := 0, 0
	for seed := range uint64(experiments) {
		s := newSimulation(seed)
		drift := rand.New(rand.NewPCG(seed, 9)).Float64()
		s.noise = func(r *rand.Rand, run int) float64 {
			return math.Exp(0.05*r.NormFloat64() + 0.1*math.Sin(drift+float64(run)/20))
		}
		rec := s.do(t, Experiment{Tasks: tasks("a", "b", "c"), SelfCheck: seed%2 == 0})
		bad := false
		for _, r := range rec.Results.Rows {
			bad = bad || r.Verdict == Faster || r.Verdict == Slower
			if r.Verdict == Same {
				decided++
			}
		}
		if bad {
			wrong++
		}
	}
	t.Logf("%d of %d experiments have a false verdict; %.2f of 3 rows are the same", wrong, experiments, float64(decided)/experiments)
	if limit := experiments * (0.05 + 3*math.Sqrt(0.05*0.95/experiments)); float64(wrong) > limit {
		t.Errorf("%d of %d experiments have a false verdict, want at most %g", wrong, experiments, limit)
	}
}

// The answer does not depend on the size: starting is measured apart.
func TestTheSizeDoesNotMatter(t *testing.T) {
	for _, target := range []time.Duration{15 * time.Millisecond, 400 * time.Millisecond} {
		s := newSimulation(4)
		s.noise, s.floor, s.truth = lognormal(0.02), func(Cell) float64 { return 0.01 }, processesTake(1.2)
		rec := s.do(t, Experiment{Tasks: tasks("a"), Target: target})
		r, c := rec.Results.Rows[0], rec.Results.result(rec.Plan.Rows[0].A)
		if r.Ratio.Centre < 1.15 || r.Ratio.Centre > 1.25 || math.Abs(c.Starting-0.01) > 0.001 {
			t.Errorf("target %v: ratio %g, starting %g s", target, r.Ratio.Centre, c.Starting)
		}
	}
}

func TestEveryVerdictSaysWhy(t *testing.T) {
	rec := standard(t, Experiment{})
	for task, want := range map[string]string{"pi": "ms: ", "primes": "between ", "table": "each process builds its own table: 2.4", "counter": "one cache line for all threads: 8.8"} {
		if r := rec.Results.row(task); !strings.Contains(r.Why, want) || r.Borne != (task == "table" || task == "counter") {
			t.Errorf("%s: %q, borne out %v; want %q", task, r.Why, r.Borne, want)
		}
	}
	if v := rec.Results.row("primes").Verdict; v != Same {
		t.Errorf("primes: %s", v)
	}
	if s, ok := rec.Results.row("counter").FromSeconds.Get(); !ok || s <= 0 || s > 0.005 {
		t.Errorf("processes win on counter from %g s on", s)
	}
}

func TestWhyTakesTheGapApart(t *testing.T) {
	rec := standard(t, Experiment{Why: true})
	if len(rec.Results.Why) != 5 {
		t.Fatalf("%d gaps", len(rec.Results.Why))
	}
	for _, w := range rec.Results.Why {
		sum := 0.0
		for _, p := range w.Parts {
			sum += float64(p.Seconds.Centre)
		}
		if gap := float64(w.Gap.Centre); math.Abs(sum-gap) > 0.1*math.Abs(gap)+0.002 {
			t.Errorf("%s: the parts add up to %g s, the gap is %g s", w.Task, sum, gap)
		}
		if i := slices.IndexFunc(w.Parts, func(p Part) bool { return p.Name == "address space" }); w.Task == "counter" && w.Parts[i].Seconds.High > -0.1 {
			t.Errorf("counter: the address space is %+v", w.Parts[i])
		}
	}
}

func TestReplayEqualsTheTrial(t *testing.T) {
	rec := standard(t, Experiment{MaxTime: 20 * time.Second})
	if !reflect.DeepEqual(Analyse(rec), rec.Results) {
		t.Error("analysed again, the results are others")
	}
	if n := rec.Results.row("counter").Ratio.N; !rank.IsLook(n) || n == rec.Results.Rounds {
		t.Errorf("counter was decided after %d pairs of %d rounds", n, rec.Results.Rounds)
	}
}
