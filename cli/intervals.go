package cli

import (
	"bufio"
	"fmt"

	"procpool/pool"
)

func intervalsCommand() *command {
	return &command{
		name:        "intervals",
		summary:     "print how the input would be cut",
		args:        "INTERVALS",
		description: "Prints the intervals that run would hand out, as the tutorial does.",
		example:     "procpool intervals --procs 4 100000000",
		flags:       jobFlags,
		do:          intervals,
	}
}

func intervals(c *call, e *env) error {
	j, err := readJob(c)
	if err != nil {
		return err
	}
	o := pool.Options{Procs: j.procs, ChunkSize: j.chunkSize}
	if o.Procs == 0 {
		limits, err := o.Limits()
		if err != nil {
			return err
		}
		o.Procs = limits.Procs
	}
	grid := o.Grid(j.spec, j.whole)
	if j.note != "" {
		fmt.Fprintln(e.stderr, "procpool:", j.note)
	}
	w := bufio.NewWriter(e.stdout)
	w.WriteString("Intervals:  [")
	separator := ""
	for iv := range grid.All() {
		if _, err := fmt.Fprintf(w, "%s[%d, %d]", separator, iv.Start, iv.End); err != nil {
			return writing("the intervals", err)
		}
		separator = ", "
	}
	w.WriteString("]\n")
	return writing("the intervals", w.Flush())
}
