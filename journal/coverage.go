package journal

import (
	"math"

	"procpool/ipc"
)

// A Coverage says how much a journal covers of what it has to: the whole input or a
// share of it.
type Coverage struct {
	Total   int64 // number of indices to cover
	Covered int64 // number of those that are covered
	Done    int64 // number of chunks that are covered
	Chunks  int64 // number of chunks to cover, without empty ones
}

// Complete reports whether nothing is missing.
func (s Coverage) Complete() bool { return s.Covered == s.Total }

// Percent returns the covered part in percent, rounded down to a tenth. It returns 100
// only if nothing is missing.
func (s Coverage) Percent() float64 {
	if s.Complete() {
		return 100
	}
	return min(math.Floor(float64(s.Covered)/float64(s.Total)*1000)/10, 99.9)
}

// coverage returns how much of covers the ledger covers.
func coverage(h *Header, covers, ledger *ipc.Ledger) Coverage {
	return Coverage{Total: covers.Total(), Covered: ledger.Total(), Done: chunks(h, ledger), Chunks: chunks(h, covers)}
}

// chunks returns the number of chunks in a ledger, whose bounds are bounds of chunks.
func chunks(h *Header, ledger *ipc.Ledger) (n int64) {
	for run := range ledger.Runs() {
		first, _ := chunkAt(h.Grid(), run.Start)
		end, _ := chunkAt(h.Grid(), run.End)
		n += end - first
	}
	return n
}
