package report

import (
	"bufio"
	"fmt"
	"io"
	"strings"

	"procpool/compare"
	"procpool/internal/units"
)

// Gobench writes every raw run as a line of the Go benchmark format, one
// iteration each, for benchstat and its kin:
//
//	benchstat -col /backend -row /task,/workers FILE
//
// Two measures are the wall time without starting, and starting. The name ends in -1,
// which the format takes for GOMAXPROCS; the number of workers is the key workers.
// The twins of a self-check are left out.
func Gobench(w io.Writer, rec compare.Record) error {
	b := bufio.NewWriter(w)
	for _, f := range rec.Environment {
		// A configuration line is "key: value"; keys start in lower case and have no blanks.
		key := units.Printable(strings.ReplaceAll(strings.ToLower(f.Name), " ", "-"))
		fmt.Fprintf(b, "%s: %s\n", key, units.Printable(strings.ReplaceAll(f.Value, "\n", " ")))
	}
	fmt.Fprintf(b, "pkg: procpool\n")
	for _, r := range rec.Runs {
		c := rec.Plan.Cells[r.Cell]
		if c.Twin {
			continue
		}
		fmt.Fprintf(b, "BenchmarkCompare/task=%s/backend=%s/workers=%d-1 1 %.0f ns/op %.0f starting-ns/op",
			benchName(c.Task), c.Backend, c.Workers, 1e9*r.Computing(), 1e9*r.Starting())
		if cpu, ok := r.CPUSeconds().Get(); ok {
			fmt.Fprintf(b, " %.0f cpu-ns/op", 1e9*cpu)
		}
		b.WriteByte('\n')
	}
	return b.Flush()
}

// benchName makes a task's name safe within a benchmark name, where blanks end
// the name and slashes and equals signs have a meaning.
func benchName(s string) string {
	return strings.NewReplacer(" ", "_", "\t", "_", "\n", "_", "/", "_", "=", "_").Replace(units.Printable(s))
}
