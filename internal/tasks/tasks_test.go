package tasks

import (
	"context"
	"errors"
	"math"
	"math/bits"
	"math/rand/v2"
	"os"
	"slices"
	"sync"
	"testing"

	"procpool/internal/kernel"
	"procpool/internal/leak"
	"procpool/ipc"
	"procpool/task"
)

func TestMain(m *testing.M) { os.Exit(leak.Watch(m).Run()) }

// A subject is a task and a function that computes its value, index by index, in
// another way.
type subject struct {
	name   string
	oracle func(iv ipc.Interval) any
	length int64 // of a quick interval
}

var subjects = []subject{
	{"pi", func(iv ipc.Interval) any { return plainPi(iv) }, 5000},
	{"pi-fast", func(iv ipc.Interval) any { sum := kernel.PiFast(iv.Start, iv.End); return sum.Value() }, 500_000},
	{"primes", func(iv ipc.Interval) any { return sieve(iv) }, 5000},
	{"alloc", sumOf(heapTree), 600},
	{"table", sumOf(walk), 600},
	{"counter", sumOf(splitMix), 70_000},
	{"pagefault", sumOf(pages), 150},
}

func sumOf(f func(i uint64) uint64) func(ipc.Interval) any {
	return func(iv ipc.Interval) any {
		var sum uint64
		for i := iv.Start; i < iv.End; i++ {
			sum += f(uint64(i))
		}
		return sum
	}
}

func plainPi(iv ipc.Interval) float64 {
	sum := 0.0
	for i := iv.Start; i < iv.End; i++ {
		sum += float64(4-8*(i%2)) / float64(2*i+1)
	}
	return sum
}

// sieve counts the primes below iv.End that are in iv.
func sieve(iv ipc.Interval) int64 {
	composite := make([]bool, iv.End)
	var count int64
	for i := int64(2); i < iv.End; i++ {
		if composite[i] {
			continue
		}
		if i >= iv.Start {
			count++
		}
		for j := 2 * i; j < iv.End; j += i {
			composite[j] = true
		}
	}
	return count
}

// splitMix is mix as its authors write it: a generator with a state.
func splitMix(i uint64) uint64 {
	state := i
	state += 0x9e3779b97f4a7c15
	z := state
	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9
	z = (z ^ (z >> 27)) * 0x94d049bb133111eb
	return z ^ (z >> 31)
}

// heapTree folds the 127 nodes in an array, without pointers.
func heapTree(i uint64) uint64 {
	var place, folded [256]uint64
	place[1] = splitMix(i)
	for k := 2; k < 128; k++ {
		place[k] = 2*place[k/2] + uint64(k%2)
	}
	for k := 127; k > 0; k-- {
		folded[k] = splitMix(place[k]) + 3*folded[2*k] + 5*folded[2*k+1]
	}
	return folded[1]
}

func walk(i uint64) uint64 {
	at := splitMix(i) & (1<<21 - 1)
	for range 64 {
		at = uint64(permutation()[at])
	}
	return at
}

func pages(i uint64) uint64 {
	var sum uint64
	for page := range uint64(16) {
		sum += splitMix(splitMix(i) + page<<12)
	}
	return sum
}

func spec(t *testing.T, name string) *task.Spec {
	t.Helper()
	s, ok := task.Lookup(name)
	if !ok {
		t.Fatalf("no task %q", name)
	}
	if err := s.Check(); err != nil {
		t.Fatal(err)
	}
	return s
}

// total runs a task over parts, through the encoding that a worker would send.
func total(t *testing.T, s *task.Spec, parts []ipc.Interval) any {
	t.Helper()
	fold := s.NewFold(1)
	for _, iv := range parts {
		value, err := s.RunInterval(t.Context(), iv, nil)
		if err != nil {
			t.Fatal(err)
		}
		if err := fold.Decode(0, value); err != nil {
			t.Fatal(err)
		}
		fold.Add(0)
	}
	return fold.Value()
}

func TestEveryTaskIsTested(t *testing.T) {
	var names []string
	for _, s := range subjects {
		names = append(names, s.name)
		if spec := spec(t, s.name); spec.Computes == "" || spec.Stresses == "" {
			t.Errorf("%s does not say what it does", s.name)
		}
	}
	slices.Sort(names)
	if got := task.Names(); !slices.Equal(got, names) {
		t.Errorf("tasks are %q, tested are %q", got, names)
	}
}

func TestTasksAgreeWithTheirOracles(t *testing.T) {
	for _, sub := range subjects {
		t.Run(sub.name, func(t *testing.T) {
			s := spec(t, sub.name)
			for _, iv := range []ipc.Interval{{}, {Start: 0, End: 1}, {Start: 0, End: 3}, {Start: 0, End: sub.length}, {Start: s.Grain, End: s.Grain + sub.length}} {
				got, want := total(t, s, []ipc.Interval{iv}), sub.oracle(iv)
				if got != want {
					t.Errorf("%s over %v = %v, want %v", sub.name, iv, got, want)
				}
			}
		})
	}
}

