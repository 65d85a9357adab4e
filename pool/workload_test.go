package pool

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"procpool/internal/role"
	"procpool/ipc"
	"procpool/task"
)

var errMood = errors.New("not in the mood")

// moody does what the value beside its interval says: "wait FILE" has the first chunk
// wait for a file, "fail" and "sulk" have every third one fail, the first of them only
// on the first attempt. Its partials are a MiB each where it waits.
var moody = task.DefineSum("moody", func(ctx context.Context, iv ipc.Interval) ([]byte, error) {
	var mood string
	if err := ipc.DecodeValue(role.CallOf(ctx).With, &mood); err != nil {
		return nil, err
	}
	path, waits := strings.CutPrefix(mood, "wait ")
	switch {
	case waits && iv.Start > 0:
		return make([]byte, 1<<20), nil
	case mood == "sulk" && iv.Start%3 == 0, mood == "fail" && iv.Start%3 == 0 && task.Attempt(ctx) == 0:
		return nil, errMood
	}
	for ; waits; time.Sleep(10 * time.Millisecond) {
		if _, err := os.Stat(path); err == nil || ctx.Err() != nil {
			return nil, ctx.Err()
		}
	}
	return []byte{byte(iv.Start)}, nil
}, func(a, b []byte) []byte { return append(a, b...) }, task.Exact(), task.Errors(errMood))

func moodyWorkload(chunks int64, mood string) Workload {
	whole := ipc.Interval{End: chunks}
	return Workload{Task: moody.Spec(), Whole: whole, Grid: ipc.ChunkGrid(whole, 1),
		With: func(dst []byte, _ ipc.Interval) []byte { dst, _ = ipc.AppendValue(dst, &mood); return dst }}
}

func newTestPool(t *testing.T, o Options) *Pool {
	p, err := New(context.Background(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.Close() })
	return p
}

// Chunks come in order while the first is late, and no more are handed out than wait in
// 64 MiB.
func TestChunksInOrderWaitInBoundedMemory(t *testing.T) {
	p := newTestPool(t, Options{Procs: 2})
	file := filepath.Join(t.TempDir(), "go")
	w := moodyWorkload(200, "wait "+file)
	var finished atomic.Int64
	w.OnChunk = func(Chunk) error { finished.Add(1); return nil }
	var order []int64
	w.InOrder = func(c Chunk) error {
		if len(c.Total().([]byte)) == 0 != (c.Seq == 0) {
			t.Errorf("chunk %d has %d bytes", c.Seq, len(c.Total().([]byte)))
		}
		order = append(order, c.Seq)
		return nil
	}
	go func() {
		for finished.Load() < 60 {
			time.Sleep(10 * time.Millisecond)
		}
		time.Sleep(300 * time.Millisecond)
		if n := finished.Load(); n > 128 { // 64, and what was in flight
			t.Errorf("%d chunks of a MiB are finished while the first is late", n)
		}
		os.WriteFile(file, nil, 0o600)
	}()
	o, err := p.Run(context.Background(), w)
	if err != nil || o.Value != nil || len(order) != 200 || !slices.IsSorted(order) {
		t.Errorf("%v, %v, the order is %v", err, o.Value, order)
	}
	stop := errors.New("enough")
	w = moodyWorkload(200, "")
	w.InOrder = func(c Chunk) error {
		if c.Seq == 3 {
			return stop
		}
		return nil
	}
	if o, err := p.Run(context.Background(), w); !errors.Is(err, stop) || o.Status != Failed {
		t.Error(o.Status, err)
	}
	w.Earlier = &ipc.Ledger{}
	if _, err := p.Run(context.Background(), w); err == nil {
		t.Error("earlier chunks are taken")
	}
}

func TestRunGoesOnWithoutFailedChunks(t *testing.T) {
	p := newTestPool(t, Options{Procs: 2})
	for _, ordered := range []bool{false, true} {
		w := moodyWorkload(10, "sulk")
		var failed, order []int64
		w.OnFailed = func(iv ipc.Interval, err error) error {
			if failed = append(failed, iv.Start); !errors.Is(err, errMood) {
				t.Error(err)
			}
			return nil
		}
		if ordered {
			w.InOrder = func(c Chunk) error { order = append(order, c.Seq); return nil }
		}
		o, err := p.Run(context.Background(), w)
		var all *FailedChunksError
		if !errors.As(err, &all) || all.Chunks != 4 || !errors.Is(err, errMood) || o.Status != Failed || o.Chunks != 6 {
			t.Errorf("%v; %+v", err, o)
		}
		slices.Sort(failed)
		if !slices.Equal(failed, []int64{0, 3, 6, 9}) || !slices.Equal(o.Failed, []Interval{{Start: 0, End: 1}, {Start: 3, End: 4}, {Start: 6, End: 7}, {Start: 9, End: 10}}) {
			t.Error(failed, o.Failed)
		}
		if ordered && !slices.Equal(order, []int64{1, 2, 4, 5, 7, 8}) {
			t.Error(order)
		}
		w.OnFailed = func(ipc.Interval, error) error { return errEnded }
		if _, err := p.Run(context.Background(), w); !errors.Is(err, errEnded) {
			t.Error(err)
		}
	}
}

func TestNamedErrorsAreTriedAgain(t *testing.T) {
	p := newTestPool(t, Options{Procs: 2})
	w := moodyWorkload(30, "fail")
	o, err := p.Run(context.Background(), w, RetryErrors(errMood))
	if err != nil || o.Retries != 10 || len(o.Value.([]byte)) != 30 {
		t.Error(err, o.Retries, o.Value)
	}
	if _, err := p.Run(context.Background(), w); !errors.Is(err, errMood) {
		t.Error(err)
	}
	_, err = p.Run(context.Background(), moodyWorkload(1, "sulk"), RetryErrors(errMood), Retries(3))
	var failed *TaskError
	if !errors.As(err, &failed) || failed.Attempts != 4 || err.Error() != "moody over [0, 1), 4 times: not in the mood" {
		t.Error(err)
	}
}
