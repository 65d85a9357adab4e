package pool

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"
	"testing"

	"procpool/task"
)

var backends = []Backend{Processes, Goroutines, Serial}

type point struct {
	X, Y int
	Name string
}

var mirror = task.Define("mirror", func(_ context.Context, p point) (point, error) {
	switch p.Name {
	case "error":
		return point{}, errors.New("no such point")
	case "panic":
		panic("off the map")
	}
	return point{p.Y, p.X, p.Name}, nil
})

func points(n int) iter.Seq[point] {
	return func(yield func(point) bool) {
		for i := range n {
			p := point{X: i, Y: -i}
			switch i {
			case 7:
				p.Name = "error"
			case 9:
				p.Name = "panic"
			}
			if !yield(p) {
				return
			}
		}
	}
}

func openPool(t *testing.T, o Options) *Pool {
	t.Helper()
	p, err := New(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.Close() })
	return p
}

func TestMapYieldsInInputOrderAndGoesOnAfterAFailedInput(t *testing.T) {
	const n = 5000
	for _, backend := range backends {
		p := openPool(t, Options{Procs: 3, Backend: backend})
		i := 0
		for out, err := range Map(t.Context(), p, mirror, points(n)) {
			var failed *TaskError
			switch {
			case i == 7:
				if !errors.As(err, &failed) || failed.Err.Text != "no such point" || failed.Input.Index != 7 {
					t.Errorf("%s: input 7: %v", backend, err)
				}
			case i == 9:
				if !errors.As(err, &failed) || failed.Err.Text != "panic: off the map" || !strings.Contains(failed.Err.Stack, "map_test.go") {
					t.Errorf("%s: input 9: %v", backend, err)
				}
			case err != nil || out != point{-i, i, ""}:
				t.Fatalf("%s: input %d: %v, %v", backend, i, out, err)
			}
			i++
		}
		if i != n {
			t.Errorf("%s: %d outputs", backend, i)
		}
	}
}

func TestMapUnorderedYieldsEachOutputOnce(t *testing.T) {
	const n = 5000
	for _, backend := range backends {
		p := openPool(t, Options{Procs: 3, Backend: backend})
		var seen []int
		failed := 0
		for out, err := range MapUnordered(t.Context(), p, mirror, points(n)) {
			if err != nil {
				failed++
				continue
			}
			seen = append(seen, out.Value.Y)
		}
		slices.Sort(seen)
		if failed != 2 || len(seen) != n-2 || len(slices.Compact(seen)) != n-2 {
			t.Errorf("%s: %d failed, %d outputs, %d different", backend, failed, len(seen), len(slices.Compact(seen)))
		}
	}
}

func TestBreakFreesThePool(t *testing.T) {
	for _, backend := range backends {
		p := openPool(t, Options{Procs: 2, Backend: backend})
		for range 3 {
			n := 0
			for _, err := range Map(t.Context(), p, mirror, forever) {
				if err != nil {
					t.Fatal(backend, err)
				}
				if n++; n == 10 {
					break
				}
			}
			if n != 10 {
				t.Errorf("%s: %d outputs of an endless sequence", backend, n)
			}
		}
	}
}

func TestCloseFailsWhatIsRunning(t *testing.T) {
	for _, backend := range backends {
		p := openPool(t, Options{Procs: 2, Backend: backend})
		n, last := 0, error(nil)
		for _, err := range Map(t.Context(), p, mirror, points(100000)) {
			if n++; n == 20 {
				p.Close()
			}
			last = err
		}
		if !errors.Is(last, ErrClosed) {
			t.Errorf("%s: the last error is %v", backend, last)
		}
		for _, err := range Map(t.Context(), p, mirror, points(1)) {
			if !errors.Is(err, ErrClosed) {
				t.Errorf("%s: a closed pool answers %v", backend, err)
			}
		}
		if err := p.Close(); err != nil {
			t.Error(err)
		}
	}
}

func TestReduceFoldsInOrder(t *testing.T) {
	p := openPool(t, Options{Procs: 2})
	got, err := Reduce(t.Context(), p, mirror, points(7), "", func(acc string, p point) (string, error) {
		return acc + fmt.Sprint(p.Y), nil
	})
	if got != "0123456" || err != nil {
		t.Errorf("%q, %v", got, err)
	}
	if got, err = Reduce(t.Context(), p, mirror, points(9), "", func(acc string, p point) (string, error) {
		return acc + fmt.Sprint(p.Y), nil
	}); got != "0123456" || err == nil {
		t.Errorf("%q, %v", got, err)
	}
}
