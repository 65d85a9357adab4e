package compare

import (
	"bytes"
	"context"
	"errors"
	"os"
	"reflect"
	"runtime/metrics"
	"slices"
	"strings"
	"testing"
	"time"

	"procpool/child"
	"procpool/internal/leak"
	"procpool/ipc"
	"procpool/placement"
	"procpool/pool"
	"procpool/task"
)

func TestMain(m *testing.M) {
	child.Main()
	os.Setenv("GORACE", "atexit_sleep_ms=0") // or each of many processes takes a second to end
	os.Exit(leak.Watch(m).Run())
}

// The task pi is the tutorial's task, whose bits depend on cuts and order.
var _ = task.DefineSum("pi", func(ctx context.Context, iv ipc.Interval) (float64, error) {
	sum := 0.0
	for i := iv.Start; i < iv.End; i++ {
		sum += float64(4-8*(i%2)) / float64(2*i+1)
	}
	return sum, ctx.Err()
}, func(a, b float64) float64 { return a + b }, task.Grain(10))

// The task garbage keeps the collector busy.
var _ = task.DefineSum("garbage", func(ctx context.Context, iv ipc.Interval) (int, error) {
	kept, sum := make([][]byte, 64), 0
	for i := iv.Start; i < iv.End; i++ {
		kept[i%64] = make([]byte, 4096)
		sum += len(kept[(i*7)%64])
	}
	return int(iv.Len()) + 0*sum, ctx.Err()
}, func(a, b int) int { return a + b })

// The task whoami breaks the rule: its value depends on the process that computes it.
var _ = task.DefineSum("whoami", func(context.Context, ipc.Interval) (int, error) { return os.Getpid(), nil },
	func(a, b int) int { return a + b })

var _ = task.DefineSum("failing", func(context.Context, ipc.Interval) (int, error) { return 0, errors.New("no such luck") },
	func(a, b int) int { return a + b })

// cells are one of every kind, all of the same task and cuts.
func cells(name string, size int64) []Cell {
	cell := func(b pool.Backend, workers int) Cell {
		return Cell{Task: name, Backend: b, Workers: workers, Interval: ipc.Interval{Start: 20, End: 20 + size}, ChunkSize: size/7/10*10 + 10}
	}
	warm := cell(pool.Processes, 2)
	warm.Warm = true
	return []Cell{cell(pool.Serial, 1), cell(pool.Goroutines, 3), cell(pool.Threads, 2), cell(pool.Processes, 1), cell(pool.Processes, 3),
		warm}
}

func TestEveryCellGivesTheSameBitsAndACoherentTimeline(t *testing.T) {
	var first Run
	for _, c := range cells("pi", 20_000) {
		r, err := Pools{}.Run(t.Context(), c)
		if errors.Is(err, errors.ErrUnsupported) {
			t.Logf("%v: %v", c, err)
			continue
		} else if err != nil {
			t.Fatalf("%v: %v", c, err)
		}
		if first.Value.Bits == "" {
			first = r
		} else if r.Value != first.Value {
			t.Errorf("%v gives %v, %v gives %v", c, r.Value, cells("pi", 20_000)[0], first.Value)
		}
		if err := r.SumPhases(); err != nil {
			t.Errorf("%v: %v", c, err)
		}
		inner, err := runRequest{Cell: c, GOMAXPROCS: 1}.run(t.Context()) // whose spans do not travel
		if err != nil {
			t.Fatalf("%v: %v", c, err)
		}
		checkWorkers(t, c, inner)
		checkTerms(t, c, r)
		if cpu, ok := r.Parent.CPUSeconds().Get(); !ok || cpu <= 0 || r.Parent.PID == os.Getpid() {
			t.Errorf("%v: its parent is %+v", c, r.Parent)
		}
	}
	if !strings.HasPrefix(first.Value.Text, "-") && len(first.Value.Bits) != 16 {
		t.Errorf("value %+v", first.Value)
	}
}

// checkWorkers checks that the workers' spans leave no gap until the parent is
// alone, and that there is as much computing as chunks.
func checkWorkers(t *testing.T, c Cell, r Run) {
	t.Helper()
	want := c.Workers
	if c.Backend == pool.Serial {
		want = 0
	}
	if len(r.Workers) != want {
		t.Fatalf("%v has %d workers", c, len(r.Workers))
	}
	computed, pids := 0, map[int]bool{}
	for _, w := range append(slices.Clone(r.Workers), r.Parent) {
		at := 0.0
		for _, s := range w.Spans {
			if s.Phase == PhaseCompute {
				computed++
			}
			if w.Index >= 0 && s.Phase != PhaseGC && s.Start != at {
				t.Errorf("%v worker %d: nothing is known of [%g, %g]", c, w.Index, at, s.Start)
			}
			at = max(at, s.End)
		}
		if w.Index >= 0 && c.Backend == pool.Processes && w.seconds(PhaseCompute) > 0 {
			if cpu, ok := w.CPUSeconds().Get(); !ok || cpu <= 0 || pids[w.PID] || w.PID == r.Parent.PID {
				t.Errorf("%v worker %d: PID %d, usage %+v", c, w.Index, w.PID, w.Resources)
			}
			pids[w.PID] = true
		}
	}
	if computed != 7 {
		t.Errorf("%v: %d spans of computing for 7 chunks", c, computed)
	}
	if spawns := slices.ContainsFunc(r.Workers, func(w WorkerRun) bool { return w.seconds(PhaseSpawn) > 0 }); spawns != (c.Backend == pool.Processes && !c.Warm) {
		t.Errorf("%v: its workers were started within the run: %v", c, spawns)
	}
}

