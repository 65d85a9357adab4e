package report

import (
	"bytes"
	"encoding/json"
	"flag"
	"io"
	"os"
	"path/filepath"
	"testing"

	"procpool/compare"
	"procpool/internal/leak"
)

func TestMain(m *testing.M) { os.Exit(leak.Watch(m).Run()) }

var update = flag.Bool("update", false, "rewrite the golden files")

// stored reads the sample record that compare's TestSample wrote.
func stored(t *testing.T) compare.Record {
	t.Helper()
	f, err := os.Open("testdata/sample.json")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	rec, err := Read(f)
	if err != nil {
		t.Fatal(err)
	}
	return rec
}

// formats are all formats by the name of their golden file.
func formats() map[string]func(io.Writer, compare.Record) error {
	return map[string]func(io.Writer, compare.Record) error{
		"sample.txt": func(w io.Writer, rec compare.Record) error { return Text(w, rec, TextOptions{Width: 100}) },
		"sample.narrow.txt": func(w io.Writer, rec compare.Record) error {
			return Text(w, rec, TextOptions{Width: 60, Color: true})
		},
		"sample.md":    Markdown,
		"sample.csv":   CSV,
		"sample.bench": Gobench,
		"sample.trace": Trace,
		"sample.html":  HTML,
	}
}

func TestGoldens(t *testing.T) {
	rec := stored(t)
	for name, write := range formats() {
		var got bytes.Buffer
		if err := write(&got, rec); err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		page := got.Bytes()
		if name == "sample.html" { // the embedded record is sample.json, and has a test of its own
			raw, err := json.Marshal(rec)
			if err != nil || !bytes.Contains(page, raw) {
				t.Fatalf("the page does not hold the record: %v", err)
			}
			page = bytes.Replace(page, raw, []byte("SAMPLE.JSON"), 1)
		}
		golden(t, name, page)
	}
}

func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		a, b := bytes.Split(got, []byte("\n")), bytes.Split(want, []byte("\n"))
		for i := range min(len(a), len(b)) {
			if !bytes.Equal(a[i], b[i]) {
				t.Errorf("%s: line %d is\n%.300s\nwant\n%.300s", name, i+1, a[i], b[i])
				return
			}
		}
		t.Errorf("%s has %d lines, want %d", name, len(a), len(b))
	}
}

// A worker has a number, which is no measure to be rounded.
func TestHintsNameTheSlowestWorker(t *testing.T) {
	rec := stored(t)
	task := &rec.Results.Tasks[0]
	task.Cells[0].Slowest = compare.Known(compare.Slowest{Worker: 3, Busy: 2, Median: 1})
	want := rec.Plan.Cells[task.Cells[0].Cell].Label() + ": worker 3 is busy for 2.00 s, the median worker for 1.00 s"
	for name, write := range map[string]func(io.Writer, compare.Record) error{
		"text": func(w io.Writer, rec compare.Record) error { return Text(w, rec, TextOptions{Width: 200}) },
		"HTML": HTML,
	} {
		var b bytes.Buffer
		if err := write(&b, rec); err != nil {
			t.Fatal(err)
		}
		if !bytes.Contains(b.Bytes(), []byte(want)) {
			t.Errorf("%s does not say %q", name, want)
		}
	}
}
