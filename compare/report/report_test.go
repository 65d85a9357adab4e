package report

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"math"
	"math/rand/v2"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"procpool/compare"
	"procpool/internal/leak"
	"procpool/internal/text"
	"procpool/pool"
)

func TestMain(m *testing.M) { os.Exit(leak.Watch(m).Run()) }

// A plainRunner makes up runs, which take no time.
type plainRunner struct {
	rng    *rand.Rand
	factor func(compare.Cell) float64 // nil: 1
	bare   bool                       // knows nothing but wall times
}

func (p *plainRunner) Run(_ context.Context, c compare.Cell) (compare.Run, error) {
	ideal := 1e-8 * float64(c.Interval.Len()) / float64(c.Workers)
	if p.factor != nil {
		ideal *= p.factor(c)
	}
	wall := math.Round((ideal*(1+0.05*p.rng.Float64())+1e-6)*1e9) / 1e9
	r := compare.Run{Wall: wall, Value: compare.Value{Text: "1", Bits: "01"}, Parent: compare.WorkerRun{Index: -1}}
	if p.bare {
		return r, nil
	}
	used := compare.Resources{UserSeconds: compare.Known(wall), SystemSeconds: compare.Known(wall / 4)}
	used.PeakRSSBytes = compare.Known(8e6)
	r.Parent.Resources = used
	r.Terms = compare.Terms{ParentGOMAXPROCS: c.Workers, Binding: "none", Pool: "cold"}
	if c.Backend == pool.Serial {
		r.Parent.Spans = []compare.Span{{Phase: compare.PhaseCompute, End: wall}}
	}
	for i := range c.Workers {
		if c.Backend == pool.Serial {
			break
		}
		w := compare.WorkerRun{Index: i}
		at := 0.0
		for _, phase := range compare.Phases() {
			if phase == compare.PhaseGC || c.Backend != pool.Processes && at == 0 && phase != compare.PhaseDispatch {
				continue
			}
			to := math.Min(at+wall/8, wall)
			if phase == compare.PhaseCompute {
				to = math.Max(at, wall*0.7)
			}
			w.Spans = append(w.Spans, compare.Span{Phase: phase, Start: at, End: to})
			at = to
		}
		if c.Backend == pool.Processes {
			w.PID, w.Resources = 100+i, used
		}
		r.Workers = append(r.Workers, w)
	}
	return r, nil
}

// record runs an experiment on a plainRunner.
func record(t testing.TB, x compare.Experiment, p *plainRunner) compare.Record {
	t.Helper()
	p.rng = rand.New(rand.NewPCG(1, 1))
	x.Seed, x.CPUs = 1, 4
	if x.Environment == nil {
		x.Environment = []compare.Fact{{Name: "goos", Value: "plain"}, {Name: "CPU", Value: "none"}}
	}
	if x.MaxPairs == 0 {
		x.MaxPairs = 20
	}
	x.MaxTime = time.Hour
	rec, err := compare.Do(t.Context(), x, p, nil)
	if err != nil {
		t.Fatal(err)
	}
	return rec
}

func subjects(names ...string) (out []compare.Subject) {
	for _, name := range names {
		out = append(out, compare.Subject{Name: name})
	}
	return out
}

// counts are all worker counts up to n.
func counts(n int) (out []int) {
	for i := range n {
		out = append(out, i+1)
	}
	return out
}

// records are usual and unusual ones.
func records(t testing.TB) map[string]compare.Record {
	far := func(c compare.Cell) float64 {
		if c.Backend == pool.Processes {
			return map[string]float64{"a": 1e-5, "b": 1e5}[c.Task]
		}
		return 1
	}
	all := []pool.Backend{pool.Goroutines, pool.Threads, pool.Processes}
	return map[string]compare.Record{
		"usual":              record(t, compare.Experiment{Why: true}, &plainRunner{}),
		"far apart":          record(t, compare.Experiment{Tasks: subjects("a", "b")}, &plainRunner{factor: far}),
		"many worker counts": record(t, compare.Experiment{Tasks: subjects("a"), Workers: []int{1, 2, 3, 4, 8, 16, 64}, Backends: all}, &plainRunner{}),
		"very many rows":     record(t, compare.Experiment{Workers: counts(64), MaxPairs: 2, Why: true}, &plainRunner{}),
		"two rounds":         record(t, compare.Experiment{Tasks: subjects("a"), MaxPairs: 2}, &plainRunner{}),
		"wall times only":    record(t, compare.Experiment{Tasks: subjects("a")}, &plainRunner{bare: true}),
		"against serial":     record(t, compare.Experiment{Tasks: subjects("a"), Backends: all[2:]}, &plainRunner{}),
		"itself":             record(t, compare.Experiment{Tasks: subjects("a"), SelfCheck: true}, &plainRunner{}),
		"nothing":            {Version: compare.RecordVersion, Plan: compare.Plan{Confidence: 0.95, Margin: 0.05}},
	}
}

var formats = map[string]func(io.Writer, compare.Record) error{"HTML": HTML, "Gobench": Gobench}

