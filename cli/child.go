package cli

// childCommand only explains itself: main has turned this process into a
// worker before the command line is read, if 'child' stands alone.
func childCommand() *command {
	return &command{
		name:    "child",
		summary: "be a worker: read msgpack requests on stdin, write results on stdout",
		description: "A worker takes requests on standard input and writes results on standard output, " +
			"both as msgpack; package procpool/ipc documents the protocol. It takes no flags.",
		example: "procpool child < requests > replies",
		do: func(*call, *env) error {
			return usageHint("child takes no arguments", "it reads msgpack requests on standard input; see 'procpool help child'")
		},
	}
}
