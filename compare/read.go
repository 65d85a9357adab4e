package compare

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
	"time"

	"procpool/compare/rank"
	"procpool/ipc"
	"procpool/pool"
)

// Limits of a record. They keep the work of computing and drawing results in proportion to
// the size of its file.
const (
	maxSeconds = 1e9  // of a run, or of any time in it
	maxCells   = 4096 // and rows
	maxFigure  = 1e18 // of any counter
)

// Write writes the record as JSON on one line. Floats read back to the same bits.
func Write(w io.Writer, rec Record) error { return json.NewEncoder(w).Encode(rec) }

// Read reads a record that Write wrote, checks it, and computes its results anew from
// its raw runs: those in the file are not believed.
func Read(r io.Reader) (Record, error) {
	rec, err := decode(r)
	if err != nil {
		return Record{}, fmt.Errorf("not a record of procpool compare: %w", err)
	}
	if rec.Version != RecordVersion {
		return Record{}, fmt.Errorf("the record has version %d, and this procpool reads version %d", rec.Version, RecordVersion)
	}
	if err := rec.check(); err != nil {
		return Record{}, fmt.Errorf("the record is damaged: %w", err)
	}
	rec.Results = Analyse(rec)
	return rec, nil
}

// Judge computes the results again by another rule. Zero keeps the record's own.
func (rec *Record) Judge(confidence, margin float64) error {
	if confidence != 0 {
		rec.Plan.Confidence = confidence
	}
	if margin != 0 {
		rec.Plan.Margin = margin
	}
	if err := checkRule(rec.Plan.Confidence, rec.Plan.Margin); err != nil {
		return err
	}
	rec.Results = Analyse(*rec)
	return nil
}

// decode reads a record. Its errors describe the file, not Go's decoder.
func decode(r io.Reader) (rec Record, err error) {
	dec := json.NewDecoder(r)
	var raw struct {
		Record
		Results json.RawMessage `json:"results"` // computed anew, whatever they are
	}
	err = dec.Decode(&raw)
	rec = raw.Record
	var other *json.UnmarshalTypeError
	switch {
	case errors.As(err, &other) && other.Field == "":
		err = fmt.Errorf("it is a JSON %s", other.Value)
	case errors.As(err, &other):
		err = fmt.Errorf("%s is a JSON %s", strings.TrimPrefix(other.Field, "Record."), other.Value)
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

// check returns an error if a number in rec is out of its bounds, or refers to nothing.
func (rec *Record) check() error {
	p := &rec.Plan
	if err := checkRule(p.Confidence, p.Margin); err != nil {
		return err
	}
	if !isTime(p.Target) || !isTime(p.MaxSeconds) || !isTime(rec.Seconds) {
		return errors.New("a time of the plan is out of bounds")
	}
	if rec.Created.Year() < 1970 || rec.Created.Year() > 9999 {
		rec.Created = time.Unix(0, 0).UTC()
	}
	if len(p.Tasks) > maxCells || len(p.Cells) > maxCells || len(p.Rows) > maxCells || len(rec.Runs) > 4*maxCells*rank.MaxPairs {
		return fmt.Errorf("it has more than %d tasks, cells or rows", maxCells)
	}
	names := map[string]bool{}
	for _, t := range p.Tasks {
		if names[t.Name] || t.Name == "" || !isTime(t.SerialSeconds) || t.Size < 0 || t.Start < 0 {
			return fmt.Errorf("task %q: it is there twice, or has no sensible size", t.Name)
		}
		names[t.Name] = true
	}
	for i, c := range p.Cells {
		if !names[c.Task] || rankOf(c.Backend) < 0 || c.Workers < 1 || c.Workers > pool.MaxProcs || c.Interval.Validate() != nil || c.ChunkSize < 0 || c.ChunkSize > ipc.MaxIndex {
			return fmt.Errorf("cell %d (%s, %s, %d workers) cannot be", i, c.Task, c.Backend, c.Workers)
		}
	}
	for i, r := range p.Rows {
		cell := func(k int) bool { return k >= 0 && k < len(p.Cells) }
		if !cell(r.A) || !cell(r.B) || r.A == r.B || p.Cells[r.A].Task != p.Cells[r.B].Task {
			return fmt.Errorf("row %d does not compare two cells of a task", i)
		}
	}
	return rec.checkRuns()
}

func (rec *Record) checkRuns() error {
	type key struct{ row, round, cell int }
	seen := map[key]bool{}
	for i := range rec.Runs {
		r := &rec.Runs[i]
		k := key{r.Row, r.Round, r.Cell}
		switch {
		case r.Cell < 0 || r.Cell >= len(rec.Plan.Cells):
			return fmt.Errorf("run %d is of cell %d, which does not exist", i, r.Cell)
		case r.Row < -1 || r.Row >= len(rec.Plan.Rows):
			return fmt.Errorf("run %d is of row %d, which does not exist", i, r.Row)
		case r.Row >= 0 && r.Cell != rec.Plan.Rows[r.Row].A && r.Cell != rec.Plan.Rows[r.Row].B:
			return fmt.Errorf("run %d is of a cell that is not in its row", i)
		case r.Round < 0 || r.Round >= rank.MaxPairs || seen[k]:
			return fmt.Errorf("run %d is of round %d, which cannot be, or was before", i, r.Round)
		case !(r.Wall > 0 && r.Wall < maxSeconds) || !isTime(r.Start):
			return fmt.Errorf("run %d takes %g s", i, r.Wall)
		case len(r.Workers) > pool.MaxProcs:
			return fmt.Errorf("run %d has %d workers", i, len(r.Workers))
		}
		seen[k] = true
		for _, w := range append([]WorkerRun{r.Parent}, r.Workers...) {
			if err := w.check(r.Wall); err != nil {
				return fmt.Errorf("run %d: %w", i, err)
			}
		}
		if !(r.Computing() > 0) {
			return fmt.Errorf("run %d takes no time besides starting", i)
		}
	}
	return nil
}

func (w WorkerRun) check(wall float64) error {
	for _, t := range w.Phases {
		if !slices.Contains(Phases(), t.Phase) || !(t.Seconds >= 0 && t.Seconds <= wall*(1+1e-6)+1e-6) {
			return fmt.Errorf("phase %q of %g s", t.Phase, t.Seconds)
		}
	}
	for _, m := range w.Resources.all() {
		if v, ok := m.Get(); ok && !(v >= 0 && v < maxFigure) {
			return fmt.Errorf("a worker used %g of something", v)
		}
	}
	return nil
}

func isTime(x float64) bool { return !math.IsNaN(x) && x >= 0 && x < maxSeconds }
