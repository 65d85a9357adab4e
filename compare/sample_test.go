package compare

import (
	"context"
	"encoding/json"
	"flag"
	"os"
	"testing"

	"procpool/pool"
)

var sample = flag.String("sample", "", "write the sample record for compare/report to this `file`")

// TestSample is an experiment with everything in it that a report must show. With
// -sample it becomes the stored input of the goldens in compare/report.
func TestSample(t *testing.T) {
	s := newSimulation(42)
	s.spans = true
	s.noise = lognormal(0.006)
	s.floor = func(c Cell) float64 {
		switch {
		case c.Backend == pool.Processes && c.Ablation != Warm:
			return 2e-3 + 1e-3*float64(c.Workers)
		case c.Backend == pool.Serial:
			return 0
		}
		return 2e-4
	}
	s.truth = func(c Cell) float64 {
		n := float64(c.Workers)
		switch {
		case c.Task != "alloc" || c.Backend == pool.Serial:
			return 1 + 0.04*(n-1)
		case c.Backend == pool.Processes && c.Ablation == GCOff:
			return 0.85 + 0.05*(n-1)
		case c.Backend == pool.Processes:
			return 1 + 0.05*(n-1)
		case c.Ablation == GCOff:
			return 0.86 + 0.06*(n-1)
		case c.Ablation == EqualHeap:
			return 1 + 0.12*(n-1)
		case c.Backend == pool.Threads:
			return 1 + 0.2*(n-1)
		}
		return 1 + 0.25*(n-1)
	}
	s.value = func(Cell) Value { return Value{"3.141592653589793", "400921fb54442d18"} }
	o := s.experiment(Experiment{Tasks: tasks("alloc", "pi"), Workers: []int{1, 2, 4}, Why: true, MaxRounds: 10, Seed: 20261122,
		Environment: []Fact{{"CPU", "a simulated machine, 4 CPUs"}, {"kernel", "n/a (simulated)"}, {"Go", "go1.26"}}})
	rec, err := Do(t.Context(), o, runnerFunc(func(ctx context.Context, c Cell) (Run, error) {
		r, err := s.Run(ctx, c)
		if s.runs == 200 { // noise from outside
			r.Flags = []string{"steal"}
		}
		return r, err
	}), nil)
	if err != nil {
		t.Fatal(err)
	}
	for task, want := range map[string]Verdict{"alloc": Faster, "pi": Slower} {
		if got := rec.Results.verdict(task); got.Verdict != want {
			t.Errorf("%s: %s at %v, want %s", task, got.Verdict, got.Ratio, want)
		}
	}
	if *sample == "" {
		return
	}
	b, err := json.Marshal(rec)
	if err == nil {
		err = os.WriteFile(*sample, append(b, '\n'), 0o644)
	}
	if err != nil {
		t.Fatal(err)
	}
}
