// Command collatz finds the number with the longest Collatz sequence below a limit.
// It has a task of its own and the command line of procpool for it:
//
//	collatz run 10_000_000
//	collatz run --share 1/2 --journal 1.journal --chunk-size 65536 10_000_000
//	collatz merge 1.journal 2.journal
//	collatz compare --procs 1,2
//	collatz help
package main

import (
	"context"
	"fmt"
	"os"

	"procpool/cli"
	"procpool/pool"
)

// A sequence is known by its first number. Of the sequences of an interval, the
// task returns the longest.
type sequence struct{ First, Steps int64 }

func (s sequence) String() string { return fmt.Sprintf("%d, with %d steps", s.First, s.Steps) }

var _ = pool.DefineSum("longest", longest, longer, pool.Exact(),
	pool.About("the number with the longest Collatz sequence", "integer arithmetic that branches; chunks take unequal times"))

func longest(ctx context.Context, in pool.Interval) (best sequence, err error) {
	for n := max(in.Start, 1); n < in.End; n++ {
		if n%4096 == 0 && ctx.Err() != nil {
			return best, ctx.Err()
		}
		steps := int64(0)
		for at := n; at != 1; steps++ {
			if at%2 == 0 {
				at /= 2
			} else {
				at = 3*at + 1
			}
		}
		best = longer(best, sequence{n, steps})
	}
	return best, nil
}

// longer returns the longer of two sequences, and of two that are equally long the
// one with the smaller first number, so that the order of calls does not matter.
func longer(a, b sequence) sequence {
	if b.Steps > a.Steps || b.Steps == a.Steps && b.First < a.First {
		return b
	}
	return a
}

func main() {
	pool.Main("child")
	os.Exit(cli.Main(cli.Options{Name: "collatz", Summary: "find the number with the longest Collatz sequence", Version: "1.0"}))
}
