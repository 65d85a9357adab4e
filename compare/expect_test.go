package compare

import (
	"strings"
	"testing"

	"procpool/pool"
)

func TestParseExpectation(t *testing.T) {
	got, err := ParseExpectation(" alloc@2 : processes/goroutines<=1.1x")
	if err != nil || got.Task != "alloc" || got.Workers != 2 || got.A != pool.Processes || got.B != pool.Goroutines || got.Op != "<=" || got.Bound != 1.1 {
		t.Errorf("%+v, %v", got, err)
	}
	for in, want := range map[string]string{
		"":                                       "want TASK@WORKERS",
		"alloc: processes/goroutines <= 1":       "want TASK@WORKERS",
		"alloc@2: processes/goroutines = 1":      "want TASK@WORKERS",
		"alloc@0: processes/goroutines <= 1":     "not a number of workers",
		"alloc@99999999999999999999: a/b <= 1":   "not a number of workers",
		"alloc@2: processes/goroutines <= 0":     "not a ratio",
		"alloc@2: processes/goroutines <= NaN":   "not a ratio",
		"alloc@2: processes/goroutines <= 1e999": "not a ratio",
		"alloc@2: process/goroutines <= 1":       `unknown backend "process"`,
		"alloc@2: goroutines/goroutines <= 1":    "with itself",
	} {
		if _, err := ParseExpectation(in); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("ParseExpectation(%q): %v, want %q", in, err, want)
		}
	}
}

func TestExpectations(t *testing.T) {
	s := newSimulation(1)
	s.noise, s.truth = lognormal(0.01), processesTake(1.5)
	rec := s.do(t, Experiment{Tasks: tasks("a"), Workers: []int{1, 2}})
	for in, want := range map[string]Answer{
		"a@2: processes/goroutines <= 1.6": Met,
		"a@2: processes/goroutines < 1.4":  NotMet,
		"a@2: processes/goroutines > 1.4":  Met,
		"a@2: goroutines/processes <= 0.7": Met,
		"a@2: processes/goroutines <= 1.5": NotResolved,
		"a@2: goroutines/serial <= 0.6":    Met,
		"a@1: goroutines/serial >= 1.2":    NotMet,
		"a@4: processes/goroutines <= 9":   NotResolved,
		"b@2: processes/goroutines <= 9":   NotResolved,
		"a@2: threads/goroutines <= 9":     NotResolved,
	} {
		x, err := ParseExpectation(in)
		if err != nil {
			t.Fatal(err)
		}
		if got := CheckAll(rec, []Expectation{x})[0]; got.Answer != want || (want != Met) != (got.Reason != "") {
			t.Errorf("%s: %s (%s), want %s", in, got.Answer, got.Reason, want)
		}
	}
}

func TestFailedControlLeavesOnlyClearExpectations(t *testing.T) {
	s := newSimulation(1)
	s.noise = lognormal(0.003)
	s.truth = func(c Cell) float64 {
		if c.Control {
			return 1.3
		}
		return processesTake(1.5)(c)
	}
	rec := s.do(t, Experiment{Tasks: tasks("a"), Workers: []int{2}})
	for in, want := range map[string]Answer{"a@2: processes/goroutines <= 1.6": NotResolved, "a@2: processes/goroutines <= 3": Met} {
		x, _ := ParseExpectation(in)
		if got := CheckAll(rec, []Expectation{x})[0]; got.Answer != want {
			t.Errorf("%s: %s [%g .. %g], want %s", in, got.Answer, got.Ratio.Low, got.Ratio.High, want)
		}
	}
}
