package compare

import (
	"bytes"
	"encoding/json"
	"reflect"
	"strings"
	"testing"
)

// written is a record as it lies in a file.
func written(t testing.TB, rec Record) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := Write(&b, rec); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestARecordSurvivesItsFile(t *testing.T) {
	rec := standard(t, Experiment{Why: true})
	first := written(t, rec)
	again, err := Read(bytes.NewReader(first))
	if err != nil {
		t.Fatal(err)
	}
	if second := written(t, again); !bytes.Equal(first, second) {
		t.Error("read and written again, the record is another one")
	}
}

// Nobody believes the results in a file.
func TestEditedVerdictsAreNotBelieved(t *testing.T) {
	rec := standard(t, Experiment{})
	edited := rec
	edited.Results.Rows = append([]RowResult{}, rec.Results.Rows...)
	for i := range edited.Results.Rows {
		edited.Results.Rows[i].Verdict, edited.Results.Rows[i].Why = Faster, "10 times as fast"
	}
	for _, results := range []any{edited.Results, nil, "none", map[string]any{"rows": 7}} {
		var raw map[string]any
		if err := json.Unmarshal(written(t, rec), &raw); err != nil {
			t.Fatal(err)
		}
		raw["results"] = results
		b, _ := json.Marshal(raw)
		got, err := Read(bytes.NewReader(b))
		if err != nil || !reflect.DeepEqual(got.Results.Rows, rec.Results.Rows) {
			t.Errorf("with the results %.40v: %v, %+v", results, err, got.Results.Rows)
		}
	}
}

func TestASavedRecordIsAskedAgain(t *testing.T) {
	rec := standard(t, Experiment{})
	if v := rec.Results.row("primes").Verdict; v != Same {
		t.Fatalf("primes: %s", v)
	}
	if err := rec.Judge(0, 0.001); err != nil || rec.Results.row("primes").Verdict == Same {
		t.Errorf("%v: primes are the same within a thousandth", err)
	}
	before := rec.Results.row("pi").Ratio
	if err := rec.Judge(0.999999, 0); err != nil || !(rec.Results.row("pi").Ratio.High > before.High) {
		t.Errorf("%v: more confidence makes %+v of %+v", err, rec.Results.row("pi").Ratio, before)
	}
	for _, bad := range [][2]float64{{0.2, 0}, {1, 0}, {0, 2}, {0, -1}} {
		if err := rec.Judge(bad[0], bad[1]); err == nil {
			t.Errorf("%v is accepted", bad)
		}
	}
}

// Each of these made a reader panic, run for ever, or take all memory.
func TestHostileRecords(t *testing.T) {
	rec := standard(t, Experiment{MaxPairs: 10})
	for what, edit := range map[string]func(*Record){
		"a round below 0":        func(r *Record) { r.Runs[5].Round = -1 },
		"a huge round":           func(r *Record) { r.Runs[5].Round = 200_000_000 },
		"the same round twice":   func(r *Record) { r.Runs[1] = r.Runs[0] },
		"no workers":             func(r *Record) { r.Plan.Cells[2].Workers = 0 },
		"too many workers":       func(r *Record) { r.Plan.Cells[2].Workers = 1 << 40 },
		"an unknown phase":       func(r *Record) { r.Runs[5].Parent.Phases = []PhaseTime{{"<script>", 1e-3}} },
		"a phase beyond the run": func(r *Record) { r.Runs[5].Parent.Phases = []PhaseTime{{PhaseCompute, 1e300}} },
		"no time":                func(r *Record) { r.Runs[5].Wall = 0 },
		"endless time":           func(r *Record) { r.Runs[5].Wall = 1e300 },
		"time below 0":           func(r *Record) { r.Runs[5].Start = -1 },
		"a cell that is not":     func(r *Record) { r.Runs[5].Cell = 99 },
		"a row that is not":      func(r *Record) { r.Runs[5].Row = -2 },
		"a row of one cell":      func(r *Record) { r.Plan.Rows[0].A = r.Plan.Rows[0].B },
		"a row of two tasks":     func(r *Record) { r.Plan.Rows[0].A = len(r.Plan.Cells) - 1 },
		"an unknown backend":     func(r *Record) { r.Plan.Cells[1].Backend = "fibers" },
		"a task without a name":  func(r *Record) { r.Plan.Tasks[0].Name = "" },
		"a cell of no task":      func(r *Record) { r.Plan.Cells[0].Task = "nil" },
		"confidence of 1":        func(r *Record) { r.Plan.Confidence = 1 },
		"no margin":              func(r *Record) { r.Plan.Margin = 0 },
		"memory below 0":         func(r *Record) { r.Runs[5].Parent.PeakRSSBytes = Known(-1.0) },
		"endless CPU time":       func(r *Record) { r.Runs[5].Parent.UserSeconds = Known(1e300) },
		"another version":        func(r *Record) { r.Version = 1 },
	} {
		var edited Record
		if err := json.Unmarshal(written(t, rec), &edited); err != nil {
			t.Fatal(err)
		}
		edit(&edited)
		if _, err := Read(bytes.NewReader(written(t, edited))); err == nil || !strings.Contains(err.Error(), "the record ") {
			t.Errorf("%s: %v", what, err)
		}
	}
}

