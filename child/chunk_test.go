package child

import (
	"bytes"
	"context"
	"runtime"
	"testing"

	"procpool/ipc"
)

// A byteCounter counts the bytes written to it.
type byteCounter int

func (n *byteCounter) Write(b []byte) (int, error) {
	*n += byteCounter(len(b))
	return len(b), nil
}

// Beyond its work, a chunk costs a request and a result of a few dozen bytes, and no
// allocation.
func TestAChunkCostsTwoShortMessagesAndNothingElse(t *testing.T) {
	const chunks = 100_000
	var requests []byte
	for i := range int64(chunks) {
		requests = ipc.AppendRequestHead(requests, uint64(i), "null")
		requests = ipc.AppendInterval(requests, ipc.Interval{Start: i, End: i + 1})
	}
	var written byteCounter
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	if err := Serve(context.Background(), bytes.NewReader(requests), &written); err != nil {
		t.Fatal(err)
	}
	runtime.ReadMemStats(&after)
	each := func(n int) float64 { return float64(n) / chunks }
	allocs, in, out := each(int(after.Mallocs-before.Mallocs)), each(len(requests)), each(int(written))
	t.Logf("per chunk: %.3f allocations, %.1f bytes to the worker, %.1f bytes from it", allocs, in, out)
	if allocs > 0.1 {
		t.Errorf("%.3f allocations per chunk", allocs)
	}
	if in > 54 || out > 64 {
		t.Errorf("messages of %.1f and %.1f bytes per chunk", in, out)
	}
}
