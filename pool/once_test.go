package pool

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"iter"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// A deed is an input that leaves a mark when it is begun, and may then do worse.
type deed struct {
	File string // the mark is a line at its end
	Name string
	Does string // "exit", "sleep" until the context is done, "ignore" even that; else it returns
}

var doDeed = Define("deed", func(ctx context.Context, d deed) (string, error) {
	f, err := os.OpenFile(d.File, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return "", err
	}
	_, err = f.WriteString(d.Name + "\n") // one write: nothing comes between
	f.Close()
	switch d.Does {
	case "exit":
		os.Exit(3)
	case "sleep":
		<-ctx.Done()
		return "", ctx.Err()
	case "ignore":
		time.Sleep(time.Hour)
	case "rest":
		time.Sleep(5 * time.Millisecond)
	}
	return d.Name, err
})

// deeds are n inputs, the i-th of which does does[i], if there is that.
func deeds(file string, n int, does map[int]string) iter.Seq[deed] {
	return func(yield func(deed) bool) {
		for i := range n {
			what := does[i]
			if what == "" {
				what = "rest"
			}
			if !yield(deed{file, fmt.Sprint(i), what}) {
				return
			}
		}
	}
}

// marks counts the marks in a file by name.
func marks(t *testing.T, file string) map[string]int {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	counts := make(map[string]int)
	for line := range bytes.Lines(b) {
		counts[strings.TrimSpace(string(line))]++
	}
	return counts
}

// With Retries(-1) no input is begun twice, whatever happens to workers, and one that
// may have been begun says so.
func TestAtMostOnceMeansIt(t *testing.T) {
	for name, c := range map[string]struct {
		procs int
		does  map[int]string
		opts  []CallOption
		lost  bool // those that fail do so with a lost worker, else with a timeout
	}{
		"one worker exits":       {1, map[int]string{5: "exit"}, nil, true},
		"several workers exit":   {2, map[int]string{0: "exit", 7: "exit", 8: "exit"}, nil, true},
		"a timeout is heeded":    {2, map[int]string{3: "sleep"}, []CallOption{Timeout(200 * time.Millisecond)}, false},
		"a timeout is ignored":   {2, map[int]string{3: "ignore"}, []CallOption{Timeout(200 * time.Millisecond)}, false},
		"with inputs prefetched": {2, map[int]string{5: "exit"}, []CallOption{Prefetch(8)}, true},
	} {
		t.Run(name, func(t *testing.T) {
			const n = 12
			file := filepath.Join(t.TempDir(), "marks")
			p := openPool(t, Options{Procs: c.procs, CancelGrace: 50 * time.Millisecond})
			i := 0
			for out, err := range Map(t.Context(), p, doDeed, deeds(file, n, c.does), append(c.opts, Retries(-1))...) {
				var lost *LostWorkerError
				var late *TimeoutError
				switch {
				case c.does[i] == "" && (err != nil || out != fmt.Sprint(i)):
					t.Errorf("input %d: %q, %v", i, out, err)
				case c.does[i] != "" && c.lost && (!errors.As(err, &lost) || !lost.MayHaveRun || lost.Input.Index != int64(i) || !strings.Contains(err.Error(), "may have been computed")):
					t.Errorf("input %d: %v", i, err)
				case c.does[i] != "" && !c.lost && (!errors.As(err, &late) || late.Attempts != 1):
					t.Errorf("input %d: %v", i, err)
				}
				i++
			}
			counts := marks(t, file)
			for i := range n {
				if counts[fmt.Sprint(i)] != 1 {
					t.Errorf("input %d was begun %d times", i, counts[fmt.Sprint(i)])
				}
			}
			if i != n {
				t.Errorf("%d outputs", i)
			}
			p.whole(t)
		})
	}
}

// The same for calls that end before their inputs do, one after the other.
func TestAtMostOnceThroughCancels(t *testing.T) {
	file := filepath.Join(t.TempDir(), "marks")
	p := openPool(t, Options{Procs: 2, CancelGrace: 20 * time.Millisecond})
	for i := range 10 {
		ctx, cancel := context.WithTimeout(t.Context(), time.Duration(5+rand.IntN(20))*time.Millisecond)
		for range Map(ctx, p, doDeed, func(yield func(deed) bool) {
			for j := range 100 {
				does := []string{"rest", "sleep", "ignore"}[j*i%3]
				if !yield(deed{file, fmt.Sprint(i, "-", j), does}) {
					return
				}
			}
		}, Retries(-1)) {
		}
		cancel()
	}
	p.whole(t)
	for name, n := range marks(t, file) {
		if n > 1 {
			t.Errorf("%s was begun %d times", name, n)
		}
	}
}

// A storm of deaths, timeouts, cancels and other calls on the same workers sends no
// input twice that may be sent once.
func TestAtMostOnceInAStorm(t *testing.T) {
	total := 0
	for seed := range uint64(20) {
		synctest.Test(t, func(t *testing.T) {
			var mu sync.Mutex
			rng := rand.New(rand.NewPCG(seed, 3))
			random := func(n int) int {
				mu.Lock()
				defer mu.Unlock()
				return rng.IntN(n)
			}
			begun := make(map[string]int)
			system := newFakeSystem(func(w *fakeWorker) exitStatus {
				return w.Work(func(r fakeRequest) fakeJob {
					job := fakeJob{Takes: time.Duration(random(60)) * time.Millisecond, Dies: random(20) == 0, Ignores: random(10) == 0}
					if r.Task == doDeed.Spec().Name {
						job.Value = encoded("done")
						mu.Lock()
						begun[string(r.Arg)]++
						mu.Unlock()
					}
					return job
				})
			})
			p := system.open(t, Options{Procs: 3, CancelGrace: 20 * time.Millisecond})
			p.checkNowAndThen(t, 7*time.Millisecond)
			ctx, cancel := context.WithCancel(t.Context())
			var calls sync.WaitGroup
			calls.Go(func() {
				for range MapUnordered(ctx, p, nap, endlessly(1), Prefetch(3)) {
				}
			})
			for i := range 6 {
				calls.Go(func() {
					ctx, cancel := context.WithTimeout(ctx, time.Duration(100+random(2000))*time.Millisecond)
					defer cancel()
					for _, err := range Map(ctx, p, doDeed, deeds(fmt.Sprint(i), 50, nil), Retries(-1), Timeout(40*time.Millisecond)) {
						var lost *LostWorkerError
						if errors.As(err, &lost) && !lost.MayHaveRun {
							t.Error(err)
						}
						if random(60) == 0 {
							break
						}
					}
				})
			}
			time.Sleep(3 * time.Second)
			cancel()
			calls.Wait()
			p.Close()
			for input, n := range begun {
				if n > 1 {
					t.Errorf("seed %d: %q was begun %d times", seed, input, n)
				}
			}
			total += len(begun)
		})
	}
	t.Logf("%d inputs were begun", total)
	if total < 500 {
		t.Error("too few to show anything")
	}
}
