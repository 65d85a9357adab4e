package compare

import (
	"math"
	"strings"
	"testing"

	"procpool/pool"
)

// near fails unless got is within the relative tolerance of want.
func near(t *testing.T, what string, got, want, tolerance float64) {
	t.Helper()
	if !(math.Abs(got-want) <= tolerance*math.Abs(want)) {
		t.Errorf("%s = %g, want %g within %g %%", what, got, want, 100*tolerance)
	}
}

func (r Record) result(t *testing.T, task string, b pool.Backend, workers int) CellResult {
	t.Helper()
	i := r.Plan.find(task, b, workers, Plain, false)
	for _, task := range r.Results.Tasks {
		for _, c := range task.Cells {
			if c.Cell == i {
				return c
			}
		}
	}
	t.Fatalf("no cell %s %s×%d", task, b, workers)
	return CellResult{}
}

// A task with a tenth of serial work must show up in all scaling figures.
func TestScalingFindsTheSerialFraction(t *testing.T) {
	const f = 0.1
	s := newSimulation(5)
	s.noise = lognormal(0.001)
	s.truth = func(c Cell) float64 { return f*float64(c.Workers) + 1 - f } // of 1/N
	rec := s.do(t, Experiment{Tasks: tasks("a"), Workers: []int{1, 2, 4, 8}})
	for _, n := range []float64{2, 4, 8} {
		c := rec.result(t, "a", pool.Processes, int(n))
		want := 1 / (f + (1-f)/n)
		vsSerial, _ := c.VsSerial.Get()
		vsSelf, _ := c.VsSelf.Get()
		near(t, "speed-up over serial", float64(vsSerial.Median), want, 0.01)
		near(t, "speed-up over one worker", float64(vsSelf.Median), want, 0.01)
		efficiency, _ := c.Efficiency.Get()
		near(t, "efficiency", efficiency, want/n, 0.01)
		e, _ := c.KarpFlatt.Get()
		near(t, "Karp-Flatt", e, f, 0.05)
	}
	fits := rec.Results.Tasks[0].Amdahl
	if len(fits) != 2 || fits[0].Backend != pool.Goroutines || fits[1].Points != 3 {
		t.Fatalf("fits %+v", fits)
	}
	near(t, "serial fraction", fits[1].Fraction, f, 0.03)
	if fits[1].Residual > 0.01 {
		t.Errorf("residual %g", fits[1].Residual)
	}
}

func TestBreakEvenFollowsFloorAndSlope(t *testing.T) {
	s := newSimulation(6)
	s.noise = lognormal(0.0005)
	s.floor = func(c Cell) float64 {
		if c.Backend == pool.Processes {
			return 0.010
		}
		return 0
	}
	rec := s.do(t, Experiment{Tasks: tasks("a"), Workers: []int{1, 2}})
	p, serial := rec.Plan.find("a", pool.Processes, 2, Plain, false), rec.Plan.find("a", pool.Serial, 1, Plain, false)
	p1, g := rec.Plan.find("a", pool.Processes, 1, Plain, false), rec.Plan.find("a", pool.Goroutines, 2, Plain, false)
	found := 0
	for _, b := range rec.Results.Tasks[0].BreakEven {
		indices, ok := b.Indices.Get()
		seconds, _ := b.SerialSeconds.Get()
		switch {
		case b.Cell == p && b.Against == serial: // 10 ms + n/2 = n at n = 20 ms
			near(t, "break-even of 2 processes", indices, 0.020/1e-8, 0.03)
			near(t, "the same in serial seconds", seconds, 0.020, 0.03)
			found++
		case b.Cell == p1 && b.Against == serial, b.Cell == p && b.Against == g:
			if ok || !strings.HasPrefix(b.Never, "unresolved") { // equal slopes: noise must not decide
				t.Errorf("%+v breaks even", b)
			}
			found++
		}
	}
	if found != 3 {
		t.Errorf("found %d of 3 break-even sizes in %+v", found, rec.Results.Tasks[0].BreakEven)
	}
}

func TestBreakEvenSaysNever(t *testing.T) {
	for want, start := range map[string]float64{"never: it starts later": 0.01, "never: ahead only while": -0.0001} {
		s := newSimulation(6)
		s.noise, s.truth = lognormal(0.0005), processesTake(1.5)
		s.floor = func(c Cell) float64 {
			if c.Backend == pool.Processes {
				return 0.001 + start
			}
			return 0.001
		}
		rec := s.do(t, Experiment{Tasks: tasks("a"), Workers: []int{2}})
		last := rec.Results.Tasks[0].BreakEven[len(rec.Results.Tasks[0].BreakEven)-1]
		if !strings.HasPrefix(last.Never, want) || !last.Indices.IsZero() {
			t.Errorf("%+v, want %q", last, want)
		}
	}
}

