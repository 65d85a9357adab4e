// Package forgotten shows what an author sees whose tests use a pool, and whose
// TestMain does not call pool.Main.
package forgotten

import (
	"context"
	"os"
	"testing"

	"procpool/pool"
)

var double = pool.Define("double", func(_ context.Context, n int) (int, error) { return 2 * n, nil })

func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == "procpool-child" {
		panic("a worker was started, which would run all these tests again")
	}
	os.Exit(m.Run())
}

func TestThePoolIsRefused(t *testing.T) {
	p, err := pool.New(t.Context(), pool.Options{Procs: 2})
	const want = "worker processes would run this whole program again: call pool.Main first in main or TestMain"
	if p != nil || err == nil || err.Error() != want {
		t.Fatalf("%v, %v", p, err)
	}
}

// Backends without processes need nothing.
func TestGoroutinesAreNotRefused(t *testing.T) {
	p, err := pool.New(t.Context(), pool.Options{Procs: 2, Backend: pool.Goroutines})
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	sum, err := pool.Reduce(t.Context(), p, double, func(yield func(int) bool) { _ = yield(1) && yield(2) }, 0,
		func(sum, n int) (int, error) { return sum + n, nil })
	if sum != 6 || err != nil {
		t.Error(sum, err)
	}
}