func TestWhatIsNoRecord(t *testing.T) {
	for in, want := range map[string]string{
		"": "it is empty", "[]": "it is a JSON array", "{}": "it names no version", `{"version": 2,`: "it is cut off",
		`{"version": 2, "runs": "x"}`: "runs is a JSON string", `{"version": 2} {}`: "it goes on behind the record", `{"version": 2, "seconds": "NaN"}`: "seconds",
	} {
		if _, err := Read(strings.NewReader(in)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %s", in, err, want)
		}
	}
	// A record without runs is one of an experiment that came to nothing.
	rec, err := Read(strings.NewReader(`{"version": 2, "plan": {"seed": "1", "confidence": 0.95, "margin": 0.05}}`))
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if err := Text(&b, rec, TextOptions{Verbose: true}); err != nil || !strings.HasPrefix(b.String(), "nothing was measured\n") {
		t.Errorf("%v: %s", err, b.String())
	}
}

func TestChangesFromABaseline(t *testing.T) {
	make := func(factor float64) Record {
		s := newSimulation(5)
		s.noise = lognormal(0.03)
		s.truth = func(c Cell) float64 {
			if c.Task == "b" && c.Workers > 1 && c.Backend == "processes" {
				return factor
			}
			return 1
		}
		return s.do(t, Experiment{Tasks: tasks("a", "b")})
	}
	old, new := make(1), make(1.5)
	changes, err := Changes(old, new)
	if err != nil || len(changes) != 2 {
		t.Fatal(changes, err)
	}
	for _, c := range changes {
		if c.Changed != (c.Task == "b") {
			t.Errorf("%+v", c)
		}
	}
	var b bytes.Buffer
	ChangesText(&b, changes, TextOptions{})
	if out := b.String(); !strings.Contains(out, "  changed\n") || !strings.Contains(out, "no change shown") {
		t.Errorf("it says\n%s", out)
	}
	if _, err := Changes(newSimulation(1).do(t, Experiment{Tasks: tasks("c"), MaxPairs: 1}), new); err == nil {
		t.Error("records without a common row have changes")
	}
}

func TestExpectations(t *testing.T) {
	rec := standard(t, Experiment{})
	for claim, want := range map[string]Answer{
		"counter@2: processes/goroutines <= 0.5":  Met,
		"counter@2: goroutines/processes >= 2":    Met,
		"counter@2: processes/goroutines >= 0.5":  NotMet,
		"pi@2: processes/goroutines < 1.0":        NotMet,
		"primes@2: processes/goroutines <= 1.001": NotResolved,
		"pi@7: processes/goroutines < 2":          NotResolved,
	} {
		e, err := ParseExpectation(claim)
		if err != nil {
			t.Fatal(err)
		}
		c := CheckAll(rec, []Expectation{e})[0]
		if c.Answer != want || (c.Reason == "") != (want == Met) {
			t.Errorf("%s: %+v, want %s", claim, c, want)
		}
		if err := rec.Plan.CanAnswer(e); (err == nil) != (e.Workers == 2) {
			t.Errorf("%s: %v", claim, err)
		}
	}
	for _, bad := range []string{"pi: fast", "pi@2: processes/goroutines", "pi@2: processes/processes < 1", "pi@x: processes/goroutines < 1", "pi@2: processes/fibers < 1", "pi@2: processes/goroutines < -1", "<"} {
		if e, err := ParseExpectation(bad); err == nil {
			t.Errorf("%q is %+v", bad, e)
		}
	}
	x := Experiment{Workers: []int{2}}
	if e, _ := ParseExpectation("pi@2: processes/goroutines < 1"); x.CanAnswer(e) != nil {
		t.Error(x.CanAnswer(e))
	}
}
