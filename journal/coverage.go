package journal

import (
	"fmt"
	"math"
	"strconv"

	"procpool/ipc"
)

// A Coverage says how far a journal is.
type Coverage struct {
	Interval ipc.Interval // that is to be covered: the whole, or a share of it
	Covered  int64        // indices of it that are covered
	Done     int64        // chunks of the grid that are covered
	Chunks   int64        // chunks of the grid in Interval; those that are empty do not count
}

// Complete reports whether nothing is missing.
func (s Coverage) Complete() bool { return s.Covered == s.Interval.Len() }

// Percent is the covered part in percent, rounded down to a tenth: it is 100
// only when nothing is missing.
func (s Coverage) Percent() float64 {
	if s.Complete() {
		return 100
	}
	return min(math.Floor(float64(s.Covered)/float64(s.Interval.Len())*1000)/10, 99.9)
}

// String is such as "covered 37.5 % in 12 of 32 chunks".
func (s Coverage) String() string {
	return fmt.Sprintf("covered %s %% in %d of %d chunks", strconv.FormatFloat(s.Percent(), 'f', -1, 64), s.Done, s.Chunks)
}

// status is how far ledger covers iv, whose bounds are cuts of the grid.
func status(h *Header, iv ipc.Interval, ledger *ipc.Ledger) Coverage {
	s := Coverage{Interval: iv, Covered: ledger.Total(), Chunks: chunks(h, iv)}
	for run := range ledger.Runs() {
		s.Done += chunks(h, run)
	}
	return s
}

// chunks counts the chunks of the grid that make up iv.
func chunks(h *Header, iv ipc.Interval) int64 {
	first, _ := cut(h.Grid(), iv.Start)
	end, _ := cut(h.Grid(), iv.End)
	return end - first
}
