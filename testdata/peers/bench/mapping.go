package main

import (
	"context"
	"fmt"
	"iter"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"procpool/pool"
)

var increment = pool.Define("increment", func(_ context.Context, n int) (int, error) { return n + 1, nil })

// incrementAll is what Python's chunksize does, written by hand.
var incrementAll = pool.Define("increment all", func(_ context.Context, ns []int) ([]int, error) {
	out := make([]int, len(ns)) // on goroutines, ns is the caller's
	for i, n := range ns {
		out[i] = n + 1
	}
	return out, nil
})

// mapping measures maps on two workers that are up: many inputs that are next
// to nothing, and few that are large.
func mapping(b *bench) ([]row, error) {
	var pools [2]*pool.Pool
	for i, backend := range []pool.Backend{pool.Processes, pool.Goroutines} {
		p, err := pool.New(context.Background(), pool.Options{Procs: 2, Backend: backend})
		if err != nil {
			return nil, err
		}
		defer p.Close()
		pools[i] = p
	}
	tiny, err := tinyInputs(b, pools[0], pools[1])
	if err != nil {
		return nil, err
	}
	large, err := largeInputs(b, pools[0], pools[1])
	return append(tiny, large...), err
}

// tinyInputs are ints; figures are microseconds for one of them.
func tinyInputs(b *bench, processes, goroutines *pool.Pool) ([]row, error) {
	n := b.rounds(100_000, 10_000)
	ints := make([]int, n)
	for i := range ints {
		ints[i] = i
	}
	m := maps{b: b, what: fmt.Sprintf("an int there and back, of %d", n), unit: "µs", scale: 1e6 / float64(n)}
	want := n * (n + 1) / 2
	of := func(name string, p *pool.Pool, run mapper[int]) *contender {
		return m.contender(name, func() (time.Duration, error) {
			return mapped(run(context.Background(), p, increment, slices.Values(ints)), want, func(n int) int { return n })
		})
	}
	ordered, unordered := of("Map", processes, inOrder[int]), of("MapUnordered", processes, asFinished[int])
	m.add(ordered, of("Map on goroutines", goroutines, inOrder[int]))
	m.add(unordered, of("MapUnordered on goroutines", goroutines, asFinished[int]))
	m.add(ordered, m.python("ints", "map", 1, n))
	m.add(ordered, m.python("ints", "imap", 1, n))
	m.add(unordered, m.python("ints", "imap_unordered", 1, n))
	chunked := m.python("ints", "map", 0, n)
	m.add(ordered, chunked)
	m.add(m.contender("Map of batches of 1000", func() (time.Duration, error) {
		batches := slices.Chunk(ints, 1000)
		return mapped(pool.Map(context.Background(), processes, incrementAll, batches), want, sum)
	}), chunked)
	calls := maps{b: b, what: "a call of an int, 10000 of them at once", unit: "µs", scale: 1e6 / 10_000}
	calls.add(calls.contender("Call", func() (time.Duration, error) { return callsAtOnce(processes) }),
		calls.contender("Call on goroutines", func() (time.Duration, error) { return callsAtOnce(goroutines) }))
	m.rows, m.all = append(m.rows, calls.rows...), append(m.all, calls.all...)
	return m.rows, b.measure(b.rounds(5, 3), m.all...)
}

// callsAtOnce is how long 10,000 goroutines need that call the pool at the same time.
func callsAtOnce(p *pool.Pool) (time.Duration, error) {
	begin := time.Now()
	var calls sync.WaitGroup
	var wrong atomic.Int64
	for range 10_000 {
		calls.Go(func() {
			if out, err := pool.Call(context.Background(), p, increment, 1); out != 2 || err != nil {
				wrong.Add(1)
			}
		})
	}
	calls.Wait()
	if n := wrong.Load(); n > 0 {
		return 0, fmt.Errorf("%d of 10,000 calls failed", n)
	}
	return time.Since(begin), nil
}

func sum(ns []int) (s int) {
	for _, n := range ns {
		s += n
	}
	return s
}

