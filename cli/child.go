package cli

import "github.com/urfave/cli/v2"

// childCommand only prints help and errors. If 'child' stands alone, pool.Main has turned
// this process into a worker before the command line is read.
func (p *program) childCommand() *cli.Command {
	return &cli.Command{
		Name:  "child",
		Usage: "be a worker: read msgpack requests on stdin, write results on stdout",
		Description: "A worker takes requests on standard input and writes results on standard output, " +
			"both as msgpack; package procpool/ipc documents the protocol. It takes no flags.",
		UsageText: p.Name + " child < requests > replies",
		Action: func(c *cli.Context) error {
			if c.NArg() == 0 {
				return usageHint("this program cannot run as a worker", `call pool.Main("child") first in main`)
			}
			return usageHint("child takes no arguments", "it reads msgpack requests on standard input; see '"+p.Name+" help child'")
		},
	}
}
