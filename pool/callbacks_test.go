package pool

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"testing"
)

// leave ends user code: it returns an error, panics, or ends its goroutine.
func leave(how string) error {
	switch how {
	case "panic":
		panic("user code panics")
	case "Goexit":
		runtime.Goexit()
	}
	return errors.New("user code fails")
}

// callbacks are the places where code of the pool's user runs on the caller's side, in
// a call on p that is under way: each ends as how says, or breaks out where it can.
var callbacks = map[string]func(ctx context.Context, p *Pool, how string) error{
	"source": func(ctx context.Context, p *Pool, how string) error {
		for _, err := range Map(ctx, p, increment, func(yield func(int) bool) {
			for i := range 50 {
				if i == 20 && how != "break" {
					leave(how)
					return
				}
				if !yield(i) {
					return
				}
			}
		}) {
			if err != nil {
				return err
			}
		}
		return nil
	},
	"body of Map": func(ctx context.Context, p *Pool, how string) error {
		for range Map(ctx, p, increment, upTo(50)) {
			if how == "break" {
				break
			}
			return leave(how)
		}
		return nil
	},
	"body of MapUnordered": func(ctx context.Context, p *Pool, how string) error {
		for r := range MapUnordered(ctx, p, increment, upTo(50)) {
			switch {
			case how == "break":
				return nil
			case r.Index > 10:
				return leave(how)
			}
		}
		return nil
	},
	"add of Reduce": func(ctx context.Context, p *Pool, how string) error {
		_, err := Reduce(ctx, p, increment, upTo(50), 0, func(sum, n int) (int, error) {
			if n == 20 {
				return sum, leave(how)
			}
			return sum + n, nil
		})
		return err
	},
	"add of Sum": func(ctx context.Context, p *Pool, how string) error {
		_, err := Sum(ctx, p, unsteady[how], Interval{End: 1000})
		return err
	},
	"OnChunk": func(ctx context.Context, p *Pool, how string) error {
		_, err := p.Run(ctx, Workload{Task: tally.Spec(), Whole: Interval{End: 1000}, OnChunk: func(Chunk) error { return leave(how) }})
		return err
	},
}

// unsteady are sums whose add ends as their key says.
var unsteady = map[string]SumTask[int64]{
	"error":  tally, // an add cannot fail,
	"break":  tally, // and not break
	"panic":  DefineSum("unsteady-panic", howMany, func(a, b int64) int64 { leave("panic"); return a + b }),
	"Goexit": DefineSum("unsteady-exit", howMany, func(a, b int64) int64 { leave("Goexit"); return a + b }, Exact()),
}

func howMany(_ context.Context, iv Interval) (int64, error) { return iv.Len(), nil }

// However user code ends, in whatever callback and backend, the pool is whole: nothing
// of the call is left in it, and it computes.
func TestEveryExitOfUserCodeLeavesThePoolWhole(t *testing.T) {
	for _, backend := range backends {
		p := openPool(t, Options{Procs: 2, Backend: backend, ChunkSize: 10})
		for name, callback := range callbacks {
			for _, how := range []string{"error", "panic", "Goexit", "break"} {
				t.Run(fmt.Sprint(backend, " ", name, " ", how), func(t *testing.T) {
					inTime(t, func() {
						ended := make(chan any, 1)
						go func() {
							returned := false
							defer func() {
								if v := recover(); v != nil {
									ended <- "panic"
								} else if !returned {
									ended <- "Goexit"
								}
							}()
							err := callback(t.Context(), p, how)
							returned = true
							ended <- err
						}()
						switch end := <-ended; how {
						case "panic", "Goexit":
							if end != how {
								t.Errorf("the caller sees %v", end)
							}
						}
					})
					p.whole(t)
				})
			}
		}
	}
}