// largeInputs are 32 MiB each, as in pool.py; figures are milliseconds for all
// of them. Goroutines are handed a pointer, and copy nothing.
func largeInputs(b *bench, processes, goroutines *pool.Pool) ([]row, error) {
	const n, size = 8, 32 << 20
	inputs := slices.Repeat([][]byte{make([]byte, size)}, n)
	m := maps{b: b, what: "8 x 32 MiB there and back", unit: "ms", scale: 1e3}
	of := func(name string, p *pool.Pool, run mapper[[]byte]) *contender {
		return m.contender(name, func() (time.Duration, error) {
			return mapped(run(context.Background(), p, echo, slices.Values(inputs)), n*size, func(b []byte) int { return len(b) })
		})
	}
	ordered, unordered := of("Map", processes, inOrder[[]byte]), of("MapUnordered", processes, asFinished[[]byte])
	m.add(ordered, of("Map on goroutines", goroutines, inOrder[[]byte]))
	m.add(unordered, of("MapUnordered on goroutines", goroutines, asFinished[[]byte]))
	m.add(ordered, m.python("payloads", "map", 0, n))
	m.add(ordered, m.python("payloads", "imap", 1, n))
	m.add(unordered, m.python("payloads", "imap_unordered", 1, n))
	return m.rows, b.measure(b.rounds(5, 1), m.all...)
}

func inOrder[T any](ctx context.Context, p *pool.Pool, t pool.Task[T, T], in iter.Seq[T]) iter.Seq2[T, error] {
	return pool.Map(ctx, p, t, in)
}

func asFinished[T any](ctx context.Context, p *pool.Pool, t pool.Task[T, T], in iter.Seq[T]) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		for out, err := range pool.MapUnordered(ctx, p, t, in) {
			if !yield(out.Value, err) {
				return
			}
		}
	}
}

// A mapper is inOrder or asFinished: pool.Map or pool.MapUnordered.
type mapper[T any] func(context.Context, *pool.Pool, pool.Task[T, T], iter.Seq[T]) iter.Seq2[T, error]

// mapped is how long the results took, which must be worth so much together.
func mapped[T any](results iter.Seq2[T, error], want int, worth func(T) int) (time.Duration, error) {
	begin := time.Now()
	got := 0
	for out, err := range results {
		if err != nil {
			return 0, err
		}
		got += worth(out)
	}
	if got != want {
		return 0, fmt.Errorf("the results are worth %d, not %d", got, want)
	}
	return time.Since(begin), nil
}

// maps are the rows of one kind of inputs, and all who take part in them.
type maps struct {
	b          *bench
	what, unit string
	scale      float64 // from seconds of a whole map to the unit
	rows       []row
	all        []*contender
}

func (m *maps) contender(name string, run func() (time.Duration, error)) *contender {
	return &contender{name: name, run: func() (float64, error) {
		took, err := run()
		return took.Seconds() * m.scale, err
	}}
}

// add puts a peer, if it is there, beside ours.
func (m *maps) add(ours, peer *contender) {
	if peer == nil {
		return
	}
	for _, c := range []*contender{ours, peer} {
		if !slices.Contains(m.all, c) {
			m.all = append(m.all, c)
		}
	}
	m.rows = append(m.rows, row{what: m.what + ", by " + ours.name, ours: ours, peer: peer, unit: m.unit, ratio: faster})
}

// python is a method of multiprocessing.Pool, or nil without Python; chunksize 0 is the pool's own choice.
func (m *maps) python(inputs, method string, chunksize, n int) *contender {
	if m.b.python == "" {
		return nil
	}
	command := []string{m.b.python, poolPy, inputs, method, strconv.Itoa(chunksize), strconv.Itoa(n)}
	name := fmt.Sprintf("Pool.%s, chunksize %d", method, chunksize)
	if chunksize == 0 {
		name = fmt.Sprintf("Pool.%s, its own chunksize", method)
	}
	return &contender{name: name, command: command, run: func() (float64, error) {
		seconds, err := printed(command...)
		return seconds * m.scale, err
	}}
}
