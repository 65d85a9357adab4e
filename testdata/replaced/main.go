// Replaced is a program that a test replaces while it runs, by one that computes
// something else and has the same size.
package main

import (
	"context"
	"os"
	"time"

	"procpool/cli"
	"procpool/pool"
)

var _ = pool.DefineSum("weigh", func(_ context.Context, iv pool.Interval) (float64, error) {
	time.Sleep(20 * time.Millisecond)
	return weight * float64(iv.Len()), nil
}, func(a, b float64) float64 { return a + b })

func main() {
	pool.Main("child")
	os.Exit(cli.Main(cli.Options{Name: "replaced"}))
}
