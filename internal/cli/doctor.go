package cli

import (
	"bytes"

	"github.com/urfave/cli/v2"

	"procpool/parent/placement"
)

func doctorCommand(e *env) *cli.Command {
	return &cli.Command{
		Name:        "doctor",
		Usage:       "say which CPUs, quotas and limits apply here",
		Description: "Shows what this process was given: CPUs, quotas, scheduler variables, topology and\nmemory, which of them decides the number of workers, and what looks wrong.\n\nexample: procpool doctor",
		Flags: []cli.Flag{
			text(groupWhere, "procs", "n", "auto", "number of workers to judge, `N`"),
			toggle(groupOutput, "json", "", "print one JSON object"),
		},
		Action: func(c *cli.Context) error { return doctor(c, e) },
	}
}

func doctor(c *cli.Context, e *env) error {
	if c.Args().Present() {
		return usage("doctor takes no arguments, but there is %q", c.Args().First())
	}
	procs, err := readProcs(c)
	if err != nil {
		return err
	}
	d := placement.System{}.Doctor(procs)
	d.NumericKernel = e.kernel()
	if c.Bool("json") {
		return printJSON(e.stdout, d)
	}
	var b bytes.Buffer
	if err := d.WriteText(&b); err != nil {
		return err
	}
	_, err = e.stdout.Write(b.Bytes())
	return writing("the report", err)
}
