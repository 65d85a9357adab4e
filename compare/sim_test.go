package compare

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"procpool/pool"
)

// A simulation is a Runner with a known truth and a clock of its own: its runs
// take no time. Package rank has simulations of the statistics alone; here they run
// through the whole experiment.
type simulation struct {
	rng   *rand.Rand
	clock time.Time
	index float64                             // serial seconds an index
	truth func(Cell) float64                  // multiplies the ideal time of a cell; nil: 1
	floor func(Cell) float64                  // seconds that processes take to start; nil: 0
	noise func(r *rand.Rand, run int) float64 // multiplies each run; nil: 1
	fails func(Cell) error                    // nil: never
	value func(Cell) Value                    // nil: the same for all
	cpu   func(Cell) float64                  // CPU seconds a second of ideal work; nil: 1
	runs  int
}

func newSimulation(seed uint64) *simulation {
	return &simulation{rng: rand.New(rand.NewPCG(seed, 1)), clock: time.Unix(1_700_000_000, 0), index: 1e-8}
}

// experiment is x on the clock of s, with a fixed seed.
func (s *simulation) experiment(x Experiment) Experiment {
	x.now = func() time.Time { return s.clock }
	x.Seed = cmp.Or(x.Seed, s.rng.Uint64()|1)
	x.CPUs = cmp.Or(x.CPUs, 2)
	x.Environment = []Fact{{"goos", "simulation"}} // to look around takes longer than to simulate
	return x
}

func (s *simulation) Run(_ context.Context, c Cell) (Run, error) {
	if s.fails != nil {
		if err := s.fails(c); err != nil {
			return Run{}, err
		}
	}
	work, floor, factor, cpu := s.index*float64(c.Interval.Len()), 0.0, 1.0, 1.0
	if s.cpu != nil {
		cpu = s.cpu(c)
	}
	each := work / float64(c.Workers)
	if s.truth != nil {
		each *= s.truth(c)
	}
	if s.floor != nil && c.Backend == pool.Processes {
		floor = s.floor(c)
	}
	if s.noise != nil {
		factor = s.noise(s.rng, s.runs)
	}
	s.runs++
	round := func(x float64) float64 { return math.Round(x*1e9) / 1e9 }
	floor = round(floor)
	r := Run{Wall: round(floor + each*factor + 1e-6), Value: Value{Text: "1", Bits: "3ff0000000000000"}, Parent: WorkerRun{Index: -1}}
	if s.value != nil {
		r.Value = s.value(c)
	}
	r.Terms = Terms{ParentGOMAXPROCS: c.Workers, HeapBudget: "GOGC=100, one heap", Mask: "0-1", Binding: "none", Pool: "cold"}
	used := Resources{UserSeconds: Known(round(work * cpu * 0.8)), SystemSeconds: Known(round(work * cpu * 0.2))}
	used.PeakRSSBytes, used.GCCycles = Known(8e6), Known(20.0)
	if c.Backend == pool.Serial {
		r.Parent.Spans, r.Parent.Resources = []Span{{Phase: PhaseCompute, End: r.Wall}}, used
	} else {
		s.work(&r, c, floor, used)
	}
	s.clock = s.clock.Add(duration(r.Wall + 0.004)) // of making the parent
	return r, nil
}

