package child

import (
	"bytes"
	"context"
	"runtime"
	"testing"

	"procpool/ipc"
)

// tally counts what is written to it.
type tally int

func (n *tally) Write(b []byte) (int, error) {
	*n += tally(len(b))
	return len(b), nil
}

// What a chunk costs beyond its work is a promise: a request and a result of a
// few dozen bytes, and nothing allocated for either.
func TestAChunkCostsTwoShortMessagesAndNothingElse(t *testing.T) {
	const chunks = 100_000
	var requests []byte
	for i := range int64(chunks) {
		requests = ipc.AppendRequestHead(requests, uint64(i), "null")
		requests = ipc.AppendInterval(requests, ipc.Interval{Start: i, End: i + 1})
	}
	var written tally
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	if err := Serve(context.Background(), bytes.NewReader(requests), &written); err != nil {
		t.Fatal(err)
	}
	runtime.ReadMemStats(&after)
	each := func(n int) float64 { return float64(n) / chunks }
	allocs, in, out := each(int(after.Mallocs-before.Mallocs)), each(len(requests)), each(int(written))
	t.Logf("a chunk: %.3f allocations, %.1f bytes to the worker, %.1f bytes from it", allocs, in, out)
	if allocs > 0.1 {
		t.Errorf("%.3f allocations a chunk", allocs)
	}
	if in > 54 || out > 64 {
		t.Errorf("messages of %.1f and %.1f bytes a chunk", in, out)
	}
}
