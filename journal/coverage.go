package journal

import (
	"math"

	"procpool/ipc"
)

// A Coverage says how much of its interval a journal covers.
type Coverage struct {
	Interval ipc.Interval // interval to cover: the whole input or a share of it
	Covered  int64        // number of indices that are covered
	Done     int64        // number of chunks that are covered
	Chunks   int64        // number of chunks in Interval, without empty ones
}

// Complete reports whether nothing is missing.
func (s Coverage) Complete() bool { return s.Covered == s.Interval.Len() }

// Percent returns the covered part in percent, rounded down to a tenth. It returns 100
// only if nothing is missing.
func (s Coverage) Percent() float64 {
	if s.Complete() {
		return 100
	}
	return min(math.Floor(float64(s.Covered)/float64(s.Interval.Len())*1000)/10, 99.9)
}

// coverage returns how much of iv the ledger covers. The bounds of iv must be bounds
// of chunks.
func coverage(h *Header, iv ipc.Interval, ledger *ipc.Ledger) Coverage {
	s := Coverage{Interval: iv, Covered: ledger.Total(), Chunks: chunks(h, iv)}
	for run := range ledger.Runs() {
		s.Done += chunks(h, run)
	}
	return s
}

// chunks returns the number of chunks in iv.
func chunks(h *Header, iv ipc.Interval) int64 {
	first, _ := chunkAt(h.Grid(), iv.Start)
	end, _ := chunkAt(h.Grid(), iv.End)
	return end - first
}