// work adds workers to r that fit its wall time.
func (s *simulation) work(r *Run, c Cell, floor float64, used Resources) {
	end := math.Round(r.Wall*0.99*1e9) / 1e9
	r.Parent.Spans = []Span{{Phase: PhaseReduce, Start: end, End: r.Wall}}
	if c.Backend != pool.Processes {
		r.Parent.Resources = used
	} else {
		r.Parent.UserSeconds, r.Parent.SystemSeconds, r.Terms.WorkerGOMAXPROCS = Known(0.001), Known(0.001), 1
	}
	for i := range c.Workers {
		w := WorkerRun{Index: i}
		at := 0.0
		if c.Backend == pool.Processes {
			w.PID, w.Resources = 4000+s.runs*8+i, used
			w.UserSeconds, w.SystemSeconds = perWorker(used.UserSeconds, c.Workers), perWorker(used.SystemSeconds, c.Workers)
			w.Spans = append(w.Spans, Span{Phase: PhaseSpawn, End: floor / 2}, Span{Phase: PhaseHello, Start: floor / 2, End: floor})
			at = floor
		}
		for _, step := range []struct {
			phase Phase
			share float64
		}{{PhaseDispatch, 0.02}, {PhaseCompute, 0.93}, {PhaseReply, 0.03}, {PhaseIdle, 1}} {
			if to := math.Min(at+(end-floor)*step.share, end); to > at {
				w.Spans = append(w.Spans, Span{Phase: step.phase, Start: at, End: to})
				at = to
			}
		}
		r.Workers = append(r.Workers, w)
	}
}

func perWorker(m Maybe[float64], n int) Maybe[float64] {
	v, _ := m.Get()
	return Known(v / float64(n))
}

// lognormal is noise with the given relative spread.
func lognormal(sigma float64) func(*rand.Rand, int) float64 {
	return func(r *rand.Rand, _ int) float64 { return math.Exp(sigma * r.NormFloat64()) }
}

// processesTake makes processes take factor times the time of goroutines.
func processesTake(factor float64) func(Cell) float64 {
	return func(c Cell) float64 {
		if c.Backend == pool.Processes {
			return factor
		}
		return 1
	}
}

type runnerFunc func(context.Context, Cell) (Run, error)

func (f runnerFunc) Run(ctx context.Context, c Cell) (Run, error) { return f(ctx, c) }

// do runs the experiment on s and fails the test on an error.
func (s *simulation) do(t testing.TB, x Experiment) Record {
	t.Helper()
	rec, err := Do(t.Context(), s.experiment(x), s, nil)
	if err != nil {
		t.Fatal(err)
	}
	return rec
}

func tasks(names ...string) (out []Subject) {
	for _, name := range names {
		out = append(out, Subject{Name: name})
	}
	return out
}

// standard is an experiment with every kind of verdict, cause and note.
func standard(t testing.TB, x Experiment) Record {
	s := newSimulation(11)
	s.noise, s.floor = lognormal(0.05), func(Cell) float64 { return 0.003 }
	s.truth = func(c Cell) float64 {
		switch {
		case c.Backend == pool.Serial || c.Workers == 1:
			return 1
		case c.Task == "counter" && c.Backend != pool.Processes:
			return 8
		case c.Task == "table" && c.Backend == pool.Processes:
			return 1.7
		case c.Task == "pi" && c.Backend == pool.Processes:
			return 1.1
		case c.Task == "alloc" && c.Backend == pool.Processes:
			return 1.05 // at the margin, where there is nothing to be shown
		}
		return 1
	}
	s.cpu = func(c Cell) float64 {
		switch {
		case c.Task == "counter" && c.Backend == pool.Goroutines && c.Workers > 1:
			return 8.8
		case c.Task == "table" && c.Backend == pool.Processes:
			return 2.4
		}
		return 1
	}
	s.value = func(Cell) Value { return Value{"3.141592653589793", "400921fb54442d18"} }
	x.Seed = 20261122
	x.Tasks = []Subject{{Name: "pi"}, {Name: "primes"}, {Name: "alloc"}, {Name: "table", Cause: Cause{Repeated: "each process builds its own table"}},
		{Name: "counter", Cause: Cause{Shared: "one cache line for all threads"}}}
	rec, err := Do(t.Context(), s.experiment(x), s, nil)
	if err != nil {
		t.Fatal(err)
	}
	return rec
}

func (r Results) row(task string) RowResult {
	for _, row := range r.Rows {
		if row.Task == task {
			return row
		}
	}
	panic(fmt.Sprintf("no row of %s", task))
}
