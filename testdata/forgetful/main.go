// Forgetful uses a pool of processes and does not call child.Main: if workers
// were started, each would be this program again, with workers of its own.
package main

import (
	"context"
	"fmt"
	"os"

	"procpool/parent"
)

func main() {
	fmt.Println("started")
	pool, err := parent.NewPool(context.Background(), parent.Options{Procs: 2})
	if err != nil {
		fmt.Println(err)
		os.Exit(3)
	}
	pool.Close()
}
