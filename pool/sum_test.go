package pool

import (
	"testing"

	"procpool/ipc"
)

func TestSumGivesTheTutorialsBits(t *testing.T) {
	for _, backend := range []Backend{Processes, Goroutines, Serial} {
		p, err := New(t.Context(), Options{Procs: 4, Backend: backend})
		if err != nil {
			t.Fatal(err)
		}
		got, err := Sum(t.Context(), p, pi, ipc.Interval{End: 100000000})
		if err != nil || got != 3.1415926435898172 {
			t.Errorf("%s: %.16f, %v", backend, got, err)
		}
		p.Close()
		for _, s := range p.Stats() {
			t.Logf("%+v", s)
		}
	}
}