func rendered(t testing.TB, format string, rec compare.Record) string {
	t.Helper()
	var b bytes.Buffer
	if err := formats[format](&b, rec); err != nil {
		t.Fatal(format, err)
	}
	return b.String()
}

// All formats can say all records, without a number that is none.
func TestAllRecords(t *testing.T) {
	none := regexp.MustCompile(`NaN|[Ii]nf\b|∞`)
	for what, rec := range records(t) {
		for format := range formats {
			out := rendered(t, format, rec)
			if at := none.FindString(out); at != "" {
				t.Errorf("%s of %s has %q", format, what, at)
			}
		}
	}
}

var ids = regexp.MustCompile(`\sid="([^"]*)"`)

// The page stands alone, is small, and has a document's parts once and in their places.
func TestThePage(t *testing.T) {
	for what, rec := range records(t) {
		page := rendered(t, "HTML", rec)
		if len(page) > 400<<10 {
			t.Errorf("%s: %d bytes", what, len(page))
		}
		if at := regexp.MustCompile(`(src|href)="[^#"]|<script|@import|url\([^#]`).FindString(page); at != "" {
			t.Errorf("%s: the page has %s", what, at)
		}
		head, _, _ := strings.Cut(page, "</head>")
		if strings.Contains(head, "<svg") {
			t.Errorf("%s: a drawing in the head", what)
		}
		seen := map[string]bool{}
		for _, id := range ids.FindAllStringSubmatch(page, -1) {
			if seen[id[1]] {
				t.Errorf("%s: two elements have the id %s", what, id[1])
			}
			seen[id[1]] = true
		}
		for _, link := range regexp.MustCompile(`href="#([^"]*)"`).FindAllStringSubmatch(page, -1) {
			if !seen[link[1]] {
				t.Errorf("%s: a link to %s leads nowhere", what, link[1])
			}
		}
		if n := strings.Count(page, `class="scroll"`); n != strings.Count(page, `class="scroll" tabindex="0" role="region" aria-label="`) {
			t.Errorf("%s: a box that no key can scroll", what)
		}
		if what == "usual" && (strings.Count(page, "<figure") != 4 || !strings.Contains(page, "<h1>Processes win on pi, primes, ")) {
			t.Errorf("%d figures, %s", strings.Count(page, "<figure"), page[:2000])
		}
	}
}

// What comes from a record moves no cursor, changes no direction of text, and is no tag.
func TestNothingHiddenIsExported(t *testing.T) {
	const name = "<b>\x1b[2J\u009b31m\u202eend\u2066\"'&"
	rec := record(t, compare.Experiment{Tasks: []compare.Subject{{Name: name}}, Environment: []compare.Fact{{Name: name, Value: name}}}, &plainRunner{})
	rec.Notes = []string{name}
	for format := range formats {
		out := rendered(t, format, rec)
		if at := strings.IndexFunc(out, func(r rune) bool { return text.Hidden(r) && r != '\n' }); at >= 0 {
			t.Errorf("%s has %q", format, out[max(at-20, 0):min(at+20, len(out))])
		}
		if format == "HTML" && strings.Contains(out, "<b>?") {
			t.Error("a tag from the record")
		}
	}
}

// benchstat compares backends: what is no backend's plain run is left out.
func TestGobenchHasPlainRuns(t *testing.T) {
	line := regexp.MustCompile(`^BenchmarkCompare/task=\w+/backend=(serial|goroutines|processes)/workers=\d+-1 1 \d+ ns/op \d+ starting-ns/op \d+ cpu-ns/op$`)
	rec := record(t, compare.Experiment{Tasks: subjects("a"), Why: true}, &plainRunner{})
	n := 0
	for l := range strings.Lines(rendered(t, "Gobench", rec)) {
		l = strings.TrimSuffix(l, "\n")
		if strings.HasPrefix(l, "Benchmark") && !strings.Contains(l, "backend=threads") {
			n++
			if !line.MatchString(l) {
				t.Errorf("a line is %s", l)
			}
		}
	}
	if n < 20 {
		t.Errorf("%d lines", n)
	}
	if out := rendered(t, "Gobench", record(t, compare.Experiment{Tasks: subjects("a"), SelfCheck: true}, &plainRunner{})); strings.Contains(out, "again") {
		t.Errorf("a twin is exported:\n%s", out)
	}
}

func TestTraceOfARun(t *testing.T) {
	r, err := (&plainRunner{rng: rand.New(rand.NewPCG(1, 1))}).Run(t.Context(), compare.Cell{Backend: pool.Processes, Workers: 2})
	if err == nil {
		err = r.SumPhases()
	}
	var b bytes.Buffer
	if err == nil {
		err = TraceRuns(&b, []TraceRun{{"one\x1b", r}, {"two", r}})
	}
	if err != nil || !json.Valid(b.Bytes()) {
		t.Fatal(err, b.String())
	}
	for want, n := range map[string]int{`"name":"spawn"`: 4, `"name":"compute"`: 4, `"ph":"M"`: 2 * (2 + 2*3), `"worker 1 (pid 101)"`: 2} {
		if got := strings.Count(b.String(), want); got != n {
			t.Errorf("%d times %s in the trace, want %d:\n%s", got, want, n, b.String())
		}
	}
}
