// Package report renders the record of an experiment. It is pure: a record in,
// bytes out, the same bytes for the same record, without a clock, the network or
// the machine it runs on. Nothing is computed here that package compare has not
// already put into the record; a report only chooses words, tables and pictures.
//
// [Text] is for the terminal, [Markdown] for an issue or a README, [HTML] to be
// sent round, [CSV] and [JSON] for programs, [Gobench] for benchstat and [Trace]
// for Perfetto. JSON is the record itself, and [Read] reads it back.
package report

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"procpool/compare"
)

// JSON writes the record on one line. Floats read back to the same bits.
func JSON(w io.Writer, rec compare.Record) error {
	return json.NewEncoder(w).Encode(rec)
}

// Read reads the record that JSON wrote, and checks that it is whole enough to be
// rendered: every index in it points at something.
func Read(r io.Reader) (compare.Record, error) {
	var rec compare.Record
	d := json.NewDecoder(r)
	if err := d.Decode(&rec); err != nil {
		return rec, fmt.Errorf("not a record of procpool compare: %w", err)
	}
	if rec.Version != compare.Version {
		return rec, fmt.Errorf("the record has version %d, and this procpool reads version %d", rec.Version, compare.Version)
	}
	return rec, check(rec)
}

func check(rec compare.Record) error {
	cells, runs := len(rec.Plan.Cells), len(rec.Runs)
	broken := false
	cell := func(i int) { broken = broken || i < 0 || i >= cells }
	run := func(i int) { broken = broken || i < 0 || i >= runs }
	for _, r := range rec.Runs {
		cell(r.Cell)
	}
	for _, t := range rec.Results.Tasks {
		if c, ok := t.Control.Get(); ok {
			cell(c.A)
			cell(c.B)
		}
		for _, c := range t.Cells {
			cell(c.Cell)
			run(c.MedianRun)
			run(c.WorstRun)
		}
		for _, c := range t.Comparisons {
			cell(c.A)
			cell(c.B)
		}
		for _, b := range t.BreakEven {
			cell(b.Cell)
			cell(b.Against)
		}
	}
	if broken {
		return errors.New("the record is damaged: it refers to cells or runs that it does not have")
	}
	return nil
}
