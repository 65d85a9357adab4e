package pool_test

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"runtime"
	"runtime/debug"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"procpool/pool"
)

// The examples of docs/from-python.md on memory and on observation.

func Example_maxTasksPerChild() {
	p := open(pool.Options{Procs: 1, MaxChunksPerChild: 2})
	defer p.Close()
	pids, err := pool.Collect(pool.Map(context.Background(), p, pid, slices.Values([]int{1, 2, 3, 4})))
	fmt.Println(pids[0] == pids[1], pids[1] == pids[2], pids[2] == pids[3], err)
	// Output: true false true <nil>
}

var threads = pool.Define("python-threads", func(context.Context, int) (int, error) { return runtime.GOMAXPROCS(0), nil })

// A worker runs Go code on one CPU, unless the pool's options say more.
func Example_innerMaxNumThreads() {
	for _, n := range []int{0, 2} {
		p := open(pool.Options{Procs: 1, GOMAXPROCS: n})
		fmt.Println(pool.Call(context.Background(), p, threads, 0))
		p.Close()
	}
	// Output:
	// 1 <nil>
	// 2 <nil>
}

var memoryLimit = pool.Define("python-memory-limit", func(context.Context, int) (int64, error) { return debug.SetMemoryLimit(-1), nil })

func Example_memoryLimit() {
	p := open(pool.Options{Procs: 1, GOMEMLIMIT: 512 << 20})
	defer p.Close()
	limit, err := pool.Call(context.Background(), p, memoryLimit, 0)
	fmt.Println(limit>>20, "MiB", err)
	// Output: 512 MiB <nil>
}

var seen int // inputs that this worker had

var countSeen = pool.Define("python-count-seen", func(context.Context, int) (int, error) { seen++; return seen, nil })

// The state of a worker is in its package variables. It runs one input at a time.
func Example_workerState() {
	p := open(pool.Options{Procs: 1})
	defer p.Close()
	fmt.Println(pool.Collect(pool.Map(context.Background(), p, countSeen, slices.Values([]int{5, 6, 7}))))
	// Output: [1 2 3] <nil>
}

// capitals is read once in each worker, from the file that the pool's Env names.
var capitals = sync.OnceValues(func() (m map[string]string, err error) {
	text, err := os.ReadFile(os.Getenv("EXAMPLE_CAPITALS"))
	if err == nil {
		err = json.Unmarshal(text, &m)
	}
	return m, err
})

var capitalOf = pool.Define("python-capital-of", func(_ context.Context, country string) (string, error) {
	m, err := capitals()
	return m[country], err
})

// What all tasks read goes into a file. Its pages are shared between workers that map it.
func Example_sharedObjects() {
	file, err := os.CreateTemp("", "capitals-*.json")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.Remove(file.Name())
	json.NewEncoder(file).Encode(map[string]string{"Peru": "Lima", "Togo": "Lomé"})
	file.Close()

	p := open(pool.Options{Procs: 2, Env: []string{"EXAMPLE_CAPITALS=" + file.Name()}})
	defer p.Close()
	fmt.Println(pool.Collect(pool.Map(context.Background(), p, capitalOf, slices.Values([]string{"Togo", "Peru"}))))
	// Output: [Lomé Lima] <nil>
}

// Progress is the loop's own business.
func Example_progressBar() {
	p := open(pool.Options{Procs: 2})
	defer p.Close()
	in, done := []int{1, 2, 3}, 0
	for range pool.MapUnordered(context.Background(), p, square, slices.Values(in)) {
		done++
		fmt.Printf("%3d %%\n", 100*done/len(in))
	}
	// Output:
	//  33 %
	//  66 %
	// 100 %
}

// Where there is no loop, OnEvent is told of every chunk.
func Example_progressEvents() {
	var chunks atomic.Int64
	p := open(pool.Options{Procs: 2, ChunkSize: 100, EventKinds: []pool.EventKind{pool.ChunkFinished}, OnEvent: func(pool.Event) { chunks.Add(1) }})
	sum, err := pool.Sum(context.Background(), p, count, pool.Interval{End: 1000})
	p.Close() // which waits for the last event
	fmt.Println(sum, err, chunks.Load())
	// Output: 1000 <nil> 10
}

// What a process used is known when it has ended.
func Example_insights() {
	p := open(pool.Options{Procs: 1})
	for range pool.Map(context.Background(), p, square, slices.Values([]int{1, 2, 3})) {
	}
	p.Close()
	for _, s := range p.Stats() {
		fmt.Println("worker", s.Worker, "inputs", s.Chunks, "restarts", s.Restarts)
		fmt.Println(s.StartupSeconds > 0, s.UserSeconds+s.SystemSeconds > 0)
	}
	// Output:
	// worker 0 inputs 3 restarts 0
	// true true
}

// Each result has the time that its task took.
func Example_taskDuration() {
	p := open(pool.Options{Procs: 1})
	defer p.Close()
	for r, err := range pool.MapUnordered(context.Background(), p, rest, slices.Values([]time.Duration{20 * time.Millisecond})) {
		fmt.Println(r.Seconds >= 0.02, err)
	}
	// Output: true <nil>
}

var worker = pool.Define("python-worker", func(ctx context.Context, _ int) (int, error) { return pool.Worker(ctx), nil })

// A task and its result know the worker by its index. A worker that replaces another
// has its index.
func Example_workerId() {
	p := open(pool.Options{Procs: 2})
	defer p.Close()
	for r, err := range pool.MapUnordered(context.Background(), p, worker, slices.Values([]int{1, 2})) {
		fmt.Println(r.Value == r.Worker, r.Worker < p.Procs(), err)
	}
	// Output:
	// true true <nil>
	// true true <nil>
}

var logged = pool.Define("python-logged", func(_ context.Context, n int) (int, error) {
	slog.New(slog.NewJSONHandler(os.Stderr, nil)).Info("squaring", "n", n)
	return n * n, nil
})

// A worker logs to its standard error. LogLine gets each line whole, without a tag.
func Example_logToStderr() {
	p := open(pool.Options{Procs: 1, LogLine: func(worker int, line []byte) {
		var record struct {
			Msg string
			N   int
		}
		err := json.Unmarshal(line, &record)
		fmt.Println("worker", worker, record, err)
	}})
	pool.Call(context.Background(), p, logged, 3)
	p.Close()
	// Output: worker 0 {squaring 3} <nil>
}
