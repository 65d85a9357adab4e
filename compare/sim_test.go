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
// take no time. Every statistical claim of this package is tested against it.
type simulation struct {
	rng   *rand.Rand
	clock time.Time
	index float64                             // serial seconds an index
	truth func(Cell) float64                  // multiplies the ideal time of a cell; nil: 1
	floor func(Cell) float64                  // seconds a run takes whatever its size; nil: 0
	noise func(r *rand.Rand, run int) float64 // multiplies each run; nil: 1
	fails func(Cell) error                    // nil: never
	value func(Cell) Value                    // nil: the same for all
	spans bool                                // fill in phases and counters
	runs  int
}

func newSimulation(seed uint64) *simulation {
	return &simulation{rng: rand.New(rand.NewPCG(seed, 1)), clock: time.Unix(1_700_000_000, 0), index: 1e-8}
}

// experiment is x on the clock of s, with a fixed seed.
func (s *simulation) experiment(x Experiment) Experiment {
	x.now = func() time.Time { return s.clock }
	x.Seed = cmp.Or(x.Seed, s.rng.Uint64()|1)
	x.CPUs = cmp.Or(x.CPUs, 4)
	x.Environment = []Fact{{"goos", "simulation"}} // to look around takes longer than to simulate
	return x
}

func (s *simulation) Run(_ context.Context, c Cell) (Run, error) {
	if s.fails != nil {
		if err := s.fails(c); err != nil {
			return Run{}, err
		}
	}
	work, floor := 0.0, 1e-6
	if c.Task != Null {
		work = s.index * float64(c.Interval.Len()) / float64(c.Workers)
	}
	if s.truth != nil {
		work *= s.truth(c)
	}
	if s.floor != nil {
		floor += s.floor(c)
	}
	factor := 1.0
	if s.noise != nil {
		factor = s.noise(s.rng, s.runs)
	}
	s.runs++
	r := Run{Wall: math.Round((work+floor)*factor*1e9) / 1e9, Value: Value{Text: "1", Bits: "3ff0000000000000"}, Parent: WorkerRun{Index: -1}}
	if s.value != nil {
		r.Value = s.value(c)
	}
	if s.spans {
		s.describe(&r, c, floor*factor)
	}
	s.clock = s.clock.Add(time.Duration(r.Wall * float64(time.Second)))
	return r, nil
}

// describe invents phases and counters that fit the wall time of r.
func (s *simulation) describe(r *Run, c Cell, floor float64) {
	round := func(x float64) float64 { return math.Round(x*1e6) / 1e6 }
	heap := 8e6
	separate := c.Backend == pool.Processes
	r.Parent.CPUSeconds, r.Parent.PeakRSSBytes = Known(round(r.Wall*float64(c.Workers)*0.97)), Known(heap*2)
	r.Parent.GCCycles, r.Parent.GCPauseSeconds = Known(float64(20*c.Workers)), Known(round(r.Wall*0.01))
	r.Parent.MinorFaults, r.Parent.VoluntarySwitches = Known(900.0), Known(float64(40*c.Workers))
	r.Terms = Terms{ParentGOMAXPROCS: c.Workers, HeapBudget: "GOGC=100, one heap", Mask: "0-3", Binding: "none", Pool: "cold"}
	r.Missing = map[string]string{"migrations": "no scheduler statistics in this simulation"}
	if separate {
		r.Parent.CPUSeconds = Known(round(floor))
		r.Terms.WorkerGOMAXPROCS, r.Terms.HeapBudget = 1, fmt.Sprintf("GOGC=100, %d heaps", c.Workers)
	}
	if c.Backend == pool.Serial {
		r.Parent.Spans = []Span{{Phase: PhaseCompute, Start: 0, End: r.Wall}}
		return
	}
	reduce := math.Round(r.Wall*0.01*1e9) / 1e9
	r.Parent.Spans = []Span{{Phase: PhaseReduce, Start: r.Wall - reduce, End: r.Wall}}
	for i := range c.Workers {
		r.Workers = append(r.Workers, s.worker(i, separate, floor, r.Wall-reduce, c))
	}
}

// worker fills [0, end] with start-up, chunks and a tail of idleness.
func (s *simulation) worker(i int, separate bool, floor, end float64, c Cell) WorkerRun {
	w := WorkerRun{Index: i}
	at := 0.0
	add := func(p Phase, d float64) {
		if to := math.Min(math.Round((at+d)*1e9)/1e9, end); to > at {
			w.Spans = append(w.Spans, Span{Phase: p, Start: at, End: to})
			at = to
		}
	}
	if separate {
		w.PID, w.CPUs = 4000+s.runs*8+i, "0-3"
		w.CPUSeconds, w.PeakRSSBytes = Known(math.Round(end*0.95*1e6)/1e6), Known(9e6)
		w.GCCycles, w.GCPauseSeconds = Known(12.0), Known(math.Round(end*0.004*1e6)/1e6)
		w.MinorFaults, w.VoluntarySwitches = Known(700.0), Known(30.0)
		add(PhaseSpawn, floor*0.5)
		add(PhaseHello, floor*0.3)
	}
	const chunks = 6
	stop := end * (1 - 0.06*s.rng.Float64())
	each := (stop - at) / chunks
	for range chunks {
		if separate {
			add(PhaseDispatch, each*0.02)
		}
		start := at
		add(PhaseCompute, each*0.95)
		pause := (at - start) * 0.08
		if c.Ablation != GCOff && c.Task == "alloc" {
			if !separate {
				pause *= 2
			}
			middle := math.Round((start+at)/2*1e9) / 1e9
			w.Spans = append(w.Spans, Span{Phase: PhaseGC, Start: middle, End: math.Round((middle+pause)*1e9) / 1e9})
		}
		if separate {
			add(PhaseReply, each*0.03)
		}
	}
	add(PhaseIdle, end)
	return w
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
func (s *simulation) do(t *testing.T, x Experiment) Record {
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

func (r Results) verdict(task string) Comparison {
	for _, t := range r.Tasks {
		if t.Task == task {
			return t.Comparisons[len(t.Comparisons)-1]
		}
	}
	panic("no task " + task)
}
