package pool

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// hardLimit ends what would hang.
const hardLimit = time.Minute

// A meeting is an input whose task waits until others have begun.
type meeting struct {
	Dir    string // where each leaves a file
	Name   int
	Guests int
	Load   []byte
}

var meet = Define("meet", func(ctx context.Context, m meeting) (int, error) {
	if err := os.WriteFile(filepath.Join(m.Dir, fmt.Sprint(m.Name)), nil, 0o600); err != nil {
		return 0, err
	}
	for end := time.Now().Add(hardLimit); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		there, err := os.ReadDir(m.Dir)
		if err != nil {
			return 0, err
		}
		if len(there) >= m.Guests {
			return len(m.Load), nil
		}
	}
	return 0, errors.New("the others did not come")
})

// Inputs that are computed do not count as waiting: each worker has one, however
// large they are.
func TestLargeInputsRunSideBySide(t *testing.T) {
	const procs = 4
	for _, backend := range []Backend{Processes, Goroutines} {
		for _, bytes := range []int{2 << 20, 24 << 20} { // 4 of the second are more than the default allows to wait
			var opts []CallOption
			if bytes == 2<<20 {
				opts = []CallOption{AheadBytes(1)}
			}
			p := openPool(t, Options{Procs: procs, Backend: backend})
			dir := t.TempDir()
			n := 0
			for out, err := range MapUnordered(t.Context(), p, meet, func(yield func(meeting) bool) {
				for i := range procs {
					if !yield(meeting{dir, i, procs, make([]byte, bytes)}) {
						return
					}
				}
			}, opts...) {
				if n++; err != nil || out.Value != bytes {
					t.Fatalf("%s: %d, %v", backend, out.Value, err)
				}
			}
			if n != procs {
				t.Errorf("%s: %d outputs", backend, n)
			}
			p.Close()
		}
	}
}

// A source that blocks holds up nothing: outputs are yielded, a context and Close end
// the call, and the next input may be the last output.
func TestASourceThatBlocks(t *testing.T) {
	ends := map[string]func(cancel func(), p *Pool) (want error){
		"context": func(cancel func(), p *Pool) error { cancel(); return context.Canceled },
		"Close":   func(cancel func(), p *Pool) error { p.Close(); return ErrClosed },
	}
	for _, backend := range backends {
		for name, end := range ends {
			t.Run(fmt.Sprint(backend, " ", name), func(t *testing.T) {
				p := openPool(t, Options{Procs: 2, Backend: backend})
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				source := make(chan int, 1)
				source <- 41
				defer close(source)
				var want, got error
				outputs := 0
				inTime(t, func() {
					for out, err := range Map(ctx, p, increment, received(source)) {
						if err != nil {
							got = err
							continue
						}
						if outputs++; out != 42 {
							t.Errorf("output %d", out)
						}
						want = end(cancel, p)
					}
				})
				if outputs != 1 || !errors.Is(got, want) {
					t.Errorf("%d outputs, then %v", outputs, got)
				}
			})
		}
		t.Run(fmt.Sprint(backend, " feedback"), func(t *testing.T) {
			p := openPool(t, Options{Procs: 2, Backend: backend})
			source := make(chan int, 1)
			source <- 0
			last := 0
			inTime(t, func() {
				for out, err := range Map(t.Context(), p, increment, received(source)) {
					if err != nil || out != last+1 {
						t.Errorf("%d after %d, %v", out, last, err)
					}
					if last = out; last == 100 {
						close(source)
						continue
					}
					source <- out
				}
			})
			if last != 100 {
				t.Errorf("ended at %d", last)
			}
		})
	}
}

func received(source <-chan int) iter.Seq[int] {
	return func(yield func(int) bool) {
		for n := range source {
			if !yield(n) {
				return
			}
		}
	}
}

// inTime fails the test if f does not return.
func inTime(t *testing.T, f func()) {
	t.Helper()
	done := make(chan struct{})
	go func() { defer close(done); f() }()
	select {
	case <-done:
	case <-time.After(hardLimit):
		stacks := make([]byte, 1<<20)
		t.Fatalf("it hangs\n%s", stacks[:runtime.Stack(stacks, true)])
	}
}

// pass waits until the file is there that its input begins with.
var pass = Define("pass", func(ctx context.Context, input string) (int, error) {
	file, _, _ := strings.Cut(input, "\x00")
	for {
		if _, err := os.Stat(file); err == nil {
			return len(input), nil
		}
		select {
		case <-ctx.Done():
			return 0, ctx.Err()
		case <-time.After(5 * time.Millisecond):
		}
	}
})

