// Forgetful uses a pool of processes and does not call pool.Main: if workers
// were started, each would be this program again, with workers of its own.
package main

import (
	"context"
	"fmt"
	"os"

	"procpool/pool"
)

func main() {
	fmt.Println("started")
	p, err := pool.New(context.Background(), pool.Options{Procs: 2})
	if err != nil {
		fmt.Println(err)
		os.Exit(3)
	}
	p.Close()
}
