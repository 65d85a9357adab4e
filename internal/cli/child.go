package cli

import "github.com/urfave/cli/v2"

// childCommand only explains itself: main has turned this process into a
// worker before the command line is read, if 'child' stands alone.
func childCommand() *cli.Command {
	return &cli.Command{
		Name:  "child",
		Usage: "be a worker: read msgpack requests on stdin, write results on stdout",
		Description: "A worker takes requests on standard input and writes results on standard output,\n" +
			"both as msgpack; package procpool/ipc documents the protocol. It takes no flags.\n\n" +
			"example: procpool child < requests > replies",
		Action: func(*cli.Context) error {
			return usageHint("child takes no arguments", "it reads msgpack requests on standard input; see 'procpool help child'")
		},
	}
}
