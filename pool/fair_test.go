package pool

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"procpool/ipc"
)

// napping has the workers of a fake system take as long for a request as it says:
// an input of nap so many microseconds, an interval that starts at i<<40 as long as
// takes[i].
func napping(takes ...time.Duration) func(*fakeWorker) exitStatus {
	return func(w *fakeWorker) exitStatus {
		return w.Work(func(r fakeRequest) fakeJob {
			if r.Arg == nil {
				return fakeJob{Takes: takes[r.Interval.Start>>40]}
			}
			var us int
			if err := ipc.DecodeValue(r.Arg, &us); err != nil {
				panic(err)
			}
			return fakeJob{Takes: time.Duration(us) * time.Microsecond}
		})
	}
}

// naps are tasks like nap, one for each time that the chunks of a share take.
var (
	napLengths = []time.Duration{100 * time.Microsecond, time.Millisecond, 10 * time.Millisecond, 100 * time.Millisecond, 3 * time.Second}
	naps       = make(map[time.Duration]Task[int, int])
)

func init() {
	for _, length := range napLengths {
		naps[length] = Define("nap of "+length.String(), takeNap)
	}
}

// A share is a call of n chunks that take the same time each.
type share struct {
	kind   string // "map", "unordered", "sum", "once", "calls", "prefetched"
	n      int
	takes  time.Duration
	arrive time.Duration
}

func (s share) String() string {
	return fmt.Sprintf("%s of %d x %v after %v", s.kind, s.n, s.takes, s.arrive)
}

// run runs the i-th share and returns how long it took.
func (s share) run(t *testing.T, p *Pool, i int) time.Duration {
	begin := time.Now()
	inputs := func(yield func(int) bool) {
		for range s.n {
			if !yield(int(s.takes / time.Microsecond)) {
				return
			}
		}
	}
	var opts []CallOption
	switch s.kind {
	case "sum":
		start := int64(i) << 40
		if _, err := Sum(t.Context(), p, pi, ipc.Interval{Start: start, End: start + int64(s.n)*span}); err != nil {
			t.Error(err)
		}
		return time.Since(begin)
	case "calls": // all at once
		var calls sync.WaitGroup
		for us := range inputs {
			calls.Go(func() {
				if _, err := Call(t.Context(), p, naps[s.takes], us); err != nil {
					t.Error(err)
				}
			})
		}
		calls.Wait()
		return time.Since(begin)
	case "once":
		opts = append(opts, Retries(-1))
	case "prefetched":
		opts = append(opts, Prefetch(5))
	case "unordered":
		for _, err := range MapUnordered(t.Context(), p, naps[s.takes], inputs) {
			if err != nil {
				t.Error(err)
			}
		}
		return time.Since(begin)
	}
	for _, err := range Map(t.Context(), p, naps[s.takes], inputs, opts...) {
		if err != nil {
			t.Error(err)
		}
	}
	return time.Since(begin)
}

// runAll runs shares at once on a pool of their own.
func runAll(t *testing.T, procs int, shares ...share) []time.Duration {
	var takes []time.Duration
	for _, s := range shares {
		takes = append(takes, s.takes)
	}
	p := newFakeSystem(napping(takes...)).open(t, Options{Procs: procs, ChunkSize: span})
	if err := p.Ready(t.Context()); err != nil {
		t.Fatal(err)
	}
	time.Sleep(time.Millisecond) // all workers are there
	took := make([]time.Duration, len(shares))
	var all sync.WaitGroup
	for i, s := range shares {
		all.Go(func() {
			time.Sleep(s.arrive)
			took[i] = s.run(t, p, i)
		})
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		for range 200 {
			if err := p.check(); err != nil {
				t.Errorf("%v: %v", shares, err)
				return
			}
			time.Sleep(7*time.Millisecond + 300*time.Microsecond)
		}
	}()
	all.Wait()
	<-done
	if err := p.check(); err != nil {
		t.Error(err)
	}
	p.Close()
	return took
}

// mixture makes up some calls, and how many workers there are for them.
func mixture(seed int) (procs int, shares []share) {
	kinds := []string{"map", "unordered", "sum", "once", "calls", "prefetched"}
	numbers := []int{1, 3, 20, 150, 600}
	rng := rand.New(rand.NewPCG(uint64(seed), 1))
	procs = 1 + rng.IntN(4)
	for range 2 + rng.IntN(4) {
		s := share{kinds[rng.IntN(len(kinds))], numbers[rng.IntN(len(numbers))], napLengths[rng.IntN(len(napLengths))], 0}
		if s.kind == "calls" {
			s.n = min(s.n, 20)
		}
		if rng.IntN(2) == 0 {
			s.arrive = time.Duration(rng.IntN(int(time.Second)))
		}
		shares = append(shares, s)
	}
	return procs, shares
}

// Of k calls at once each is done within k + 1 times its time alone, and some chunks
// of the others, which nobody takes away from a worker that has begun them.
func TestEachOfSeveralCallsGetsItsShare(t *testing.T) {
	seeds := *fairSeeds
	worst := 0.0
	for seed := range seeds {
		procs, shares := mixture(seed)
		var alone, together []time.Duration
		for i, s := range shares {
			synctest.Test(t, func(t *testing.T) {
				s.arrive = 0
				others := make([]share, i+1)
				others[i] = s
				alone = append(alone, runAll(t, procs, others[i:]...)...)
			})
		}
		synctest.Test(t, func(t *testing.T) { together = runAll(t, procs, shares...) })
		for i, s := range shares {
			k, longest, each := 0, time.Duration(0), time.Duration(0)
			for j, other := range shares {
				calls := 1
				if other.kind == "calls" {
					calls = other.n
				}
				k += calls
				if j != i {
					longest = max(longest, other.takes)
					each += max(time.Duration(calls)*other.takes/time.Duration(procs), other.takes)
				}
			}
			slack := longest + each + 50*time.Millisecond
			worst = max(worst, (together[i]-time.Duration(k+1)*alone[i]).Seconds()/slack.Seconds())
			if together[i] > time.Duration(k+1)*alone[i]+slack {
				t.Errorf("seed %d, %d workers: %v: alone %v, %v beside %v", seed, procs, s, alone[i], together[i], shares)
			}
		}
	}
	t.Logf("%d mixtures: at worst %.2f of the chunks that may be in the way", seeds, worst)
}

var fairSeeds = flag.Int("fair", 25, "how many mixtures of calls the test of shares tries")
