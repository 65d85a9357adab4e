package report

import (
	"bytes"
	"encoding/csv"
	"io"
	"strconv"
	"strings"
	"testing"

	"procpool/compare"
	"procpool/internal/text"
)

// What comes from a record moves no cursor, changes no direction of text, and is no
// formula.
func TestNothingHiddenIsExported(t *testing.T) {
	const name = "=HYPERLINK(\"x\")\x1b[2J\u009b31m\u202eend\u2066"
	o := compare.Experiment{Tasks: []compare.Subject{{Name: name}, {Name: "-pi"}}, Workers: []int{1, 3}, MaxRounds: 9, Seed: 1, CPUs: 4,
		Environment: []compare.Fact{{Name: name, Value: name}}}
	rec, err := compare.Do(t.Context(), o, &plainRunner{}, nil)
	if err != nil {
		t.Fatal(err)
	}
	for format, render := range map[string]func(io.Writer, compare.Record) error{
		"text":     func(w io.Writer, rec compare.Record) error { return Text(w, rec, TextOptions{}) },
		"Markdown": Markdown, "CSV": CSV, "HTML": HTML, "Gobench": Gobench,
	} {
		var b bytes.Buffer
		if err := render(&b, rec); err != nil {
			t.Fatal(err)
		}
		out := b.String()
		if format == "HTML" { // the record itself is in it as JSON
			out, _, _ = strings.Cut(out, `<script type="application/json"`)
		}
		if at := strings.IndexFunc(out, func(r rune) bool { return text.Hidden(r) && r != '\n' }); at >= 0 {
			t.Errorf("%s has %q", format, out[max(at-20, 0):min(at+20, len(out))])
		}
		if format != "CSV" {
			continue
		}
		rows, err := csv.NewReader(&b).ReadAll()
		if err != nil {
			t.Fatal(err)
		}
		for _, row := range rows {
			for _, cell := range row {
				if _, err := strconv.ParseFloat(cell, 64); err != nil && cell != "" && strings.Contains("=+-@\t\r", cell[:1]) {
					t.Errorf("a cell is %q", cell)
				}
			}
		}
	}
}
