package report

import (
	"bufio"
	"fmt"
	"io"
	"strings"

	"procpool/compare"
)

// Gobench writes every raw run as a line of the Go benchmark format, one
// iteration each, for benchstat and its kin:
//
//	benchstat -col /backend -row /task,/workers FILE
//
// The name ends in -1, which the format takes for GOMAXPROCS; the number of
// workers is the key workers. Ablations and the A/A control have keys as well,
// where they apply.
func Gobench(w io.Writer, rec compare.Record) error {
	b := bufio.NewWriter(w)
	for _, f := range rec.Environment {
		// A configuration line is "key: value"; keys start in lower case and have no blanks.
		key := printable(strings.ReplaceAll(strings.ToLower(f.Name), " ", "-"))
		fmt.Fprintf(b, "%s: %s\n", key, printable(strings.ReplaceAll(f.Value, "\n", " ")))
	}
	fmt.Fprintf(b, "pkg: procpool\n")
	for _, r := range rec.Runs {
		c := rec.Plan.Cells[r.Cell]
		fmt.Fprintf(b, "BenchmarkCompare/task=%s/backend=%s/workers=%d", benchName(c.Task), c.Backend, c.Workers)
		if c.Ablation != compare.Plain {
			fmt.Fprintf(b, "/ablation=%s", c.Ablation)
		}
		if c.Control {
			b.WriteString("/control=aa")
		}
		fmt.Fprintf(b, "-1 1 %.0f ns/op", 1e9*r.Wall)
		if cpu, ok := r.Parent.CPUSeconds.Get(); ok {
			fmt.Fprintf(b, " %.0f parent-cpu-ns/op", 1e9*cpu)
		}
		if cpu, ok := r.WorkersTotal().CPUSeconds.Get(); ok {
			fmt.Fprintf(b, " %.0f workers-cpu-ns/op", 1e9*cpu)
		}
		b.WriteByte('\n')
	}
	return b.Flush()
}

// benchName makes a task's name safe within a benchmark name, where blanks end
// the name and slashes and equals signs have a meaning.
func benchName(s string) string {
	return strings.NewReplacer(" ", "_", "\t", "_", "\n", "_", "/", "_", "=", "_").Replace(printable(s))
}
