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
	"slices"

	"procpool/compare"
	"procpool/pool"
)

// JSON writes the record on one line. Floats read back to the same bits.
func JSON(w io.Writer, rec compare.Record) error {
	return json.NewEncoder(w).Encode(rec)
}

// Read reads the record that JSON wrote, and checks that it is whole enough to be
// rendered: every index in it points at something.
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

// decode says in words of the file, not of Go's, why it holds no record.
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

// check reports what would make a report of rec point nowhere, or put words of
// its own where only known ones belong (they become class names of the page).
func check(rec compare.Record) error {
	damaged := errors.New("the record is damaged: it refers to cells, runs, backends or phases that there are not")
	cell := func(i int) bool { return i >= 0 && i < len(rec.Plan.Cells) }
	run := func(i int) bool { return i >= 0 && i < len(rec.Runs) }
	backend := func(b pool.Backend) bool {
		return b == pool.Serial || b == pool.Goroutines || b == pool.Threads || b == pool.Processes
	}
	ok := true
	for _, c := range rec.Plan.Cells {
		ok = ok && backend(c.Backend)
	}
	for _, r := range rec.Runs {
		ok = ok && cell(r.Cell) && phases(r.Parent)
		for _, w := range r.Workers {
			ok = ok && phases(w)
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
		return damaged
	}
	return nil
}

func phases(w compare.WorkerRun) bool {
	for _, s := range w.Spans {
		if !slices.Contains(compare.Phases(), s.Phase) {
			return false
		}
	}
	return knownPhases(w.Phases)
}

func knownPhases(times []compare.PhaseTime) bool {
	return !slices.ContainsFunc(times, func(t compare.PhaseTime) bool { return !slices.Contains(compare.Phases(), t.Phase) })
}
