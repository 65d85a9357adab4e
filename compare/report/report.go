// Package report renders the record of an experiment for other programs than a
// terminal: as a page ([HTML]), and for benchstat ([Gobench]). [TraceRuns] shows a run of
// its own to Perfetto.
// The same record gives the same bytes, without a clock, the network or the machine it
// runs on. compare.Text is for the terminal, and compare.Write writes the record itself.
package report

import (
	"strconv"

	"procpool/compare"
	"procpool/internal/units"
)

// printable is for what goes to a file that people read.
func printable(s string) string { return units.Printable(s) }

// A lane is the parent or a worker of a run, under its name.
type lane struct {
	name string
	compare.WorkerRun
}

// lanes lists the parent and the workers of a run.
func lanes(r compare.Run) []lane {
	out := []lane{{"parent", r.Parent}}
	for _, w := range r.Workers {
		out = append(out, lane{"worker " + strconv.Itoa(w.Index), w})
	}
	return out
}
