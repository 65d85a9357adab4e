package report

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"math"
	"regexp"
	"strings"
	"testing"

	"procpool/compare"
	"procpool/pool"
)

// A plainRunner measures nothing but wall time, and that by a formula.
type plainRunner struct {
	factor map[pool.Backend]float64
	left   int // runs until it fails; 0: never
	runs   int
}

func (r *plainRunner) Run(_ context.Context, c compare.Cell) (compare.Run, error) {
	r.runs++
	if r.left > 0 && r.runs > r.left {
		return compare.Run{}, errors.New("the machine went away")
	}
	wall := 1e-8 * float64(c.Interval.Len()) / float64(c.Workers)
	if f := r.factor[c.Backend]; f != 0 {
		wall *= f
	}
	wobble := 1 + 0.01*math.Sin(float64(r.runs)*1.7)
	return compare.Run{Wall: 1e-6 + wall*wobble, Value: compare.Value{Text: "NaN", Bits: "7ff8000000000001"}, Parent: compare.WorkerRun{Index: -1}}, nil
}

// hostile is a name that breaks whatever does not escape it.
const hostile = "a</script><script>alert(1)</script>|\"'&`*\n%s=/ \x1b[31m,;"

// edges are records at the rim of what an experiment can be.
func edges(t *testing.T) map[string]compare.Record {
	t.Helper()
	record := func(o compare.Experiment, r *plainRunner) compare.Record {
		o.Seed, o.CPUs = 1, 4
		rec, err := compare.Do(t.Context(), o, r, nil)
		if (err != nil) != (r.left > 0) {
			t.Fatal(err)
		}
		return rec
	}
	one := func(name string) []compare.Subject { return []compare.Subject{{Name: name}} }
	o := func(b ...pool.Backend) compare.Experiment {
		return compare.Experiment{Tasks: one("pi"), Backends: b, Workers: []int{1, 3}, MaxRounds: 9}
	}
	named := o()
	named.Tasks, named.Environment = one(hostile), []compare.Fact{{Name: hostile, Value: hostile}}
	wide := o()
	wide.Workers = []int{1, 2, 3, 4, 64, 4096}
	return map[string]compare.Record{
		"nothing at all":     {Version: compare.RecordVersion},
		"failed at once":     record(o(), &plainRunner{left: 1}),
		"two rounds":         record(o(), &plainRunner{left: 40}),
		"serial only":        record(o(pool.Serial), &plainRunner{}),
		"one backend":        record(o(pool.Processes), &plainRunner{}),
		"hostile names":      record(named, &plainRunner{}),
		"far apart":          record(o(), &plainRunner{factor: map[pool.Backend]float64{pool.Processes: 1e-3}}),
		"many worker counts": record(wide, &plainRunner{}),
	}
}

func TestEdgesRenderInEveryFormat(t *testing.T) {
	for what, rec := range edges(t) {
		for name, write := range formats() {
			var b bytes.Buffer
			if err := write(&b, rec); err != nil {
				t.Errorf("%s, %s: %v", what, name, err)
			}
			for _, bad := range []string{"%!", "NaN\" y", "=\"NaN", "Infinity", "=\"+Inf", "0x1p"} {
				if bytes.Contains(b.Bytes(), []byte(bad)) {
					t.Errorf("%s, %s: contains %q", what, name, bad)
				}
			}
		}
	}
}

// coordinate finds numbers in drawings that are none.
var coordinate = regexp.MustCompile(`(?:x|y|x1|y1|x2|y2|cx|cy|width|height|d)="[^"]*(?:NaN|Inf)`)

func TestHTMLIsSafeAndSelfContained(t *testing.T) {
	records := edges(t)
	records["stored"] = stored(t)
	for what, rec := range records {
		var b bytes.Buffer
		if err := HTML(&b, rec); err != nil {
			t.Fatal(err)
		}
		page := b.String()
		if n := strings.Count(page, "<script"); n != 2 {
			t.Errorf("%s: %d script elements, want the record and the button", what, n)
		}
		if at := regexp.MustCompile(`(?i)\b(src|href|srcset|action)\s*=|@import|url\((?:[^#])|https?://`).FindString(strings.Replace(page, pageJS, "", 1)); at != "" {
			t.Errorf("%s: refers to something outside: %q", what, at)
		}
		if at := coordinate.FindString(strings.Replace(page, pageJS, "", 1)); at != "" {
			t.Errorf("%s: a coordinate is no number: %s", what, at)
		}
		_, after, _ := strings.Cut(page, `id="record">`)
		raw, _, _ := strings.Cut(after, "</script>")
		again, err := Read(strings.NewReader(raw))
		if err != nil {
			t.Errorf("%s: the embedded record: %v", what, err)
			continue
		}
		want, _ := json.Marshal(rec)
		if got, _ := json.Marshal(again); !bytes.Equal(got, want) {
			t.Errorf("%s: the embedded record is another one", what)
		}
		if svgs, titles := strings.Count(page, "<svg viewBox"), strings.Count(page, `role="img"`); svgs != titles || svgs != strings.Count(page, "<desc") || (rec.Status == pool.Done && svgs == 0) {
			t.Errorf("%s: %d figures, %d with role=img", what, svgs, titles)
		}
		if figures, tables := strings.Count(page, "<figure"), strings.Count(page, "<details><summary>Data</summary><div class=\"scroll\"><table>"); figures != tables {
			t.Errorf("%s: %d figures, %d with a table under them", what, figures, tables)
		}
	}
}

