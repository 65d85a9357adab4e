// Command integrate computes the integral of sin(x)/x from 0 to 100 by
// Simpson's rule, in panels that worker processes share. Partial sums are added
// in order, so the digits do not depend on how many workers there are.
package main

import (
	"context"
	"fmt"
	"iter"
	"math"
	"os"

	"procpool/pool"
)

// A panel is a part of the range, computed with Steps intervals, an even number.
type panel struct {
	From, To float64
	Steps    int
}

func f(x float64) float64 {
	if x == 0 {
		return 1
	}
	return math.Sin(x) / x
}

var simpson = pool.Define("simpson", func(_ context.Context, p panel) (float64, error) {
	if p.Steps < 2 || p.Steps%2 != 0 {
		return 0, fmt.Errorf("the rule takes an even number of steps, not %d", p.Steps)
	}
	h := (p.To - p.From) / float64(p.Steps)
	sum := f(p.From) + f(p.To)
	for i := 1; i < p.Steps; i++ {
		sum += float64(2+2*(i%2)) * f(p.From+float64(i)*h)
	}
	return sum * h / 3, nil
})

func main() {
	pool.Main()
	value, err := integrate(context.Background(), pool.Options{}, panel{0, 100, 50_000_000}, 500)
	if err != nil {
		fmt.Fprintln(os.Stderr, "integrate:", err)
		os.Exit(1)
	}
	fmt.Printf("Si(100) = %.15f\n", value)
}

// integrate cuts whole into n panels of the same number of steps, which must
// come out even.
func integrate(ctx context.Context, o pool.Options, whole panel, n int) (float64, error) {
	p, err := pool.New(ctx, o)
	if err != nil {
		return 0, err
	}
	defer p.Close()
	return pool.Reduce(ctx, p, simpson, panels(whole, n), 0, func(sum, part float64) (float64, error) { return sum + part, nil })
}

func panels(whole panel, n int) iter.Seq[panel] {
	width := (whole.To - whole.From) / float64(n)
	return func(yield func(panel) bool) {
		for i := range n {
			from := whole.From + float64(i)*width
			if !yield(panel{from, from + width, whole.Steps / n}) {
				return
			}
		}
	}
}