// TestExactTasksDoNotDependOnCuts covers every task but pi, in random order.
func TestExactTasksDoNotDependOnCuts(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 1))
	for _, sub := range subjects {
		s := spec(t, sub.name)
		if s.Exact == (sub.name == "pi") {
			t.Errorf("%s: exact is %v", sub.name, s.Exact)
		}
		if !s.Exact {
			continue
		}
		whole := ipc.Interval{Start: 0, End: sub.length}
		want := total(t, s, []ipc.Interval{whole})
		for range 3 {
			parts := slices.Collect(ipc.SplitGrid(whole, 1+rng.IntN(9), s.Grain).All())
			rng.Shuffle(len(parts), func(i, j int) { parts[i], parts[j] = parts[j], parts[i] })
			if got := total(t, s, parts); got != want {
				t.Errorf("%s over %v = %v, want %v", sub.name, parts, got, want)
			}
		}
	}
}

func TestPiHasTheTutorialsDigits(t *testing.T) {
	const n = 100_000_000
	whole := ipc.Interval{Start: 0, End: n}
	if got := total(t, Pi.Spec(), []ipc.Interval{whole}); got != 3.1415926435893260 {
		t.Errorf("one interval: %.16f", got)
	}
	if got := total(t, Pi.Spec(), slices.Collect(ipc.SplitGrid(whole, 4, 1).All())); got != 3.1415926435898172 {
		t.Errorf("four intervals: %.16f", got)
	}
	if got := total(t, PiFast.Spec(), []ipc.Interval{whole}).(float64); math.Abs(got-(math.Pi-1.0/n)) > 1e-15 {
		t.Errorf("pi-fast: %.17f", got)
	}
}

// TestConcurrentRuns is mainly for the race detector.
func TestConcurrentRuns(t *testing.T) {
	for _, sub := range subjects {
		s := spec(t, sub.name)
		iv := ipc.Interval{Start: 0, End: sub.length}
		want := total(t, s, []ipc.Interval{iv})
		var wg sync.WaitGroup
		for range 4 {
			wg.Go(func() {
				fold := s.NewFold(1)
				if err := fold.Compute(t.Context(), 0, iv); err != nil {
					t.Error(err)
				}
				if got := fold.CellValue(0); got != want {
					t.Errorf("%s beside itself = %v, want %v", sub.name, got, want)
				}
			})
		}
		wg.Wait()
	}
}

// An expiring context is cancelled when it is asked the third time. A task that asks
// less often than that fails the test.
type expiring struct {
	context.Context
	asked int
}

func (c *expiring) Err() error {
	if c.asked++; c.asked > 2 {
		return context.Canceled
	}
	return nil
}

// TestTasksStop runs intervals that would take years.
func TestTasksStop(t *testing.T) {
	for _, sub := range subjects {
		s := spec(t, sub.name)
		for _, start := range []int64{0, ipc.MaxIndex - 1<<40} {
			iv := ipc.Interval{Start: start, End: ipc.MaxIndex}
			_, err := s.RunInterval(&expiring{Context: t.Context()}, iv, nil)
			if !errors.Is(err, context.Canceled) {
				t.Errorf("%s over %v: %v", sub.name, iv, err)
			}
		}
	}
}

// TestPrimesStop stops within a single number: 2^61-1 is prime, and takes a
// billion divisions.
func TestPrimesStop(t *testing.T) {
	_, err := primes(&expiring{Context: t.Context()}, ipc.Interval{Start: 1<<61 - 1, End: 1 << 61})
	if !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

func TestPermutationIsOneCycle(t *testing.T) {
	next := permutation()
	at, hops := uint32(0), 0
	for {
		at = next[at]
		hops++
		if at == 0 || hops > len(next) {
			break
		}
	}
	if hops != len(next) || bits.OnesCount(uint(hops)) != 1 {
		t.Errorf("entry 0 comes back after %d hops of %d", hops, len(next))
	}
}

// TestKnownSums has values that may change only together with a task's version.
func TestKnownSums(t *testing.T) {
	for name, want := range map[string]any{
		"primes":    int64(168),
		"alloc":     uint64(4030226520863483714),
		"table":     uint64(1054835770),
		"counter":   uint64(4839925025133175650),
		"pagefault": uint64(6406941536336334303),
		"pi":        3.140592653839794,
		"pi-fast":   3.140592653839793,
	} {
		if got := total(t, spec(t, name), []ipc.Interval{{Start: 0, End: 1000}}); got != want {
			t.Errorf("%s over [0, 1000) = %v, want %v", name, got, want)
		}
	}
}

func BenchmarkTasks(b *testing.B) {
	for _, sub := range subjects {
		s, _ := task.Lookup(sub.name)
		b.Run(sub.name, func(b *testing.B) {
			fold := s.NewFold(1)
			for b.Loop() {
				if err := fold.Compute(b.Context(), 0, ipc.Interval{Start: 0, End: sub.length}); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(sub.length), "ns/index")
		})
	}
}