func checkTerms(t *testing.T, c Cell, r Run) {
	t.Helper()
	budget := "GOGC="
	if os.Getenv("GOGC") == "" {
		budget = "GOGC=100"
	}
	if !strings.HasPrefix(r.Terms.HeapBudget, budget) {
		t.Errorf("%v: heap budget %q", c, r.Terms.HeapBudget)
	}
	if separate := c.Backend == pool.Processes; (r.Terms.WorkerGOMAXPROCS == 1) != separate || r.Terms.ParentGOMAXPROCS < 1 {
		t.Errorf("%v: terms %+v", c, r.Terms)
	}
	if (r.Terms.Pool == "warm") != c.Warm || r.Terms.Binding != "none" {
		t.Errorf("%v: terms %+v", c, r.Terms)
	}
	if want := c.Workers; c.Backend != pool.Processes && r.Terms.ParentGOMAXPROCS != want {
		t.Errorf("%v: GOMAXPROCS is %d", c, r.Terms.ParentGOMAXPROCS)
	}
}

func TestBoundWorkers(t *testing.T) {
	if _, err := (placement.System{}).Mask(); err != nil {
		t.Skip(err)
	}
	c := Cell{Task: "pi", Backend: pool.Processes, Workers: 2, Interval: ipc.Interval{End: 1000}, ChunkSize: 100}
	r, err := Pools{Bind: "close"}.Run(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	for i, w := range r.Workers {
		if set, err := placement.ParseCPUSet(w.CPUs); w.seconds(PhaseCompute) > 0 && (err != nil || set.Count() != 1) {
			t.Errorf("worker %d is bound to %q", i, w.CPUs)
		}
	}
	if r.Terms.Binding == "none" {
		t.Errorf("terms %+v", r.Terms)
	}
}

func TestCPUTimeIsCountedOnce(t *testing.T) {
	used := func(seconds float64) WorkerRun {
		return WorkerRun{Resources: Resources{UserSeconds: Known(seconds), SystemSeconds: Known(0.0)}}
	}
	for _, c := range []struct {
		what    string
		workers []WorkerRun
		want    float64
	}{{"serial", nil, 7}, {"goroutines", []WorkerRun{{}, {}}, 7}, {"processes", []WorkerRun{used(1), used(3)}, 3}} {
		r := Run{Workers: c.workers}
		r.addParent(pool.WorkerStats{Usage: ipc.Usage{UserSeconds: 5, SystemSeconds: 2}}) // of the fresh process and its children
		if seconds, ok := r.Parent.CPUSeconds().Get(); !ok || seconds != c.want {
			t.Errorf("%s: %g s are the parent's own, want %g", c.what, seconds, c.want)
		}
	}
}

func TestTheCollectorIsSeen(t *testing.T) {
	if os.Getenv("GOGC") != "" {
		t.Skip("GOGC is set")
	}
	for _, b := range []pool.Backend{pool.Goroutines, pool.Processes} {
		r, err := Pools{}.Run(t.Context(), Cell{Task: "garbage", Backend: b, Workers: 2, Interval: ipc.Interval{End: 20_000}, ChunkSize: 500})
		if err != nil {
			t.Fatal(err)
		}
		pause := 0.0
		for _, w := range r.Workers {
			pause += w.seconds(PhaseGC)
		}
		if n, ok := r.total(2).Get(); !ok || n == 0 || pause == 0 {
			t.Errorf("%s: %g cycles, pauses of %g s", b, n, pause)
		}
	}
}

// The task gogc tells the GOGC of the process that it runs in.
var _ = task.DefineSum("gogc", func(context.Context, ipc.Interval) (uint64, error) {
	sample := []metrics.Sample{{Name: "/gc/gogc:percent"}}
	metrics.Read(sample)
	return sample[0].Value.Uint64(), nil
}, func(a, b uint64) uint64 { return max(a, b) })

func TestHeapBudgetsReachTheWorkers(t *testing.T) {
	if os.Getenv("GOGC") != "" {
		t.Skip("GOGC is set")
	}
	for _, c := range []struct {
		backend pool.Backend
		equal   bool
		want    string
	}{
		{pool.Goroutines, false, "100"}, {pool.Processes, false, "100"}, {pool.Goroutines, true, "300"},
		{pool.Threads, true, "300"}, {pool.Processes, true, "100"},
	} {
		r, err := Pools{EqualHeap: c.equal}.Run(t.Context(), Cell{Task: "gogc", Backend: c.backend, Workers: 3, Interval: ipc.Interval{End: 3}, ChunkSize: 1})
		if err != nil || r.Value.Text != c.want {
			t.Errorf("%+v: GOGC is %s, %v", c, r.Value.Text, err)
		}
	}
}

func TestAnExperimentOnRealPools(t *testing.T) {
	rec, err := Do(t.Context(), Experiment{Tasks: []Subject{{Name: "pi", Grain: 10, Size: 20_000}}, Workers: []int{2},
		Why: true, MaxPairs: 7, MaxTime: time.Hour, Seed: 1}, Pools{}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if rec.Status != pool.Done || !rec.Results.Tasks[0].Identical || rec.Results.Rows[0].Pairs != 7 || len(rec.Results.Unfair) != 0 {
		t.Errorf("status %s, %+v, %q", rec.Status, rec.Results.Rows, rec.Results.Unfair)
	}
	if len(rec.Results.Why) != 1 {
		t.Error("no reasons")
	}
	for _, c := range rec.Results.Cells {
		if label := rec.Plan.Cells[c.Cell].Label(); len(c.Where) == 0 || c.Unaccounted > 0.01*c.Mean() {
			t.Errorf("%s: %v, unaccounted %g s", label, c.Where, c.Unaccounted)
		}
	}
	var b bytes.Buffer
	if err := Write(&b, rec); err != nil {
		t.Fatal(err)
	}
	again, err := Read(&b)
	if err != nil || !reflect.DeepEqual(again.Results.Rows, rec.Results.Rows) {
		t.Errorf("read again: %v, %+v", err, again.Results.Rows)
	}
}

func TestResultsThatDifferEndTheExperiment(t *testing.T) {
	rec, err := Do(t.Context(), Experiment{Tasks: []Subject{{Name: "whoami", Size: 10}}, Workers: []int{1}, MaxTime: time.Hour}, Pools{}, nil)
	var differ *DifferError
	if !errors.As(err, &differ) || rec.Status != Differ {
		t.Errorf("status %s, %v", rec.Status, err)
	}
}

// The task lengths has inputs, and no intervals.
var lengths = pool.Define("lengths", func(_ context.Context, s string) (int, error) { return len(s), nil })

var _ = Inputs(lengths, func(i int64) string { return strings.Repeat("x", int(i%10)) })

func TestTasksWithInputs(t *testing.T) {
	if !Comparable("lengths") || Comparable("pi") {
		t.Error("which tasks have inputs?")
	}
	rec, err := Do(t.Context(), Experiment{Tasks: []Subject{{Name: "lengths", Size: 100, Singles: true}}, Workers: []int{2}, Warm: true, MaxPairs: 3, MaxTime: time.Hour}, Pools{}, nil)
	if err != nil || rec.Results.Rows[0].Pairs != 3 || !strings.HasPrefix(rec.Results.Tasks[0].Value.Text, "100 outputs, digest ") {
		t.Errorf("%v: %+v, %+v", err, rec.Results.Rows, rec.Results.Tasks)
	}
	if c := rec.Results.result(rec.Plan.Rows[0].A); c.in(PhaseSpawn, PhaseHello) != 0 || rec.Runs[0].Terms.Pool != "warm" {
		t.Errorf("a warm pool starts for %v, %+v", c.Where, rec.Runs[0].Terms)
	}
}

func TestWhatCannotRun(t *testing.T) {
	for _, c := range []struct {
		task, want string
		pools      Pools
	}{
		{"failing", "no such luck", Pools{}},
		{"unheard-of", `no task "unheard-of"`, Pools{}},
		{"pi", "neither none, close or spread", Pools{Bind: "sideways"}},
	} {
		cell := Cell{Task: c.task, Backend: pool.Processes, Workers: 1, Interval: ipc.Interval{End: 10}, ChunkSize: 10}
		if _, err := c.pools.Run(t.Context(), cell); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %s", c.task, err, c.want)
		}
	}
}

func TestACancelledRunEndsAtOnce(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	time.AfterFunc(50*time.Millisecond, cancel)
	cell := Cell{Task: "pi", Backend: pool.Processes, Workers: 2, Interval: ipc.Interval{End: 1 << 50}, ChunkSize: 10 << 20}
	if _, err := (Pools{}).Run(ctx, cell); !errors.Is(err, context.Canceled) {
		t.Errorf("a cancelled run: %v", err)
	}
}