// gapTruth is a gap with a cause for each part, in multiples of the ideal time:
// goroutines lose 0.5 to GC, of which 0.3 is heap budget, and processes lose 0.1;
// 0.2 of the goroutines' time is the scheduler, 0.15 of the processes' time is not
// being bound.
func gapTruth(c Cell) float64 {
	switch c.Backend {
	case pool.Goroutines, pool.Threads:
		x := 1.7
		if c.Backend == pool.Threads {
			x -= 0.2
		}
		switch c.Ablation {
		case GCOff:
			x -= 0.5
		case EqualHeap:
			x -= 0.3
		}
		return x
	case pool.Processes:
		x := 1.25
		switch c.Ablation {
		case GCOff:
			x -= 0.1
		case Bound:
			x -= 0.15
		}
		return x
	}
	return 1
}

func TestWhyTakesTheGapApart(t *testing.T) {
	s := newSimulation(8)
	s.noise = lognormal(0.0005)
	s.truth = gapTruth
	s.floor = func(c Cell) float64 {
		if c.Backend != pool.Processes {
			return 0
		} else if c.Ablation == Warm {
			return 0.001
		}
		return 0.004
	}
	rec := s.do(t, Experiment{Tasks: tasks("a"), Workers: []int{1, 4}, Why: true, MinRounds: 20})
	why := rec.Results.Tasks[0].Why
	if len(why) != 1 || why[0].Workers != 4 {
		t.Fatalf("why %+v", why)
	}
	unit := rec.result(t, "a", pool.Serial, 1).Seconds.Median / 4 // the ideal time
	check := func(what string, e Estimate, want float64) {
		t.Helper()
		if math.Abs(float64(e.Median)-want) > 0.02*float64(unit) || !(float64(e.Low) <= want && want <= float64(e.High)) {
			t.Errorf("%s = %g [%g .. %g], want %g", what, e.Median, e.Low, e.High, want)
		}
	}
	u := float64(unit)
	check("gap", why[0].Gap, (1.25-1.7)*u+0.004)
	want := map[string]float64{"null": 0.004, "warm pool": 0.003, "GC": (0.1 - 0.5) * u, "heap budget": -0.3 * u,
		"unbound": 0.15 * u, "scheduler": -0.2 * u, "address space": (1.25-1.5)*u + 0.004}
	for _, p := range why[0].Parts {
		check(p.Name, p.Seconds, want[p.Name])
		delete(want, p.Name)
	}
	if len(want) > 0 {
		t.Errorf("no parts for %v", want)
	}
	check("unexplained", why[0].Unexplained, (1.25-1.7+0.4-0.15)*u)
}

func TestUsageAddsUpOrIsUnavailable(t *testing.T) {
	worker := func(v Maybe[float64]) WorkerRun { return WorkerRun{Resources: Resources{CPUSeconds: v}} }
	for _, c := range []struct {
		name    string
		parent  Maybe[float64]
		workers []Maybe[float64]
		want    Maybe[float64]
	}{
		{"processes", Known(1.0), []Maybe[float64]{Known(2.0), Known(4.0)}, Known(7.0)},
		{"goroutines", Known(3.0), []Maybe[float64]{{}, {}}, Known(3.0)},
		{"one worker is not counted", Known(1.0), []Maybe[float64]{Known(2.0), {}}, Maybe[float64]{}},
		{"the parent is not counted", Maybe[float64]{}, []Maybe[float64]{Known(2.0)}, Maybe[float64]{}},
		{"a true zero", Known(0.0), nil, Known(0.0)},
	} {
		r := Run{Parent: worker(c.parent)}
		for _, w := range c.workers {
			r.Workers = append(r.Workers, worker(w))
		}
		if got := r.total(0); got != c.want {
			t.Errorf("%s: %v, want %v", c.name, got, c.want)
		}
	}
}

