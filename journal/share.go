package journal

import (
	"fmt"
	"iter"
	"strconv"
	"strings"

	"procpool/ipc"
)

// A Share is part K of N of a run, with 1 <= K <= N. The zero value is the whole run.
// Its text, also in JSON, is "K/N".
type Share struct{ K, N int64 }

// ParseShare reads "K/N" with 1 <= K <= N.
func ParseShare(text string) (Share, error) {
	k, n, ok := strings.Cut(text, "/")
	if !ok {
		return Share{}, fmt.Errorf("share %q is not K/N, such as 1/4", text)
	}
	var s Share
	var err1, err2 error
	s.K, err1 = strconv.ParseInt(k, 10, 64)
	s.N, err2 = strconv.ParseInt(n, 10, 64)
	if err1 != nil || err2 != nil {
		return Share{}, fmt.Errorf("share %q is not K/N with two integers, such as 1/4", text)
	}
	if s.N < 1 || s.K < 1 || s.K > s.N {
		return Share{}, fmt.Errorf("share %q: K must be from 1 to N", text)
	}
	return s, nil
}

// String returns "K/N", or "whole" for the zero Share.
func (s Share) String() string {
	if s == (Share{}) {
		return "whole"
	}
	return strconv.FormatInt(s.K, 10) + "/" + strconv.FormatInt(s.N, 10)
}

// MarshalText returns String. Omit a zero Share: UnmarshalText does not read "whole".
func (s Share) MarshalText() ([]byte, error) { return []byte(s.String()), s.validate() }

// UnmarshalText reads what [ParseShare] reads.
func (s *Share) UnmarshalText(text []byte) (err error) {
	*s, err = ParseShare(string(text))
	return err
}

func (s Share) validate() error {
	if s != (Share{}) && (s.K < 1 || s.K > s.N) {
		return fmt.Errorf("share %d/%d: K must be from 1 to N", s.K, s.N)
	}
	return nil
}

// Cyclic is the way to deal the chunks of a grid in which share K gets the chunks K, K+N,
// K+2N and so on, counted from 1. It suits work that is uneven over the input. Usually
// a share has consecutive chunks.
const Cyclic = "cyclic"

// sharesChunks is the number of chunks of a share in a grid that is made for shares.
const sharesChunks = 64

// Grid returns the grid of all N shares of whole, which depends on nothing else: 64
// chunks a share, whose sizes are within one grain of each other. If there are fewer
// grains, there are fewer chunks.
func (s Share) Grid(whole ipc.Interval, grain int64) ipc.Grid {
	return ipc.EvenGrid(whole, min(s.N, ipc.MaxIndex/sharesChunks)*sharesChunks, grain)
}

// Of returns what share s has of the grid, dealt as deal says: Cyclic, or "". A share
// consists of whole chunks, so that all shares together have the chunks of an undivided
// run and give the same bits. The first grid.N%N shares have one chunk more than the
// others. If there are more shares than chunks, some are empty.
func (s Share) Of(grid ipc.Grid, deal string) *ipc.Ledger {
	covers := &ipc.Ledger{}
	switch {
	case s == Share{}:
		mustAdd(covers, grid.Whole)
	case deal == Cyclic:
		for p := s.K - 1; p < grid.N; p += s.N {
			mustAdd(covers, grid.At(p))
		}
	default:
		mustAdd(covers, s.block(grid))
	}
	return covers
}

// OfRest returns what share s has of what another journal lacks, in order, dealt as deal
// says. rest must consist of whole chunks of the grid.
func (s Share) OfRest(grid ipc.Grid, rest iter.Seq[ipc.Interval], deal string) *ipc.Ledger {
	var total int64
	for run := range rest {
		first, end := grid.Within(run)
		total += end - first
	}
	each, more := total/s.N, total%s.N
	from := (s.K-1)*each + min(s.K-1, more) // of the chunks of rest, counted from 0
	to := s.K*each + min(s.K, more)
	share, n := &ipc.Ledger{}, int64(0)
	for run := range rest {
		first, end := grid.Within(run)
		for p := first; p < end; p++ {
			if deal == Cyclic && n%s.N == s.K-1 || deal != Cyclic && n >= from && n < to {
				mustAdd(share, grid.At(p))
			}
			n++
		}
	}
	return share
}

// block returns the interval of share s, if it has consecutive chunks.
func (s Share) block(grid ipc.Grid) ipc.Interval {
	each, rest := grid.N/s.N, grid.N%s.N
	start := func(p int64) int64 { // the index where share p+1 starts
		if p = p*each + min(p, rest); p < grid.N {
			return grid.At(p).Start
		}
		return grid.Whole.End
	}
	return ipc.Interval{Start: start(s.K - 1), End: start(s.K)}
}
