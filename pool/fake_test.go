package pool

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"sync"
	"testing"
	"time"

	"procpool/ipc"
	"procpool/parent"
	"procpool/parent/parenttest"
)

type (
	fakeWorker  = parenttest.FakeWorker
	fakeRequest = parenttest.Request
	fakeJob     = parenttest.Job
	exitStatus  = parent.ExitStatus
)

var killed = parenttest.Killed

// A fakeSystem is a fake operating system, and the events of pools over it.
type fakeSystem struct {
	parenttest.FakeSystem

	mu     sync.Mutex
	events []Event
}

// newFakeSystem has act run the processes; nil has all of them be honest.
func newFakeSystem(act func(*fakeWorker) exitStatus) *fakeSystem {
	return &fakeSystem{FakeSystem: parenttest.FakeSystem{Act: act}}
}

func (system *fakeSystem) note(e Event) {
	system.mu.Lock()
	defer system.mu.Unlock()
	system.events = append(system.events, e)
}

// of lists the events of a kind.
func (system *fakeSystem) of(kind EventKind) (out []Event) {
	system.mu.Lock()
	defer system.mu.Unlock()
	for _, e := range system.events {
		if e.Kind == kind {
			out = append(out, e)
		}
	}
	return out
}

// open makes a pool over the system.
func (system *fakeSystem) open(t *testing.T, o Options) *Pool {
	t.Helper()
	o.Stderr, o.OnEvent = io.Discard, system.note
	system.Partial = func(dst []byte, iv ipc.Interval) []byte {
		dst, err := pi.Spec().RunInterval(context.Background(), iv, dst)
		if err != nil {
			panic(err)
		}
		return dst
	}
	p, err := newPool(t.Context(), o, system.System())
	if err != nil {
		t.Fatal(err)
	}
	return p
}

const span = 1000 // of a chunk in these tests

// expected is the sum over n chunks as one goroutine computes it.
func expected(t *testing.T, n int64) float64 {
	t.Helper()
	p := openPool(t, Options{Backend: Serial, ChunkSize: span})
	sum, err := Sum(t.Context(), p, pi, ipc.Interval{End: n * span})
	if err != nil {
		t.Fatal(err)
	}
	return sum
}

// sum runs n chunks and checks that a sum that is said to be right is right,
// to the last bit, and that OnEvent was called for each chunk once. A run that would hang ends after a day of fake time.
func (system *fakeSystem) sum(t *testing.T, o Options, n int64) (Outcome, error) {
	t.Helper()
	o.ChunkSize = span
	p := system.open(t, o)
	ctx, cancel := context.WithTimeout(t.Context(), 24*time.Hour)
	defer cancel()
	out, err := p.Run(ctx, Workload{Task: pi.Spec(), Whole: ipc.Interval{End: n * span}})
	p.Close()
	if err == nil && math.Float64bits(out.Total.(float64)) != math.Float64bits(expected(t, n)) {
		t.Errorf("the sum is %v, want %v", out.Total, expected(t, n))
	}
	seen := make(map[ipc.Interval]bool)
	for _, e := range system.of(ChunkFinished) {
		if seen[e.Input.Interval] {
			t.Errorf("called twice for %v", e.Input)
		}
		seen[e.Input.Interval] = true
	}
	if err == nil && int64(len(seen)) != n {
		t.Errorf("called for %d chunks, not %d", len(seen), n)
	}
	return out, err
}

// firstProcess plays act as the first process of worker 0 and all others honestly.
func firstProcess(act func(*fakeWorker) exitStatus) func(*fakeWorker) exitStatus {
	return func(w *fakeWorker) exitStatus {
		if w.Worker == 0 && w.Start == 0 {
			return act(w)
		}
		return w.Honest()
	}
}

func asLost(err error) (*LostWorkerError, error) {
	var lost *LostWorkerError
	if !errors.As(err, &lost) {
		return nil, fmt.Errorf("not a lost worker but %T: %v", err, err)
	}
	return lost, nil
}
