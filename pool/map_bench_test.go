package pool

import (
	"context"
	"fmt"
	"io"
	"iter"
	"os"
	"sync"
	"testing"

	"procpool/task"
)

// The pool's own costs: tasks that do next to nothing, and payloads that are
// only carried. testdata/peers has the same for Python's pools.

var increment = task.Define("increment", func(_ context.Context, n int) (int, error) { return n + 1, nil })

var reverse = task.Define("reverse", func(_ context.Context, b []byte) ([]byte, error) {
	b[0], b[len(b)-1] = b[len(b)-1], b[0]
	return b, nil
})

// benchPool opens a pool for b. What done reports is the CPU time of all
// processes for one operation, with the pool's start and end.
func benchPool(b *testing.B, o Options) (p *Pool, done func()) {
	before := cpuSeconds()
	p, err := New(b.Context(), o)
	if err != nil {
		b.Fatal(err)
	}
	return p, func() {
		b.StopTimer()
		p.Close()
		b.ReportMetric((cpuSeconds()-before)*1e9/float64(b.N), "cpu-ns/op")
	}
}

// values is MapUnordered without what it says besides.
func values[In, Out any](ctx context.Context, p *Pool, t Task[In, Out], in iter.Seq[In]) iter.Seq2[Out, error] {
	return func(yield func(Out, error) bool) {
		for out, err := range MapUnordered(ctx, p, t, in) {
			if !yield(out.Value, err) {
				return
			}
		}
	}
}

func upTo(n int) iter.Seq[int] {
	return func(yield func(int) bool) {
		for i := 0; i < n && yield(i); i++ {
		}
	}
}

// BenchmarkMapTinyInputs is the cost of an input: an int there, an int back.
func BenchmarkMapTinyInputs(b *testing.B) {
	for _, backend := range backends {
		for _, order := range []string{"ordered", "unordered"} {
			b.Run(fmt.Sprintf("%s/%s", backend, order), func(b *testing.B) {
				p, done := benchPool(b, Options{Procs: 2, Backend: backend})
				defer done()
				run := func(ctx context.Context, p *Pool, t Task[int, int], in iter.Seq[int]) iter.Seq2[int, error] {
					return Map(ctx, p, t, in)
				}
				if order == "unordered" {
					run = values[int, int]
				}
				for _, err := range run(b.Context(), p, increment, upTo(100)) { // the workers are there
					if err != nil {
						b.Fatal(err)
					}
				}
				b.ReportAllocs()
				b.ResetTimer()
				sum := 0
				for out, err := range run(b.Context(), p, increment, upTo(b.N)) {
					if err != nil {
						b.Fatal(err)
					}
					sum += out
				}
				if want := b.N * (b.N + 1) / 2; sum != want {
					b.Fatalf("the outputs add up to %d, not %d", sum, want)
				}
			})
		}
	}
}

// BenchmarkCallsAtOnce is the cost of a call of one int, of 10,000 goroutines that call at
// the same time over two workers.
func BenchmarkCallsAtOnce(b *testing.B) {
	p, done := benchPool(b, Options{Procs: 2})
	defer done()
	if _, err := Call(b.Context(), p, increment, 0); err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	b.ResetTimer()
	for left := b.N; left > 0; left -= 10_000 {
		var calls sync.WaitGroup
		for range min(left, 10_000) {
			calls.Go(func() {
				if out, err := Call(b.Context(), p, increment, 1); out != 2 || err != nil {
					b.Errorf("%d, %v", out, err)
				}
			})
		}
		calls.Wait()
	}
}

var incrementAll = task.Define("increment-all", func(_ context.Context, batch []int) ([]int, error) {
	for i := range batch {
		batch[i]++
	}
	return batch, nil
})

// BenchmarkMapBatches is what Python's chunksize does, written by hand: a
// thousand inputs travel, and fail, together. ns are of one of them.
func BenchmarkMapBatches(b *testing.B) {
	p, done := benchPool(b, Options{Procs: 2})
	defer done()
	batches := func(yield func([]int) bool) {
		batch := make([]int, 0, 1000)
		for i := range b.N {
			if batch = append(batch, i); len(batch) == cap(batch) || i == b.N-1 {
				if !yield(batch) {
					return
				}
				batch = batch[:0]
			}
		}
	}
	b.ResetTimer()
	sum := 0
	for out, err := range Map(b.Context(), p, incrementAll, batches) {
		if err != nil {
			b.Fatal(err)
		}
		for _, n := range out {
			sum += n
		}
	}
	if want := b.N * (b.N + 1) / 2; sum != want {
		b.Fatalf("the outputs add up to %d, not %d", sum, want)
	}
}

const payload = 64 << 20

// BenchmarkLargePayload carries 64 MiB to a worker and back. MB/s counts both ways.
func BenchmarkLargePayload(b *testing.B) {
	for _, backend := range []Backend{Processes, Goroutines} {
		b.Run(string(backend), func(b *testing.B) {
			p, done := benchPool(b, Options{Procs: 1, Backend: backend})
			defer done()
			in := make([]byte, payload)
			b.SetBytes(2 * payload)
			b.ResetTimer()
			for out, err := range Map(b.Context(), p, reverse, func(yield func([]byte) bool) {
				for i := 0; i < b.N && yield(in); i++ {
				}
			}) {
				if err != nil || len(out) != len(in) {
					b.Fatal(len(out), err)
				}
			}
		})
	}
}

// BenchmarkBarePipes is what LargePayload is measured against: 64 MiB through
// a pipe to another process and back through a second, and nothing else.
func BenchmarkBarePipes(b *testing.B) {
	before := cpuSeconds()
	cat := startEcho(b)
	b.SetBytes(2 * payload)
	in, out := make([]byte, payload), make([]byte, payload)
	b.ResetTimer()
	for range b.N {
		if _, err := cat.in.Write(in); err != nil {
			b.Fatal(err)
		}
		if _, err := io.ReadFull(cat.out, out); err != nil {
			b.Fatal(err)
		}
	}
	b.StopTimer()
	cat.end()
	b.ReportMetric((cpuSeconds()-before)*1e9/float64(b.N), "cpu-ns/op")
}

type echo struct {
	in, out *os.File
	proc    *os.Process
}

func (e echo) end() {
	e.in.Close()
	e.out.Close()
	e.proc.Wait()
}

// echoEnv makes this test program a process that reads 64 MiB at a time and
// writes them back.
const echoEnv = "PROCPOOL_TEST_ECHO"

func echoForever() {
	buf := make([]byte, payload)
	for {
		if _, err := io.ReadFull(os.Stdin, buf); err != nil {
			os.Exit(0)
		}
		if _, err := os.Stdout.Write(buf); err != nil {
			os.Exit(1)
		}
	}
}

func startEcho(b *testing.B) echo {
	b.Helper()
	exe, err := os.Executable()
	if err != nil {
		b.Fatal(err)
	}
	theirIn, in, err := os.Pipe()
	if err != nil {
		b.Fatal(err)
	}
	out, theirOut, err := os.Pipe()
	if err != nil {
		b.Fatal(err)
	}
	proc, err := os.StartProcess(exe, []string{exe}, &os.ProcAttr{
		Env: append(os.Environ(), echoEnv+"=1", "GOMAXPROCS=1"), Files: []*os.File{theirIn, theirOut, os.Stderr},
	})
	if err != nil {
		b.Fatal(err)
	}
	theirIn.Close()
	theirOut.Close()
	return echo{in, out, proc}
}
