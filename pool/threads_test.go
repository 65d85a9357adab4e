package pool

import (
	"context"
	"fmt"
	"runtime"
	"slices"
	"testing"
	"time"

	"procpool/ipc"
	"procpool/placement"
	"procpool/task"
)

// place tells which worker ran it and which CPUs its thread may use.
var place = task.Define("place", func(ctx context.Context, _ int) (string, error) {
	cpus, err := placement.ThreadAffinity()
	return fmt.Sprintf("worker %d on %v", task.Worker(ctx), cpus), err
})

func TestThreadsAreBoundAndGivenBackAsTheyWere(t *testing.T) {
	mask, err := placement.ThreadAffinity()
	if err != nil {
		t.Skip(err)
	}
	plan, err := placement.NewBinding(placement.BindingOptions{Bind: "close", Workers: 3, Mask: mask})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	pool, err := New(ctx, Options{Procs: 3, Backend: Threads, Bind: plan.CPUs})
	if err != nil {
		t.Fatal(err)
	}
	for out, err := range MapUnordered(ctx, pool, place, slices.Values(make([]int, 200))) {
		at := out.Value
		if err != nil {
			t.Fatal(err)
		}
		var worker int
		fmt.Sscanf(at, "worker %d", &worker)
		if want := fmt.Sprintf("worker %d on %v", worker, plan.CPUs[worker]); at != want {
			t.Errorf("%s, want %s", at, want)
		}
	}
	pool.Close()
	for i, s := range pool.Stats() {
		if s.CPUs != plan.CPUs[i].String() {
			t.Errorf("stats say that worker %d ran on %q, it was bound to %v", i, s.CPUs, plan.CPUs[i])
		}
	}
	// Every thread that still runs goroutines has its former mask: more of them
	// than there are threads to take are held at once.
	masks := make(chan placement.CPUSet)
	release := make(chan struct{})
	for range 20 {
		go func() {
			runtime.LockOSThread()
			defer runtime.UnlockOSThread()
			set, _ := placement.ThreadAffinity()
			masks <- set
			<-release
		}()
	}
	defer close(release)
	for range 20 {
		if set := <-masks; !set.Equal(mask) {
			t.Errorf("a thread is left bound to %v, the mask is %v", set, mask)
		}
	}
}

func TestThreadsGiveTheBitsOfOtherBackends(t *testing.T) {
	var want float64
	for i, backend := range []Backend{Serial, Threads} {
		pool, err := New(t.Context(), Options{Procs: 3, Backend: backend, ChunkSize: 1000})
		if err != nil {
			t.Fatal(err)
		}
		got, err := Sum(t.Context(), pool, pi, ipc.Interval{End: 100_000})
		pool.Close()
		if err != nil {
			t.Fatal(err)
		}
		if i == 0 {
			want = got
		} else if got != want {
			t.Errorf("%s gives %v, serial gives %v", backend, got, want)
		}
	}
}

func TestThreadsThatCannotBeBoundFailTheCall(t *testing.T) {
	if _, err := placement.ThreadAffinity(); err != nil {
		t.Skip(err)
	}
	nowhere := placement.NewCPUSet(placement.MaxCPUs - 1)
	pool, err := New(t.Context(), Options{Procs: 2, Backend: Threads, Bind: []placement.CPUSet{nowhere}})
	if err != nil {
		t.Fatal(err)
	}
	defer pool.Close()
	if v, err := Sum(t.Context(), pool, pi, ipc.Interval{End: 1000}); err == nil {
		t.Errorf("a sum on threads that cannot be bound gives %v", v)
	}
}