func TestHostileNamesStayText(t *testing.T) {
	rec := edges(t)["hostile names"]
	for name, bad := range map[string]string{"sample.html": "<script>alert", "sample.md": "<script>", "sample.txt": "\x1b", "sample.bench": "task=a</script><script>alert(1)</script>|\"'&`*\n"} {
		var b bytes.Buffer
		if err := formats()[name](&b, rec); err != nil {
			t.Fatal(err)
		}
		if strings.Contains(b.String(), bad) {
			t.Errorf("%s contains %q", name, bad)
		}
	}
}

func TestTextKeepsToTheWidth(t *testing.T) {
	for _, width := range []int{40, 60, 80, 120} {
		var b bytes.Buffer
		if err := Text(&b, stored(t), TextOptions{Width: width}); err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(b.String()) {
			if n := len([]rune(strings.TrimRight(line, "\n"))); n > width {
				t.Errorf("width %d: a line of %d: %s", width, n, line)
			}
		}
		if strings.Contains(b.String(), "\x1b") {
			t.Error("colour without being asked for")
		}
	}
}

func TestWantColor(t *testing.T) {
	env := func(kv ...string) func(string) string {
		return func(k string) string {
			for i := 0; i < len(kv); i += 2 {
				if kv[i] == k {
					return kv[i+1]
				}
			}
			return ""
		}
	}
	for _, c := range []struct {
		terminal bool
		env      func(string) string
		want     bool
	}{{true, env(), true}, {false, env(), false}, {true, env("NO_COLOR", "1"), false}, {true, env("TERM", "dumb"), false}, {true, env("TERM", "xterm"), true}} {
		if got := WantColor(c.terminal, c.env); got != c.want {
			t.Errorf("%+v: %v", c, got)
		}
	}
}

func TestJSONReadsBackToTheSameBytes(t *testing.T) {
	for what, rec := range edges(t) {
		var a, b bytes.Buffer
		if err := JSON(&a, rec); err != nil {
			t.Fatal(err)
		}
		again, err := Read(bytes.NewReader(a.Bytes()))
		if err != nil {
			t.Errorf("%s: %v", what, err)
			continue
		}
		if err := JSON(&b, again); err != nil || !bytes.Equal(a.Bytes(), b.Bytes()) {
			t.Errorf("%s: JSON changes on the way (%v)", what, err)
		}
	}
}

func TestReadRefusesWhatItCannotRender(t *testing.T) {
	var b bytes.Buffer
	if err := JSON(&b, stored(t)); err != nil {
		t.Fatal(err)
	}
	whole := b.String()
	for what, change := range map[string]func(string) string{
		"not a record":         func(string) string { return "hello" },
		"has version 99":       func(s string) string { return strings.Replace(s, `"version":1`, `"version":99`, 1) },
		"not a record of proc": func(s string) string { return s[:len(s)/2] },
		"is damaged":           func(s string) string { return strings.Replace(s, `"median_run":`, `"median_run":9`, 1) },
		"is damaged:": func(s string) string {
			return strings.Replace(s, `"task":"alloc","backend":"processes"`, `"task":"alloc","backend":"x y"`, 1)
		},
		"the record is damaged": func(s string) string {
			return strings.Replace(s, `"phase":"compute"`, `"phase":"\"><script>"`, 1)
		},
	} {
		if _, err := Read(strings.NewReader(change(whole))); err == nil || !strings.Contains(err.Error(), what) {
			t.Errorf("error %v, want %q", err, what)
		}
	}
}

func TestTraceIsStrictlyNested(t *testing.T) {
	var b bytes.Buffer
	if err := Trace(&b, stored(t)); err != nil {
		t.Fatal(err)
	}
	var trace struct {
		TraceEvents []struct {
			Ph, Name string
			Pid, Tid int
			Ts, Dur  json.Number
		}
	}
	if err := json.Unmarshal(b.Bytes(), &trace); err != nil {
		t.Fatal(err)
	}
	nanos := func(n json.Number) int64 {
		whole, frac, _ := strings.Cut(n.String(), ".")
		v, err := json.Number(whole + frac).Int64()
		if err != nil || len(frac) != 3 {
			t.Fatalf("%q is not microseconds to the nanosecond", n)
		}
		return v
	}
	open := map[[2]int][]int64{} // ends of the enclosing events
	events, named := 0, map[[2]int]bool{}
	for _, e := range trace.TraceEvents {
		thread := [2]int{e.Pid, e.Tid}
		if e.Ph == "M" {
			named[thread] = true
			continue
		}
		start := nanos(e.Ts)
		end := start + nanos(e.Dur)
		stack := open[thread]
		for len(stack) > 0 && stack[len(stack)-1] <= start {
			stack = stack[:len(stack)-1]
		}
		if len(stack) > 0 && end > stack[len(stack)-1] {
			t.Fatalf("%s in %v ends at %d, after the event around it (%d)", e.Name, thread, end, stack[len(stack)-1])
		}
		if e.Ph != "X" || !named[thread] {
			t.Fatalf("event %+v before the name of its thread", e)
		}
		open[thread] = append(stack, end)
		events++
	}
	if events < 1000 {
		t.Errorf("%d events: the sample has more spans", events)
	}
}

func TestWriteErrorsAreReported(t *testing.T) {
	rec := stored(t)
	for name, write := range formats() {
		if err := write(fullDisk{}, rec); !errors.Is(err, io.ErrShortWrite) {
			t.Errorf("%s: error %v for a full disk", name, err)
		}
	}
}

type fullDisk struct{}

func (fullDisk) Write([]byte) (int, error) { return 0, io.ErrShortWrite }
