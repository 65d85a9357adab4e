package rank

import (
	"encoding/json"
	"flag"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"reflect"
	"testing"
)

// Whole trials whose truth is known, again and again: how often a verdict is wrong must
// be what they promise, whatever the noise.

var trials = flag.Int("trials", 80, "simulated trials of each kind; .ci/full has more of them")

const margin = 0.05

// A subject is a row whose truth is known.
type subject struct {
	truth float64 // log-ratio
	cost  float64 // seconds a pair
	noise func(rng *rand.Rand, pair int) float64
}

// conduct runs a trial of these subjects within a budget in seconds, as the experiment
// does: a pair of each open row in each round. noise is the difference between the
// second and the first run of a pair; a coin decides which of them is whose.
func conduct(rng *rand.Rand, subjects []subject, budget float64, coin bool) (*Trial, float64) {
	t := NewTrial(len(subjects), 0.05, margin)
	samples := make([][]float64, len(subjects))
	spent := 0.0
	for pair := 0; pair < MaxPairs && t.Open() > 0; pair++ {
		cost := 0.0
		for i, s := range subjects {
			if t.Rows[i].Verdict == Open {
				cost += s.cost
			}
		}
		if spent += cost; spent > budget {
			break
		}
		for i, s := range subjects {
			if t.Rows[i].Verdict != Open {
				continue
			}
			d := s.noise(rng, pair)
			if coin && rng.IntN(2) == 0 {
				d = -d
			}
			samples[i] = append(samples[i], s.truth+d)
		}
		if IsLook(pair + 1) {
			t.Look(samples, pair+1)
		}
	}
	t.Last(samples)
	if again := Replay(samples, 0.05, margin); !reflect.DeepEqual(again.Rows, t.Rows) {
		panic(fmt.Sprintf("replayed, the trial ends with\n%+v, and not with\n%+v", again.Rows, t.Rows))
	}
	return t, spent
}

// wrong reports whether a verdict contradicts the truth.
func wrong(v Verdict, truth float64) bool {
	switch v {
	case Less:
		return truth >= 0
	case More:
		return truth <= 0
	case Equal:
		return math.Abs(truth) >= math.Log1p(margin)
	}
	return false
}

func gaussian(sd float64) func(*rand.Rand, int) float64 {
	return func(rng *rand.Rand, _ int) float64 { return sd * rng.NormFloat64() }
}

// skewed noise has a long tail on one side; heavy has outliers on both.
func skewed(rng *rand.Rand, _ int) float64 { return 0.06 * (math.Exp(rng.NormFloat64()) - 1.65) }
func heavy(rng *rand.Rand, _ int) float64  { return 0.04 * math.Tan(math.Pi*(rng.Float64()-0.5)) }

// drifting noise has a second run that is slower at first and faster later.
func drifting(rng *rand.Rand, pair int) float64 {
	return 0.08*math.Cos(float64(pair)/15) + 0.05*rng.NormFloat64()
}

// correlated returns noise of which a share of each pair stays in the next.
func correlated(rho, sd float64) func(*rand.Rand, int) float64 {
	last := 0.0
	return func(rng *rand.Rand, pair int) float64 {
		if pair == 0 {
			last = 0
		}
		last = rho*last + sd*rng.NormFloat64()
		return last
	}
}

