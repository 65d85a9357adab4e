package pool

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// A line is an input that is noted in a file when it is computed.
type line struct {
	File  string
	N     int
	Fatal bool
}

var note = Define("note", func(_ context.Context, l line) (int, error) {
	f, err := os.OpenFile(l.File, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return 0, err
	}
	_, err = fmt.Fprintln(f, l.N)
	if f.Close(); l.Fatal {
		os.Exit(3)
	}
	return l.N, err
})

// With Retries below 0 no input is computed twice, neither the one that its worker
// died of nor its neighbours; with 0 or more the neighbours are computed again if they
// had been sent, and have outputs all the same.
func TestAtMostOnce(t *testing.T) {
	for _, perCall := range []bool{false, true} {
		for _, procs := range []int{1, 3} {
			o := Options{Procs: procs, Retries: -1}
			var opts []CallOption
			if perCall {
				o.Retries, opts = 5, []CallOption{Retries(-1)}
			}
			p := openPool(t, o)
			file := filepath.Join(t.TempDir(), "notes")
			i := 0
			for out, err := range Map(t.Context(), p, note, func(yield func(line) bool) {
				for n := range 30 {
					if !yield(line{file, n, n%7 == 5}) {
						return
					}
				}
			}, opts...) {
				var lost *LostWorkerError
				switch in, _ := InputOf(err); {
				case i%7 == 5 && (!errors.As(err, &lost) || in.Index != int64(i)):
					t.Errorf("input %d, which kills: %v", i, err)
				case i%7 != 5 && (err != nil || out != i):
					t.Errorf("input %d: %d, %v", i, out, err)
				}
				i++
			}
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			counts := make(map[string]int)
			for _, n := range strings.Fields(string(text)) {
				counts[n]++
			}
			for n := range 30 {
				if counts[fmt.Sprint(n)] != 1 {
					t.Errorf("%d workers, per call %t: input %d was computed %d times", procs, perCall, n, counts[fmt.Sprint(n)])
				}
			}
		}
	}
}

// loadEnv has this binary's workers take so long to load.
const loadEnv = "PROCPOOL_TEST_LOAD"

var loaded time.Time

func init() {
	OnStart(func(context.Context) error {
		if d, err := time.ParseDuration(os.Getenv(loadEnv)); err == nil {
			time.Sleep(d)
			loaded = time.Now()
		}
		return nil
	})
}

var isLoaded = Define("is-loaded", func(context.Context, int) (bool, error) { return !loaded.IsZero(), nil })

// What a worker loads at its start is no part of its first input's time.
func TestLoadingIsNotChargedToAnInput(t *testing.T) {
	p := openPool(t, Options{Procs: 2, Env: []string{loadEnv + "=1s"}})
	for out, err := range Map(t.Context(), p, isLoaded, upTo(10), Timeout(500*time.Millisecond), Retries(0)) {
		if !out || err != nil {
			t.Errorf("loaded: %t, %v", out, err)
		}
	}
	for _, s := range p.Stats() {
		if s.Restarts != 0 {
			t.Errorf("worker %d was replaced", s.Worker)
		}
	}
}

// One call of one int allocates at most 4 KiB, and ten thousand at once take at most
// 60 MiB of heap.
func TestWhatACallCosts(t *testing.T) {
	p := openPool(t, Options{Procs: 2})
	call := func() {
		if out, err := Call(t.Context(), p, increment, 1); out != 2 || err != nil {
			t.Errorf("%d, %v", out, err)
		}
	}
	const n = 1000
	call()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for range n {
		call()
	}
	runtime.ReadMemStats(&after)
	each := (after.TotalAlloc - before.TotalAlloc) / n
	t.Logf("%d bytes a call", each)
	if each > 4<<10 {
		t.Errorf("a call allocates %d bytes", each)
	}

	runtime.GC()
	runtime.ReadMemStats(&before)
	var calls sync.WaitGroup
	for range 10_000 {
		calls.Go(call)
	}
	calls.Wait()
	runtime.ReadMemStats(&after)
	heap, stacks := int64(after.HeapSys)-int64(before.HeapSys), int64(after.StackSys)-int64(before.StackSys)
	t.Logf("10,000 at once: %d MiB of heap, %d MiB of stacks", heap>>20, stacks>>20)
	if heap > 60<<20 {
		t.Errorf("10,000 calls at once take %d MiB of heap", heap>>20)
	}
}

// inputsOf has fake workers take as many microseconds for an input as it says, and
// yields those inputs.
func inputsOf(each ...int) func(yield func(int) bool) {
	return func(yield func(int) bool) {
		for _, us := range each {
			if !yield(us) {
				return
			}
		}
	}
}

func repeated(n, us int) (out []int) {
	for range n {
		out = append(out, us)
	}
	return out
}

// Slow inputs behind fast ones are spread over the workers, although nothing is known
// of them before they run: work that is not begun goes to those that are idle.
func TestSlowInputsBehindFastOnesAreSpread(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		inputs := append(append(repeated(1000, 0), repeated(8, 500*usMilli)...), repeated(100, 0)...)
		p := newFakeSystem(napping()).open(t, Options{Procs: 4})
		defer p.Close()
		begin, n := time.Now(), 0
		for _, err := range Map(t.Context(), p, nap, inputsOf(inputs...)) {
			if n++; err != nil {
				t.Fatal(err)
			}
		}
		took := time.Since(begin)
		t.Logf("%v, and 1s at best", took)
		if n != len(inputs) || took > 1250*time.Millisecond {
			t.Errorf("%d of %d outputs in %v, where 1s is possible", n, len(inputs), took)
		}
	})
}

// One slow input holds up none that are not waited for in order: all others are done
// before it.
func TestUnorderedOutputsDoNotWaitForASlowInput(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const n = 20_000
		p := newFakeSystem(napping()).open(t, Options{Procs: 2})
		defer p.Close()
		seen, slow := 0, -1
		for r, err := range MapUnordered(t.Context(), p, nap, inputsOf(append([]int{100 * usSecond}, repeated(n, 100)...)...)) {
			if err != nil {
				t.Fatal(err)
			}
			if r.Index == 0 {
				slow = seen
			}
			seen++
		}
		if seen != n+1 || slow < n {
			t.Errorf("%d outputs, %d of them before the slow one", seen, slow)
		}
	})
}
