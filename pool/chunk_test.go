package pool

import (
	"runtime"
	"testing"

	"procpool/ipc"
)

// Dispatch allocates a little for each series of chunks, nothing for a chunk:
// memory does not grow with their number, and no collector runs for them.
func TestDispatchAllocatesNothingForAChunk(t *testing.T) {
	const chunks = 200_000
	p, err := New(t.Context(), Options{Procs: 2, ChunkSize: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	sum := func(n int64) {
		if _, err := Sum(t.Context(), p, null, ipc.Interval{End: n}); err != nil {
			t.Fatal(err)
		}
	}
	sum(20_000) // buffers have their size then
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	sum(chunks)
	runtime.ReadMemStats(&after)
	allocs, bytes := float64(after.Mallocs-before.Mallocs)/chunks, float64(after.TotalAlloc-before.TotalAlloc)/chunks
	t.Logf("a chunk: %.4f allocations, %.1f bytes in the parent", allocs, bytes)
	if allocs > 0.1 || bytes > 40 {
		t.Errorf("%.4f allocations, %.1f bytes a chunk", allocs, bytes)
	}
}
