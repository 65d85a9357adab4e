package main

import (
	"math"
	"os"
	"testing"

	"procpool/pool"
)

func TestMain(m *testing.M) {
	pool.Main()
	os.Exit(m.Run())
}

func TestTheIntegralIsRightAndTheSameForAnyNumberOfWorkers(t *testing.T) {
	const si100 = 1.562225466889056293 // mpmath 1.3.0: si(100) with 25 digits
	whole := panel{0, 100, 200_000}
	first, err := integrate(t.Context(), pool.Options{Backend: pool.Serial}, whole, 100)
	if err != nil || math.Abs(first-si100) > 1e-12 {
		t.Errorf("%.16f, %v; want %.16f", first, err, si100)
	}
	for _, o := range []pool.Options{{Procs: 1}, {Procs: 3}, {Procs: 3, Backend: pool.Goroutines}, {}} {
		if got, err := integrate(t.Context(), o, whole, 100); got != first || err != nil {
			t.Errorf("%d %s: %.17g, %v; want %.17g", o.Procs, o.Backend, got, err, first)
		}
	}
	if _, err := integrate(t.Context(), pool.Options{Procs: 1}, panel{0, 1, 3}, 1); err == nil {
		t.Error("an odd number of steps is taken")
	}
}