func TestNoMoreFalseVerdictsThanPromised(t *testing.T) {
	identical, atMargin := []float64{0}, []float64{math.Log1p(margin), -math.Log1p(margin)}
	for _, c := range []struct {
		name   string
		truths []float64
		noise  func() func(*rand.Rand, int) float64
		fixed  bool // no coin
	}{
		{name: "identical", truths: identical, noise: func() func(*rand.Rand, int) float64 { return gaussian(0.1) }},
		{name: "identical and quiet", truths: identical, noise: func() func(*rand.Rand, int) float64 { return gaussian(0.03) }},
		{name: "at the margin", truths: atMargin, noise: func() func(*rand.Rand, int) float64 { return gaussian(0.08) }},
		{name: "half and half", truths: []float64{0, math.Log1p(margin)}, noise: func() func(*rand.Rand, int) float64 { return gaussian(0.08) }},
		{name: "drift", truths: identical, noise: func() func(*rand.Rand, int) float64 { return drifting }},
		{name: "correlated", truths: identical, noise: func() func(*rand.Rand, int) float64 { return correlated(0.6, 0.08) }},
		{name: "skewed", truths: identical, noise: func() func(*rand.Rand, int) float64 { return skewed }},
		{name: "heavy tails", truths: identical, noise: func() func(*rand.Rand, int) float64 { return heavy }},
		{name: "correlated, without a coin", truths: identical, noise: func() func(*rand.Rand, int) float64 { return correlated(0.6, 0.08) }, fixed: true},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			bad, decided := 0, 0
			for seed := range uint64(*trials) {
				subjects := make([]subject, 6)
				for i := range subjects {
					subjects[i] = subject{c.truths[i%len(c.truths)], 0.08, c.noise()}
				}
				trial, _ := conduct(rand.New(rand.NewPCG(seed, 2)), subjects, 60, !c.fixed)
				any := false
				for i, r := range trial.Rows {
					any = any || wrong(r.Verdict, subjects[i].truth)
				}
				if any {
					bad++
				}
				decided += 6 - trial.Open()
			}
			n := float64(*trials)
			rate, limit := float64(bad)/n, 0.05+3*math.Sqrt(0.05*0.95/n)
			t.Logf("%.4f of %d trials have a wrong verdict; %.2f of 6 rows are decided", rate, *trials, float64(decided)/n)
			if c.fixed { // this shows that the test can fail, and what the coin is for
				if rate <= limit {
					t.Errorf("without a coin, correlated noise is wrong in %.3f of trials only", rate)
				}
			} else if rate > limit {
				t.Errorf("%.4f of trials have a wrong verdict, want at most %.4f", rate, limit)
			}
		})
	}
}

// measured returns rows with the noise of a real machine: testdata/noise.json has the
// wall times of 16 rounds on a virtual machine. Runs of a quarter of their length, as the
// experiment has them, scatter 1.2 times as much.
func measured(t *testing.T, workers ...int) (rows []subject) {
	t.Helper()
	var file struct {
		Cells []struct {
			Task, Backend string
			Workers       int
			Control       bool
			Wall          []float64 `json:"wall_seconds"`
		}
	}
	b, err := os.ReadFile("testdata/noise.json")
	if err == nil {
		err = json.Unmarshal(b, &file)
	}
	if err != nil {
		t.Fatal(err)
	}
	walls := func(task, backend string, workers int) []float64 {
		for _, c := range file.Cells {
			if c.Task == task && c.Backend == backend && c.Workers == workers && !c.Control {
				return c.Wall
			}
		}
		t.Fatalf("no %s %s×%d", task, backend, workers)
		return nil
	}
	for _, n := range workers {
		for _, task := range []string{"pi", "primes", "alloc", "table", "pagefault", "counter"} {
			p, g := walls(task, "processes", n), walls(task, "goroutines", n)
			starting := Median(walls("null", "processes", n))
			logs, cost := make([]float64, len(p)), 0.0
			for i := range p {
				logs[i] = math.Log((p[i] - starting) / g[i])
				cost += (p[i]+g[i])/4/float64(len(p)) + 0.008/float64(len(p)) // and two parents to start
			}
			truth := Median(logs)
			rows = append(rows, subject{truth, cost, func(rng *rand.Rand, _ int) float64 {
				return 1.2 * (logs[rng.IntN(len(logs))] - truth)
			}})
		}
	}
	return rows
}

func TestEnoughIsDecided(t *testing.T) {
	for _, c := range []struct {
		name    string
		workers []int
		budget  float64
		want    float64
	}{{"the headline", []int{2}, 30, 5}, {"two worker counts", []int{1, 2}, 60, 8}} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			rows := measured(t, c.workers...)
			decided, all, took := 0, 0, 0.0
			for seed := range uint64(*trials) {
				trial, spent := conduct(rand.New(rand.NewPCG(seed, 3)), rows, c.budget, true)
				decided += len(rows) - trial.Open()
				took += spent
				if trial.Open() == 0 {
					all++
				}
			}
			n := float64(*trials)
			t.Logf("%.2f of %d rows are decided after %.1f s; all of them in %.0f %% of trials", float64(decided)/n, len(rows), took/n, 100*float64(all)/n)
			if float64(decided)/n < c.want {
				t.Errorf("%.2f rows are decided, want %g", float64(decided)/n, c.want)
			}
		})
	}
}
