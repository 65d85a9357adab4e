package cli

import (
	"bufio"
	"fmt"

	"github.com/urfave/cli/v2"

	"procpool/parent"
	"procpool/parent/placement"
)

func intervalsCommand(e *env) *cli.Command {
	return &cli.Command{
		Name:        "intervals",
		Usage:       "print how the input would be cut",
		ArgsUsage:   "INTERVALS",
		Description: "Prints the intervals that run would hand out, as the tutorial does.\n\nexample: procpool intervals --procs 4 100000000",
		Flags:       jobFlags(),
		Action:      func(c *cli.Context) error { return intervals(c, e) },
	}
}

func intervals(c *cli.Context, e *env) error {
	j, err := readJob(c)
	if err != nil {
		return err
	}
	if j.procs == 0 {
		limits, err := placement.System{}.Limits()
		if err != nil {
			return badInput(err)
		}
		j.procs = limits.Procs
	}
	grid := parent.Options{Procs: j.procs, ChunkSize: j.chunkSize}.Grid(j.spec, j.whole)
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
