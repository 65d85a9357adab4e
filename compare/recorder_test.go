package compare

import (
	"testing"
	"time"

	"procpool/pool"
)

// A chunk that another one's clock leaves no room for still shows.
func TestRecorderShowsEveryChunk(t *testing.T) {
	began := time.Now()
	var r Recorder
	for _, at := range []time.Duration{10, 11, 12} { // microseconds; the first takes until the last has ended
		r.Event(pool.Event{Kind: pool.ChunkFinished, Began: began.Add(at * time.Microsecond), Seconds: (20 - float64(at)) / 1e6, Time: began.Add(30 * time.Microsecond)})
	}
	run := r.Run(pool.Processes, began, time.Millisecond, []pool.WorkerStats{{}})
	chunks := 0
	for _, s := range run.Workers[0].Spans {
		if s.Phase == PhaseCompute {
			chunks++
		}
	}
	if err := run.SumPhases(); chunks != 3 || err != nil {
		t.Errorf("%d of 3 chunks show in %+v, %v", chunks, run.Workers[0].Spans, err)
	}
}
