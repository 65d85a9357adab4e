package compare

import (
	"context"
	"math/rand/v2"
	"strings"
	"testing"
)

// Whole experiments on simulated machines, again and again: how often a verdict
// or an interval is wrong must be what they promise.

func TestNoFalseVerdictsOnIdenticalCode(t *testing.T) {
	const experiments = 400
	wrong, missed, controls := 0, 0, 0
	for seed := range uint64(experiments) {
		s := newSimulation(seed)
		s.noise = lognormal(0.05)
		rec := s.do(t, Experiment{Tasks: tasks("a", "b", "c"), Workers: []int{1, 2}, MaxRounds: 24})
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
		rec := s.do(t, Experiment{Tasks: tasks("a", "b"), Workers: []int{2}, MinRounds: 20, MaxRounds: 40})
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
		rec := s.do(t, Experiment{Tasks: tasks("a"), Workers: []int{2}, Precision: 0.025})
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
				rec := s.do(t, Experiment{Tasks: tasks("a"), Workers: []int{4}, MinRounds: 60})
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
	o := s.experiment(Experiment{Tasks: tasks("a"), Workers: []int{1, 2}, MinRounds: 24, MaxRounds: 24})
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
		rec := s.do(t, Experiment{Tasks: tasks("a"), Workers: []int{2}})
		got := rec.Results.verdict("a")
		if got.Verdict != c.want || got.Downgraded == "" {
			t.Errorf("ratio %g: %s, downgraded %q; want %s and why", c.processes, got.Verdict, got.Downgraded, c.want)
		}
		control, _ := rec.Results.Tasks[0].Control.Get()
		if control.Pass || !strings.Contains(control.Why, "excludes 1") {
			t.Errorf("control %+v passes", control)
		}
		if len(rec.Caveats) == 0 || !rec.Caveats[0].Headline {
			t.Errorf("no headline warning: %v", rec.Caveats)
		}
	}
}
