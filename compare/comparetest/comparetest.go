// Package comparetest measures a task of one's own on goroutines and in processes, in a
// Go benchmark:
//
//	func TestMain(m *testing.M) {
//		pool.Main()
//		os.Exit(m.Run())
//	}
//
//	func BenchmarkResize(b *testing.B) { comparetest.Run(b, resize, samples) }
//
// The clock starts when both pools have done the work once, as in a program that keeps
// its pool. Every iteration runs all inputs once on each side; a coin decides which goes
// first. The benchmark reports goroutines-ns/op, processes-ns/op and ratio, which is the
// time of processes by that of goroutines: 0.8 means that processes take 0.8 of the time.
// 'go test -bench . -count 10' and benchstat show them with their spread.
package comparetest

import (
	"bytes"
	"context"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"procpool/compare/rank"
	"procpool/ipc"
	"procpool/pool"
)

// Run measures pool.Map of a task over inputs. The outputs of both sides must agree to
// the bit in wire encoding.
func Run[In, Out any](b *testing.B, t pool.Task[In, Out], inputs []In) {
	b.Helper()
	run(b, func(ctx context.Context, p *pool.Pool) ([]Out, error) {
		return pool.Collect(pool.Map(ctx, p, t, slices.Values(inputs)))
	})
}

// RunSum measures pool.Sum of a task over an interval, as Run does.
func RunSum[P any](b *testing.B, t pool.SumTask[P], whole pool.Interval) {
	b.Helper()
	run(b, func(ctx context.Context, p *pool.Pool) (P, error) { return pool.Sum(ctx, p, t, whole) })
}

// A side is one of the two pools and what it took.
type side struct {
	backend pool.Backend
	pool    *pool.Pool
	seconds []float64
}

func run[T any](b *testing.B, work func(context.Context, *pool.Pool) (T, error)) {
	b.Helper()
	ctx := b.Context()
	sides := [2]*side{{backend: pool.Processes}, {backend: pool.Goroutines}}
	var values [2][]byte
	for i, s := range sides {
		p, err := pool.New(ctx, pool.Options{Backend: s.backend})
		if err != nil {
			b.Fatal(err)
		}
		defer p.Close()
		s.pool = p
		if err := p.Ready(ctx); err != nil {
			b.Fatal(err)
		}
		value, err := work(ctx, p) // warms the pool up
		if err == nil {
			values[i], err = ipc.AppendValue(nil, &value)
		}
		if err != nil {
			b.Fatalf("%s: %v", s.backend, err)
		}
	}
	if !bytes.Equal(values[0], values[1]) {
		b.Fatal("processes and goroutines compute different results")
	}
	var logs []float64
	for b.Loop() {
		first := rand.IntN(2)
		for _, s := range []*side{sides[first], sides[1-first]} {
			began := time.Now()
			if _, err := work(ctx, s.pool); err != nil {
				b.Fatalf("%s: %v", s.backend, err)
			}
			s.seconds = append(s.seconds, time.Since(began).Seconds())
		}
		n := len(logs)
		logs = append(logs, math.Log(sides[0].seconds[n]/sides[1].seconds[n]))
	}
	b.ReportMetric(0, "ns/op") // removes the time of both sides together
	for _, s := range sides {
		b.ReportMetric(1e9*rank.Median(s.seconds), string(s.backend)+"-ns/op")
	}
	b.ReportMetric(math.Exp(rank.Estimate(logs, 1).Centre), "ratio")
}
