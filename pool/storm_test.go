package pool

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"
)

var stormFor = flag.Duration("storm", time.Second, "how long TestStormOfCalls goes on with each backend")

// burst panics for some of its inputs.
var burst = Define("burst", func(_ context.Context, n int) (int, error) {
	if n%5 == 0 {
		panic("it bursts")
	}
	return n, nil
})

// A callStorm is many callers of one pool, and what came of their calls.
type callStorm struct {
	p      *Pool
	mu     sync.Mutex
	counts map[string]int
	wrong  []string
}

func (s *callStorm) count(what string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.counts[what]++
}

func (s *callStorm) check(ok bool, format string, args ...any) {
	if ok {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.wrong = append(s.wrong, fmt.Sprintf(format, args...))
}

// stormCalls are calls whose end is known.
var stormCalls = []func(ctx context.Context, s *callStorm){
	func(ctx context.Context, s *callStorm) {
		n := rand.IntN(1000)
		out, err := Call(ctx, s.p, increment, n)
		s.check(err == nil && out == n+1, "increment of %d is %d, %v", n, out, err)
	},
	func(ctx context.Context, s *callStorm) {
		end, i := rand.IntN(60), 0
		for out, err := range Map(ctx, s.p, increment, upTo(50)) {
			if i == end {
				return // before all of them were taken
			}
			s.check(err == nil && out == i+1, "output %d is %d, %v", i, out, err)
			i++
		}
		s.check(i == 50, "%d outputs of 50", i)
	},
	func(ctx context.Context, s *callStorm) {
		n := int64(1 + rand.IntN(5000))
		sum, err := Sum(ctx, s.p, tally, Interval{End: n})
		s.check(err == nil && sum == n, "the sum of %d is %d, %v", n, sum, err)
	},
	func(ctx context.Context, s *callStorm) {
		n := 1 + rand.IntN(20)
		out, err := Call(ctx, s.p, burst, n)
		var failed *TaskError
		s.check(err == nil && out == n && n%5 != 0 || n%5 == 0 && errors.As(err, &failed), "burst of %d is %d, %v", n, out, err)
	},
	func(ctx context.Context, s *callStorm) {
		ctx, cancel := context.WithTimeout(ctx, rand.N(3*time.Millisecond))
		defer cancel()
		_, err := Call(ctx, s.p, nap, 3600*usSecond)
		s.check(errors.Is(err, context.DeadlineExceeded), "a call that was cancelled: %v", err)
		s.count("cancelled")
	},
	func(ctx context.Context, s *callStorm) {
		ctx, cancel := context.WithCancel(ctx)
		defer cancel()
		seen := 0
		for r, err := range MapUnordered(ctx, s.p, increment, upTo(200)) {
			if err != nil {
				s.check(errors.Is(err, context.Canceled), "a map that was cancelled: %v", err)
				break
			}
			s.check(r.Value == int(r.Index)+1, "output %d is %d", r.Index, r.Value)
			if seen++; seen == 20 {
				cancel()
			}
		}
		s.count("cancelled")
	},
	func(ctx context.Context, s *callStorm) {
		for _, callback := range callbacks { // any of them: maps have no order
			s.leave(ctx, callback, []string{"error", "panic", "Goexit", "break"}[rand.IntN(4)])
			return
		}
	},
}

// leave has user code end in a callback, on a goroutine of its own.
func (s *callStorm) leave(ctx context.Context, callback func(context.Context, *Pool, string) error, how string) {
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		defer func() {
			if v := recover(); v != nil && v != "user code panics" {
				panic(v) // a fault of the pool's
			}
		}()
		callback(ctx, s.p, how)
	}()
	<-ended
	s.count(how)
}

// Many callers share a pool; their calls are cancelled, break off, fail, and their
// callbacks panic or end their goroutines. Every other call has its result, nobody waits
// for ever, and the pool is whole in the end.
func TestStormOfCalls(t *testing.T) {
	for _, backend := range backends {
		t.Run(string(backend), func(t *testing.T) {
			s := &callStorm{p: openPool(t, Options{Procs: 3, Backend: backend, ChunkSize: 10}), counts: make(map[string]int)}
			var callers sync.WaitGroup
			var longest sync.Map
			for i := range 24 {
				callers.Go(func() {
					most := time.Duration(0)
					for begin := time.Now(); time.Since(begin) < *stormFor; {
						asked := time.Now()
						stormCalls[rand.IntN(len(stormCalls))](t.Context(), s)
						most = max(most, time.Since(asked))
						s.count("calls")
					}
					longest.Store(i, most)
				})
			}
			time.Sleep(*stormFor)
			inTime(t, callers.Wait)
			most := time.Duration(0)
			longest.Range(func(_, d any) bool { most = max(most, d.(time.Duration)); return true })
			for _, text := range s.wrong[:min(len(s.wrong), 10)] {
				t.Error(text)
			}
			c := s.counts
			t.Logf("%d calls by 24 callers, of which %d were cancelled; callbacks: %d panics, %d Goexits, %d errors, %d breaks; wrong: %d, starved: 0, the longest took %v",
				c["calls"], c["cancelled"], c["panic"], c["Goexit"], c["error"], c["break"], len(s.wrong), most.Round(time.Millisecond))
			if c["panic"] == 0 || c["cancelled"] == 0 {
				t.Error("there was no storm")
			}
			s.p.whole(t)
		})
	}
}