func TestPhasesOfNestedSpans(t *testing.T) {
	w := WorkerRun{Spans: []Span{
		{Phase: PhaseGC, Start: 4, End: 5}, {Phase: PhaseCompute, Start: 2, End: 7}, {Phase: PhaseSpawn, Start: 0, End: 2},
		{Phase: PhaseIdle, Start: 7, End: 10}, {Phase: PhaseGC, Start: 5, End: 5.5},
	}}
	if err := w.sumPhases(10); err != nil {
		t.Fatal(err)
	}
	want := map[Phase]float64{PhaseSpawn: 2, PhaseCompute: 3.5, PhaseGC: 1.5, PhaseIdle: 3}
	if len(w.Phases) != len(want) {
		t.Errorf("phases %v", w.Phases)
	}
	for _, p := range w.Phases {
		if p.Seconds != want[p.Phase] {
			t.Errorf("%s: %g s, want %g", p.Phase, p.Seconds, want[p.Phase])
		}
	}
}

func TestWhereAddsUpToTheWallTime(t *testing.T) {
	s := newSimulation(9)
	s.spans, s.noise = true, lognormal(0.05)
	rec := s.do(t, Experiment{Tasks: tasks("alloc"), Workers: []int{1, 4}})
	mean := make([]float64, len(rec.Plan.Cells))
	for _, r := range rec.Runs {
		mean[r.Cell] += r.Wall / float64(len(rec.Order))
	}
	for _, task := range rec.Results.Tasks {
		for _, c := range task.Cells {
			sum := c.Unaccounted
			for _, w := range c.Where {
				sum += w.Seconds
			}
			near(t, rec.Plan.Cells[c.Cell].String()+" phases", sum, mean[c.Cell], 1e-6)
		}
	}
	kept := 0
	for _, r := range rec.Runs {
		if len(r.Parent.Spans) > 0 {
			kept++
		}
		if len(r.Parent.Phases) == 0 {
			t.Fatalf("run of %v lost its phases", rec.Plan.Cells[r.Cell])
		}
	}
	if want := 2 * len(rec.Plan.Cells); kept != want {
		t.Errorf("%d runs kept their spans, want the median and the worst of each cell: %d", kept, want)
	}
	if got, ok := rec.result(t, "alloc", pool.Processes, 4).Slowest.Get(); !ok || got.Busy < got.Median {
		t.Errorf("slowest worker %+v, known %v", got, ok)
	}
}

func TestUnfairTermsAreHeadlineWarnings(t *testing.T) {
	s := newSimulation(1)
	s.spans = true
	rec := s.do(t, Experiment{Tasks: tasks("a"), Workers: []int{1, 4}})
	if len(rec.Fairness) != 3 || rec.Fairness[2].WorkerGOMAXPROCS != 1 || rec.Fairness[1].ParentGOMAXPROCS != 4 {
		t.Errorf("contracts %+v", rec.Fairness)
	}
	if len(rec.Caveats) != 0 {
		t.Errorf("a fair experiment warns: %v", rec.Caveats)
	}
	for i, r := range rec.Runs {
		if c := rec.Plan.Cells[r.Cell]; c.Workers == 4 {
			rec.Runs[i].Terms.ParentGOMAXPROCS = 1 // leaked from the environment
			if c.Backend == pool.Processes {
				rec.Runs[i].Terms.WorkerGOMAXPROCS = 4
				rec.Runs[i].Terms.Mask = "0"
			}
		}
	}
	got := brokenTerms(rec)
	text := ""
	for _, w := range got {
		text += w.Text + "\n"
		if !w.Headline {
			t.Errorf("%q is no headline", w.Text)
		}
	}
	for _, want := range []string{"goroutines×4: GOMAXPROCS is 1, so at most 1 of 4", "processes×4: it may run on CPUs 0, others on 0-3",
		"processes×4: GOMAXPROCS of its workers adds up to 16 on 4 CPUs"} {
		if !strings.Contains(text, want) {
			t.Errorf("warnings\n%slack %q", text, want)
		}
	}
}

func TestQuietRoundsAreShownBesideAll(t *testing.T) {
	s := newSimulation(4)
	s.noise = lognormal(0.01)
	rec := s.do(t, Experiment{Tasks: tasks("a"), Workers: []int{2}, MinRounds: 20})
	for i, r := range rec.Runs {
		if r.Round < 5 && rec.Plan.Cells[r.Cell].Task == "a" {
			rec.Runs[i].Flags = []string{"steal"}
		}
	}
	task := Analyse(rec).Tasks[0]
	quiet, ok := task.Comparisons[0].Quiet.Get()
	if !ok || task.Flagged != 5 || quiet.N != task.Rounds-5 || task.Comparisons[0].Ratio.N != task.Rounds {
		t.Errorf("flagged %d, quiet %+v of %d", task.Flagged, quiet, task.Rounds)
	}
}
