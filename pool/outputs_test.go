package pool

import (
	"context"
	"errors"
	"runtime"
	"slices"
	"testing"
	"time"
)

// inTime fails the test if f does not return.
func inTime(t *testing.T, f func()) {
	t.Helper()
	done := make(chan struct{})
	go func() { defer close(done); f() }()
	select {
	case <-done:
	case <-time.After(limit):
		stacks := make([]byte, 1<<20)
		t.Fatalf("it hangs\n%s", stacks[:runtime.Stack(stacks, true)])
	}
}

// stubborn is an output that its own type may refuse to decode, on the parent's side.
type stubborn string

func (s stubborn) MarshalBinary() ([]byte, error) { return []byte(s), nil }

func (s *stubborn) UnmarshalBinary(b []byte) error {
	switch *s = stubborn(b); *s {
	case "error":
		return errors.New("not that one")
	case "panic":
		panic("not that one")
	case "exit":
		runtime.Goexit()
	}
	return nil
}

var insist = Define("insist", func(_ context.Context, text string) (stubborn, error) { return stubborn(text), nil })

// An output that cannot be decoded fails its own input and no worker, whatever its
// type does: an error, a panic, or the end of the goroutine.
func TestOutputsThatCannotBeDecoded(t *testing.T) {
	p := openPool(t, Options{Procs: 2})
	inputs := []string{"a", "error", "b", "panic", "c", "exit", "d"}
	inTime(t, func() {
		i := 0
		for out, err := range Map(t.Context(), p, insist, slices.Values(inputs)) {
			var refused *OutputError
			if len(inputs[i]) == 1 {
				if err != nil || string(out) != inputs[i] {
					t.Errorf("input %d: %q, %v", i, out, err)
				}
			} else if in, ok := InputOf(err); !errors.As(err, &refused) || !ok || in.Index != int64(i) {
				t.Errorf("input %d: %q, %v", i, out, err)
			}
			i++
		}
		if i != len(inputs) {
			t.Errorf("%d outputs", i)
		}
	})
	for _, s := range p.Stats() {
		if s.Restarts != 0 {
			t.Errorf("worker %d was lost", s.Worker)
		}
	}
}
