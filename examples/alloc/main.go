// Command alloc makes garbage on goroutines and in worker processes, with the
// same number of each, and prints how long both took. README.md has what came
// out, and why.
//
//	alloc [-procs N] [-trees N] [-rounds N]
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"runtime/debug"
	"slices"
	"time"

	"procpool/child"
	"procpool/ipc"
	"procpool/parent"
	"procpool/task"
)

type node struct{ left, right *node }

func grow(depth int) *node {
	if depth == 0 {
		return &node{}
	}
	return &node{grow(depth - 1), grow(depth - 1)}
}

func (n *node) count() int64 {
	if n.left == nil {
		return 1
	}
	return 1 + n.left.count() + n.right.count()
}

const depth = 10 // of each tree: 2047 nodes, 32 KiB

// trees builds one tree an index and counts its nodes.
var trees = task.DefineSum("trees", func(_ context.Context, iv ipc.Interval) (int64, error) {
	var nodes int64
	for range iv.Len() {
		nodes += grow(depth).count()
	}
	return nodes, nil
}, func(a, b int64) int64 { return a + b }, task.Exact())

func main() {
	child.Main()
	procs := flag.Int("procs", 0, "workers; 0 = as many as CPUs may be used")
	n := flag.Int64("trees", 4_000, "trees in all")
	rounds := flag.Int("rounds", 15, "measurements of each")
	flag.Parse()
	if err := run(context.Background(), os.Stdout, *procs, *n, *rounds); err != nil {
		fmt.Fprintln(os.Stderr, "alloc:", err)
		os.Exit(1)
	}
}

// A contender is a way to do the job.
type contender struct {
	name string
	o    parent.Options
	gogc int // of this process meanwhile
	took []time.Duration
}

// run measures the contenders in turn, round by round, so that a busy machine
// is as unfair to each of them.
func run(ctx context.Context, w io.Writer, procs int, n int64, rounds int) error {
	contenders := []*contender{
		{name: "serial", o: parent.Options{Procs: 1, Backend: parent.Serial}, gogc: 100},
		{name: "goroutines", o: parent.Options{Procs: procs, Backend: parent.Goroutines}, gogc: 100},
		{name: "goroutines, GOGC=1000", o: parent.Options{Procs: procs, Backend: parent.Goroutines}, gogc: 1000},
		{name: "processes", o: parent.Options{Procs: procs}, gogc: 100},
	}
	for range rounds {
		for _, c := range contenders {
			if err := c.measure(ctx, n); err != nil {
				return err
			}
		}
	}
	base := median(contenders[1].took)
	for _, c := range contenders {
		fmt.Fprintf(w, "%-22s median %6.1f ms, from %6.1f to %6.1f; %.2f times as fast as goroutines\n",
			c.name, ms(median(c.took)), ms(slices.Min(c.took)), ms(slices.Max(c.took)), float64(base)/float64(median(c.took)))
	}
	return nil
}

// measure times one sum on a pool that is up, as it is in a program that goes on.
func (c *contender) measure(ctx context.Context, n int64) error {
	defer debug.SetGCPercent(debug.SetGCPercent(c.gogc))
	pool, err := parent.NewPool(ctx, c.o)
	if err != nil {
		return err
	}
	defer pool.Close()
	if _, err := parent.Sum(ctx, pool, trees, ipc.Interval{End: int64(pool.Procs())}); err != nil {
		return err
	}
	begin := time.Now()
	nodes, err := parent.Sum(ctx, pool, trees, ipc.Interval{End: n})
	if err != nil {
		return err
	}
	c.took = append(c.took, time.Since(begin))
	if want := n * (1<<(depth+1) - 1); nodes != want {
		return fmt.Errorf("%s counted %d nodes, not %d", c.name, nodes, want)
	}
	return nil
}

func median(d []time.Duration) time.Duration {
	d = slices.Sorted(slices.Values(d))
	return d[len(d)/2]
}

func ms(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
