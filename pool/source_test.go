package pool

import (
	"context"
	"errors"
	"runtime"
	"slices"
	"sync"
	"testing"
	"time"
)

// soon ends a test that hangs.
func soon(t *testing.T, what string, f func()) {
	t.Helper()
	done := make(chan struct{})
	go func() { defer close(done); f() }()
	select {
	case <-done:
	case <-time.After(limit):
		buf := make([]byte, 1<<20)
		t.Fatalf("%s hangs\n%s", what, buf[:runtime.Stack(buf, true)])
	}
}

// fromChannel is what a channel gives until it is closed.
func fromChannel[T any](c <-chan T) func(func(T) bool) {
	return func(yield func(T) bool) {
		for v := range c {
			if !yield(v) {
				return
			}
		}
	}
}

// Outputs come while the source blocks, and the call ends at once with its context,
// with the pool, and with the loop. Nothing is left but the source's own goroutine,
// which ends when the source goes on.
func TestASourceThatBlocks(t *testing.T) {
	for _, backend := range backends {
		for name, end := range map[string]func(p *Pool, cancel func()){
			"cancel": func(_ *Pool, cancel func()) { cancel() },
			"close":  func(p *Pool, _ func()) { p.Close() },
			"shutdown": func(p *Pool, cancel func()) {
				ended, done := context.WithCancel(t.Context())
				done()
				p.Shutdown(ended)
			},
			"break": nil,
		} {
			before := runtime.NumGoroutine()
			p := openPool(t, Options{Procs: 2, Backend: backend})
			ctx, cancel := context.WithCancel(t.Context())
			source := make(chan int, 1)
			source <- 41
			soon(t, string(backend)+", "+name, func() {
				n, last := 0, error(nil)
				for out, err := range Map(ctx, p, increment, fromChannel(source)) {
					if n++; n == 1 && (out != 42 || err != nil) {
						t.Errorf("%s: %v, %v", backend, out, err)
					}
					if last = err; n > 1 {
						continue
					}
					if end == nil {
						break
					}
					go func() { time.Sleep(5 * time.Millisecond); end(p, cancel) }()
				}
				switch {
				case name == "break" && last != nil, name == "cancel" && !errors.Is(last, context.Canceled), (name == "close" || name == "shutdown") && !errors.Is(last, ErrClosed):
					t.Errorf("%s, %s: ended with %v", backend, name, last)
				}
			})
			cancel()
			p.Close()
			waitForGoroutines(t, before+1)
			close(source)
			waitForGoroutines(t, before)
		}
	}
}

// waitForGoroutines waits until there are no more than n.
func waitForGoroutines(t *testing.T, n int) {
	t.Helper()
	for begin := time.Now(); runtime.NumGoroutine() > n; time.Sleep(time.Millisecond) {
		if time.Since(begin) > limit {
			buf := make([]byte, 1<<20)
			t.Fatalf("%d goroutines, not %d\n%s", runtime.NumGoroutine(), n, buf[:runtime.Stack(buf, true)])
		}
	}
}

// An input may be made of the output before it.
func TestEachInputIsTheOutputBefore(t *testing.T) {
	for _, backend := range backends {
		p := openPool(t, Options{Procs: 2, Backend: backend})
		outputs := make(chan int, 1)
		outputs <- 0
		n := 0
		soon(t, string(backend), func() {
			for out, err := range Map(t.Context(), p, increment, fromChannel(outputs)) {
				if n++; err != nil || out != n {
					t.Fatalf("%s: output %d is %d, %v", backend, n, out, err)
				}
				if n == 100 {
					close(outputs)
				} else {
					outputs <- out
				}
			}
		})
		if n != 100 {
			t.Errorf("%s: %d outputs", backend, n)
		}
		p.whole(t)
	}
}

// What came before a source's panic, or the end of its goroutine, is yielded first.
// Then the loop ends as the source did.
func TestWhatASourceGaveBeforeItsEnd(t *testing.T) {
	for _, backend := range backends {
		for name, end := range map[string]func(){"panic": func() { panic("source") }, "Goexit": runtime.Goexit} {
			p := openPool(t, Options{Procs: 2, Backend: backend})
			source := func(yield func(int) bool) {
				for i := range 50 {
					if !yield(i) {
						return
					}
				}
				end()
			}
			n, returned := 0, false
			var panicked any
			var ranging sync.WaitGroup
			ranging.Go(func() {
				defer func() { panicked = recover() }()
				for out, err := range Map(t.Context(), p, increment, source) {
					if n++; err != nil || out != n {
						t.Errorf("%s, %s: output %d is %d, %v", backend, name, n, out, err)
					}
				}
				returned = true
			})
			soon(t, name, ranging.Wait)
			if n != 50 || returned || name == "panic" && panicked != "source" || name != "panic" && panicked != nil {
				t.Errorf("%s, %s: %d outputs, then returned %v, panicked %v", backend, name, n, returned, panicked)
			}
			p.whole(t)
		}
	}
}

// Close, or a context that ends, in the loop's body at the last output takes nothing
// back: all is done.
func TestTheEndAtTheLastOutput(t *testing.T) {
	for _, backend := range backends {
		for _, name := range []string{"close", "cancel"} {
			p := openPool(t, Options{Procs: 2, Backend: backend})
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			n := 0
			for _, err := range Map(ctx, p, increment, slices.Values([]int{1, 2, 3})) {
				switch n++; {
				case n == 3 && name == "close":
					p.Close()
				case n == 3:
					cancel()
				}
				if err != nil {
					t.Errorf("%s, %s: output %d: %v", backend, name, n, err)
				}
			}
			if n != 3 {
				t.Errorf("%s, %s: %d outputs", backend, name, n)
			}
		}
	}
}

// Close in a loop's body ends tasks that wait for their context, also where the loop
// is the one that would have told them.
func TestCloseInTheBodyEndsTasks(t *testing.T) {
	for _, backend := range []Backend{Processes, Goroutines} {
		p := openPool(t, Options{Procs: 2, Backend: backend})
		soon(t, string(backend), func() {
			n, last := 0, error(nil)
			for _, err := range MapUnordered(t.Context(), p, nap, slices.Values([]int{0, 3600 * usSecond, 3600 * usSecond})) {
				if n++; n == 1 {
					p.Close()
				}
				last = err
			}
			if n != 2 || !errors.Is(last, ErrClosed) {
				t.Errorf("%s: %d outputs, the last %v", backend, n, last)
			}
		})
	}
}

// A producer that uses one buffer again for each input changes no input that it has
// handed over, where inputs go to other processes. In this process they are not copied.
func TestInputsForProcessesAreCopied(t *testing.T) {
	p := openPool(t, Options{Procs: 2})
	buf, i := make([]byte, 8), 0
	for out, err := range Map(t.Context(), p, same, func(yield func([]byte) bool) {
		for n := range 500 {
			if buf[0], buf[1] = byte(n), byte(n>>8); !yield(buf) {
				return
			}
		}
	}) {
		if err != nil || int(out[0])|int(out[1])<<8 != i {
			t.Fatalf("output %d is %v, %v", i, out, err)
		}
		i++
	}
}
