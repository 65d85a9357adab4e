// Package report renders the record of an experiment. The same record gives the
// same bytes, without a clock, the network or the machine it runs on. Package
// compare has already put all results into the record; a report only chooses words,
// tables and pictures.
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
	"slices"

	"procpool/compare"
)

// JSON writes the record on one line. Floats read back to the same bits.
func JSON(w io.Writer, rec compare.Record) error {
	return json.NewEncoder(w).Encode(rec)
}

// Read reads the record that JSON wrote, and checks that every index in it points
// at something, so that it can be rendered.
func Read(r io.Reader) (compare.Record, error) {
	rec, err := decode(r)
	switch {
	case err != nil:
		return rec, fmt.Errorf("not a record of procpool compare: %w", err)
	case rec.Version != compare.RecordVersion:
		return rec, fmt.Errorf("the record has version %d, and this procpool reads version %d", rec.Version, compare.RecordVersion)
	}
	return rec, check(rec)
}

// decode reads a record. Its errors describe the file, not Go's decoder.
func decode(r io.Reader) (rec compare.Record, err error) {
	dec := json.NewDecoder(r)
	err = dec.Decode(&rec)
	var other *json.UnmarshalTypeError
	switch {
	case errors.As(err, &other) && other.Field == "":
		err = fmt.Errorf("it is a JSON %s", other.Value)
	case errors.As(err, &other):
		err = fmt.Errorf("%s is a JSON %s", other.Field, other.Value)
	case err == io.EOF:
		err = errors.New("it is empty")
	case err == io.ErrUnexpectedEOF:
		err = errors.New("it is cut off")
	}
	if err != nil {
		return rec, err
	}
	if _, err := dec.Token(); err != io.EOF {
		return rec, errors.New("it goes on behind the record")
	}
	if rec.Version == 0 {
		return rec, errors.New("it names no version")
	}
	return rec, nil
}

// check returns an error if an index in rec points nowhere, or if a backend, phase
// or verdict is unknown: they become class names of the page.
func check(rec compare.Record) error {
	cell := func(i int) bool { return i >= 0 && i < len(rec.Plan.Cells) }
	run := func(i int) bool { return i >= 0 && i < len(rec.Runs) }
	ok := true
	for _, c := range rec.Plan.Cells {
		ok = ok && slices.Contains(compare.Backends(), c.Backend)
	}
	for _, r := range rec.Runs {
		ok = ok && cell(r.Cell)
		for _, w := range lanes(r) {
			ok = ok && knownPhases(w.Phases) && !slices.ContainsFunc(w.Spans, func(s compare.Span) bool { return !slices.Contains(compare.Phases(), s.Phase) })
		}
	}
	for _, t := range rec.Results.Tasks {
		if c, known := t.Control.Get(); known {
			ok = ok && cell(c.A) && cell(c.B)
		}
		for _, c := range t.Cells {
			ok = ok && cell(c.Cell) && run(c.MedianRun) && run(c.WorstRun) && knownPhases(c.Where)
		}
		for _, c := range t.Comparisons {
			ok = ok && cell(c.A) && cell(c.B) && slices.Contains(compare.Verdicts(), c.Verdict)
		}
		for _, b := range t.BreakEven {
			ok = ok && cell(b.Cell) && cell(b.Against)
		}
	}
	if !ok {
		return errors.New("the record is damaged: it refers to cells, runs, backends or phases that do not exist")
	}
	return nil
}

func knownPhases(times []compare.PhaseTime) bool {
	return !slices.ContainsFunc(times, func(t compare.PhaseTime) bool { return !slices.Contains(compare.Phases(), t.Phase) })
}