// No backend takes more inputs than it is told to: while tasks do not end, the source
// is asked for those that may be ahead, and no more.
func TestInputsAreTakenNoFurtherAhead(t *testing.T) {
	const procs, n = 2, 300
	for _, backend := range backends {
		for name, limit := range map[string]CallOption{"Ahead": Ahead(6), "AheadBytes": AheadBytes(6 << 10)} {
			p := openPool(t, Options{Procs: procs, Backend: backend})
			release := filepath.Join(t.TempDir(), "go")
			var pulled atomic.Int64
			go func() {
				for end := time.Now().Add(hardLimit); pulled.Load() < 6 && time.Now().Before(end); {
					time.Sleep(time.Millisecond)
				}
				time.Sleep(50 * time.Millisecond) // in which it could go on
				// One more is offered, and with AheadBytes workers may have two each that count no more.
				if got := pulled.Load(); got < 6 || got > 6+1+2*procs {
					t.Errorf("%s of %s: %d inputs were taken", name, backend, got)
				}
				os.WriteFile(release, nil, 0o600)
			}()
			outputs := 0
			for _, err := range Map(t.Context(), p, pass, func(yield func(string) bool) {
				for range n {
					pulled.Add(1)
					if !yield(release + strings.Repeat("\x00", 1<<10-len(release))) {
						return
					}
				}
			}, limit) {
				if outputs++; err != nil {
					t.Fatal(err)
				}
			}
			if outputs != n {
				t.Errorf("%s of %s: %d outputs", name, backend, outputs)
			}
		}
	}
}

// Inputs and outputs are freed as they are used.
func TestDoneInputsAreFreed(t *testing.T) {
	const size, n = 1 << 20, 300
	for _, backend := range backends {
		p := openPool(t, Options{Procs: 2, Backend: backend})
		var before, now runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&before)
		most, i := int64(0), 0
		for _, err := range Map(t.Context(), p, length, func(yield func([]byte) bool) {
			for range n {
				if !yield(make([]byte, size)) {
					return
				}
			}
		}, Ahead(8)) {
			if err != nil {
				t.Fatal(err)
			}
			if i++; i%50 == 0 {
				runtime.GC()
				runtime.ReadMemStats(&now)
				most = max(most, int64(now.HeapAlloc)-int64(before.HeapAlloc))
			}
		}
		t.Logf("%s: %d MiB", backend, most>>20)
		if most > 80*size {
			t.Errorf("%s: %d MiB are kept of %d", backend, most>>20, n)
		}
	}
}

// What a source gave before it panicked is yielded before the panic passes, and the
// pool goes on.
func TestAPanicOfTheSourceComesAfterItsOutputs(t *testing.T) {
	for _, backend := range backends {
		p := openPool(t, Options{Procs: 2, Backend: backend})
		var outputs []int
		inTime(t, func() {
			defer func() {
				if v := recover(); v == nil || !strings.Contains(fmt.Sprint(v), "no more of them") {
					t.Errorf("%s: recovered %v", backend, v)
				}
			}()
			for out, err := range Map(t.Context(), p, increment, func(yield func(int) bool) {
				for i := range 20 {
					if !yield(i) {
						return
					}
				}
				panic("no more of them")
			}) {
				if err != nil {
					t.Errorf("%s: %v", backend, err)
				}
				outputs = append(outputs, out)
			}
		})
		if len(outputs) != 20 || !slices.IsSorted(outputs) {
			t.Errorf("%s: outputs %v before the panic", backend, outputs)
		}
		if out, err := Call(t.Context(), p, increment, 1); out != 2 || err != nil {
			t.Errorf("%s: then %v, %v", backend, out, err)
		}
	}
}

// A pool that is closed while the last output is in the loop's body has given all.
func TestCloseAtTheLastOutputIsNoError(t *testing.T) {
	for _, backend := range backends {
		p := openPool(t, Options{Procs: 2, Backend: backend})
		n := 0
		for out, err := range Map(t.Context(), p, increment, upTo(100)) {
			if err != nil {
				t.Errorf("%s: %v", backend, err)
			}
			if n++; out == 100 {
				p.Close()
			}
		}
		if n != 100 {
			t.Errorf("%s: %d outputs", backend, n)
		}
	}
}

// Worker processes get copies: a source may use one buffer for all its inputs.
func TestProcessesCopyTheirInputs(t *testing.T) {
	p := openPool(t, Options{Procs: 2})
	buffer := make([]byte, 8)
	i := byte(0)
	for out, err := range Map(t.Context(), p, first, func(yield func([]byte) bool) {
		for n := range byte(200) {
			for j := range buffer {
				buffer[j] = n
			}
			if !yield(buffer) {
				return
			}
		}
	}) {
		if err != nil || out != i {
			t.Fatalf("input %d arrives as %d, %v", i, out, err)
		}
		i++
	}
}

var first = Define("first", func(_ context.Context, b []byte) (byte, error) {
	for _, other := range b {
		if other != b[0] {
			return 0, errors.New("a mixture of two inputs")
		}
	}
	return b[0], nil
})

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
