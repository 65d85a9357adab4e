package cli

import (
	"bufio"
	"fmt"

	"github.com/urfave/cli/v2"

	"procpool/pool"
)

// An intervalsCommand is one call of intervals.
type intervalsCommand struct {
	*program
	workload
}

func (p *program) intervalsCommand() *cli.Command {
	i := &intervalsCommand{program: p}
	return &cli.Command{
		Name: "intervals", ArgsUsage: "INTERVALS",
		Usage:       "print how the input would be cut",
		Description: "Prints the intervals that run would hand out, as the tutorial does.",
		UsageText:   p.Name + " intervals --procs 4 100000000",
		Flags:       p.workloadFlags(&i.workload),
		Action:      i.intervals,
	}
}

func (i *intervalsCommand) intervals(c *cli.Context) error {
	if err := i.readWorkload(c, &i.workload); err != nil {
		return err
	}
	o := pool.Options{Procs: i.procs, ChunkSize: i.chunkSize}
	if o.Procs == 0 {
		limits, err := o.Limits()
		if err != nil {
			return err
		}
		o.Procs = limits.Procs
	}
	if i.rounded != "" {
		i.note("%s", i.rounded)
	}
	w := bufio.NewWriter(i.Stdout)
	w.WriteString("Intervals:  [")
	separator := ""
	for iv := range o.Grid(i.spec, i.whole).All() {
		if _, err := fmt.Fprintf(w, "%s[%d, %d]", separator, iv.Start, iv.End); err != nil {
			return writing("the intervals", err)
		}
		separator = ", "
	}
	w.WriteString("]\n")
	return writing("the intervals", w.Flush())
}
