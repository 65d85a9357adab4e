package pool

import (
	"bytes"
	"context"
	"errors"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"procpool/task"
)

// A picky is an input that refuses to be encoded when it is odd.
type picky int

func (p picky) MarshalBinary() ([]byte, error) {
	if p%2 == 1 {
		return nil, errors.New("odd")
	}
	return []byte{byte(p)}, nil
}

func (p *picky) UnmarshalBinary(b []byte) error { *p = picky(b[0]); return nil }

var pick = task.Define("pick", func(_ context.Context, p picky) (int, error) { return int(p), nil })

func TestAnInputThatCannotBeEncodedFailsAlone(t *testing.T) {
	p := openPool(t, Options{Procs: 2})
	i := 0
	for out, err := range Map(t.Context(), p, pick, func(yield func(picky) bool) {
		for i := picky(0); i < 10 && yield(i); i++ {
		}
	}) {
		var bad *InputError
		if i%2 == 1 && (!errors.As(err, &bad) || bad.Input.Index != int64(i) || !strings.Contains(err.Error(), "odd")) || i%2 == 0 && (err != nil || out != i) {
			t.Errorf("input %d: %v, %v", i, out, err)
		}
		i++
	}
	if i != 10 {
		t.Errorf("%d outputs", i)
	}
}

// blow returns n bytes.
var blow = task.Define("blow", func(_ context.Context, n int) ([]byte, error) { return bytes.Repeat([]byte{7}, n), nil })

func TestMessagesOverTheLimitFailAlone(t *testing.T) {
	const most = 1 << 20
	p := openPool(t, Options{Procs: 2, MaxMessage: most})
	sizes := []int{1, most / 2, most + 1, most - 1000, 5 * most, 2}
	i := 0
	for out, err := range Map(t.Context(), p, blow, slices.Values(sizes)) {
		var failed *TaskError
		switch over := sizes[i] > most; {
		case over && (!errors.As(err, &failed) || !strings.Contains(err.Error(), "over the limit of 1048576 bytes")):
			t.Errorf("%d bytes out: %v", sizes[i], err)
		case !over && (err != nil || len(out) != sizes[i]):
			t.Errorf("%d bytes out: %d, %v", sizes[i], len(out), err)
		}
		i++
	}
	if i != len(sizes) {
		t.Errorf("%d outputs of %d inputs", i, len(sizes))
	}
	i = 0
	for out, err := range Map(t.Context(), p, length, func(yield func([]byte) bool) {
		for _, n := range sizes {
			if !yield(make([]byte, n)) {
				return
			}
		}
	}) {
		var bad *InputError
		switch over := sizes[i] > most; {
		case over && (!errors.As(err, &bad) || !strings.Contains(err.Error(), "over the limit of 1048576 bytes")):
			t.Errorf("%d bytes in: %v", sizes[i], err)
		case !over && (err != nil || out != sizes[i]):
			t.Errorf("%d bytes in: %d, %v", sizes[i], out, err)
		}
		i++
	}
	if i != len(sizes) {
		t.Errorf("%d outputs of %d inputs", i, len(sizes))
	}
	for _, s := range p.Stats() {
		if s.Restarts > 0 {
			t.Errorf("worker %d was lost to it", s.Worker)
		}
	}
}

var length = task.Define("length", func(_ context.Context, b []byte) (int, error) { return len(b), nil })

// Every size just below the limit travels, and none is the end of a worker.
func TestInputsAroundTheLimit(t *testing.T) {
	const most = 8 << 10
	p := openPool(t, Options{Procs: 1, MaxMessage: most})
	through := 0
	for out, err := range Map(t.Context(), p, longName, func(yield func([]byte) bool) {
		for n := most - 800; n <= most-300; n++ {
			if !yield(make([]byte, n)) {
				return
			}
		}
	}) {
		var bad *InputError
		if err == nil && out > 0 {
			through++
		} else if !errors.As(err, &bad) {
			t.Fatal(err)
		}
	}
	if through == 0 || p.Stats()[0].Restarts > 0 {
		t.Errorf("%d came through; %d restarts", through, p.Stats()[0].Restarts)
	}
}

var longName = task.Define(strings.Repeat("long", 100), func(_ context.Context, b []byte) (int, error) { return len(b), nil })

var same = task.Define("same", func(_ context.Context, b []byte) ([]byte, error) { return b, nil })

// mustPanic runs f and gives what it panicked with.
func mustPanic(t *testing.T, f func()) (p any) {
	t.Helper()
	defer func() {
		if p = recover(); p == nil {
			t.Error("no panic")
		}
	}()
	f()
	return nil
}

