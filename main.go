// Procpool is multiprocessing.Pool.map for Go: it computes a task over an
// interval in worker processes, which are this program again, and adds up
// their partial results.
package main

import (
	"os"

	"procpool/cli"
	"procpool/internal/tasks" // what can be computed, in a worker as well
	"procpool/pool"
)

func main() {
	pool.Main("child") // a worker goes no further than this line
	os.Exit(cli.Main(cli.Options{Name: "procpool", Tutorial: "pi", Kernel: tasks.Kernel}))
}