// A panic of the input's iterator or of the loop's body is the caller's own: it
// passes, and the pool can be used again.
func TestPanicsOfTheCallerPass(t *testing.T) {
	for _, backend := range backends {
		p := openPool(t, Options{Procs: 2, Backend: backend})
		input := mustPanic(t, func() {
			for range Map(t.Context(), p, mirror, func(yield func(point) bool) {
				yield(point{})
				panic("input")
			}) {
			}
		})
		body := mustPanic(t, func() {
			for range MapUnordered(t.Context(), p, mirror, points(100)) {
				panic("body")
			}
		})
		if input != "input" || body != "body" {
			t.Errorf("%s: %v, %v", backend, input, body)
		}
		p.mu.Lock()
		if len(p.calls) > 0 {
			t.Errorf("%s: %d calls are left", backend, len(p.calls))
		}
		p.mu.Unlock()
		if got, err := Reduce(t.Context(), p, mirror, points(5), 0, func(acc int, p point) (int, error) { return acc + p.Y, nil }); got != 10 || err != nil {
			t.Errorf("%s: %v, %v", backend, got, err)
		}
	}
}

// The end of a context is the last error, and what it had running is given up.
func TestCancelEndsAMap(t *testing.T) {
	for _, backend := range backends {
		p := openPool(t, Options{Procs: 2, Backend: backend})
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		n := 0
		var last error
		for _, err := range Map(ctx, p, mirror, forever) {
			if last != nil {
				t.Fatalf("%s: more after %v", backend, last)
			}
			if n++; n == 100 {
				cancel()
			}
			last = err
		}
		if !errors.Is(last, context.Canceled) {
			t.Errorf("%s: %v", backend, last)
		}
	}
}

func forever(yield func(point) bool) {
	for i := 0; yield(point{X: i}); i++ {
	}
}

// An endless sequence runs in constant memory.
func TestAnEndlessMapRunsInConstantMemory(t *testing.T) {
	for _, backend := range backends {
		p := openPool(t, Options{Procs: 2, Backend: backend})
		var m runtime.MemStats
		var early, late uint64
		n := 0
		for _, err := range Map(t.Context(), p, mirror, forever) {
			if err != nil {
				t.Fatal(err)
			}
			switch n++; n {
			case 20000, 100000:
				runtime.GC()
				runtime.ReadMemStats(&m)
				early, late = late, m.HeapAlloc
			}
			if n == 100000 {
				break
			}
		}
		if late > early+2<<20 {
			t.Errorf("%s: %d KiB after 20,000 inputs, %d KiB after 100,000", backend, early>>10, late>>10)
		}
	}
}

// Several maps share a pool; each gets its own outputs, in order.
func TestMapsAtOnce(t *testing.T) {
	for _, backend := range backends {
		p := openPool(t, Options{Procs: 2, Backend: backend})
		var maps sync.WaitGroup
		for id := range 8 {
			maps.Go(func() {
				i := 0
				for out, err := range Map(t.Context(), p, mirror, func(yield func(point) bool) {
					for i := 0; i < 500 && yield(point{X: i, Y: id}); i++ {
					}
				}) {
					if err != nil || out != (point{X: id, Y: i}) {
						t.Errorf("%s: map %d, output %d: %v, %v", backend, id, i, out, err)
						return
					}
					if i++; id%2 == 1 && i == 100 {
						return // others are not to be disturbed by it
					}
				}
				if i != 500 {
					t.Errorf("%s: map %d has %d outputs", backend, id, i)
				}
			})
		}
		maps.Wait()
	}
}

// A program that does not call pool.Main is refused before it starts itself again.
func TestForkGuard(t *testing.T) {
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	c := exec.Command(exe)
	c.Env = append(os.Environ(), unguardedEnv+"=1")
	begin := time.Now()
	out, err := c.CombinedOutput()
	if err != nil || !strings.Contains(string(out), "call pool.Main first in main or TestMain") {
		t.Errorf("%s, %v, after %v", out, err, time.Since(begin))
	}
}

// OnEvent hears of every worker's start before its chunks, and of its end last.
func TestEventsAreInOrder(t *testing.T) {
	var mu sync.Mutex
	stories := make(map[int]string)
	p := openPool(t, Options{Procs: 3, MaxChunksPerChild: 50, OnEvent: func(e Event) {
		mu.Lock()
		defer mu.Unlock()
		if story := stories[e.PID]; e.Kind != ChunkFinished || !strings.HasSuffix(story, string(e.Kind)+" ") {
			stories[e.PID] = story + string(e.Kind) + " "
		}
	}})
	for range Map(t.Context(), p, mirror, points(1000)) {
	}
	p.Close()
	whole := 0
	for pid, story := range stories {
		switch story {
		case "spawned started finished ended ":
			whole++
		case "spawned started ended ", "spawned ended ": // closed before it had a chunk, or before it said hello
		default:
			t.Errorf("process %d: %s", pid, story)
		}
	}
	if whole < 20 {
		t.Errorf("%d processes did 50 chunks: %v", whole, stories)
	}
}

// A context that ends when all is done takes nothing back.
func TestCancelAfterTheLastOutput(t *testing.T) {
	for _, backend := range backends {
		p := openPool(t, Options{Procs: 2, Backend: backend})
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		n := 0
		for _, err := range Map(ctx, p, length, slices.Values([][]byte{nil, nil})) {
			if n++; n == 2 {
				cancel()
			}
			if err != nil || n > 2 {
				t.Errorf("%s: output %d: %v", backend, n, err)
			}
		}
	}
}
