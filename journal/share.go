package journal

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"procpool/ipc"
)

// A Share is part K of N of a run, with 1 <= K <= N. The zero value is the whole run.
// Its text, also in JSON, is "K/N".
type Share struct{ K, N int64 }

// SharesVariable is the environment variable with the number of shares, for engines
// that do not tell it; see [AutoShare].
const SharesVariable = "PROCPOOL_SHARES"

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

// AutoShare returns the share of a process that an engine started as one of many:
//
//   - In a Slurm array it uses SLURM_ARRAY_TASK_ID, _COUNT, _MIN, _MAX and _STEP. The
//     array must be a regular range. For `--array=3,7,10-14:2` these variables do not
//     tell which of five tasks this is. They do not tell either for a task that was
//     submitted again alone, since its count is 1.
//   - In a Kubernetes indexed job it uses JOB_COMPLETION_INDEX, which counts from 0.
//     Kubernetes does not tell the number of shares, so the manifest must set
//     PROCPOOL_SHARES to the value of completions.
//
// In a Slurm array PROCPOOL_SHARES may be missing, but must agree with the number of
// tasks if it is set. This detects some tasks of an array that were submitted again as
// an array of their own. getenv is os.Getenv or that of a test, and returns "" for a
// variable that is not set.
func AutoShare(getenv func(string) string) (Share, error) {
	stated, err := number(getenv, SharesVariable)
	if err != nil {
		return Share{}, err
	}
	slurm, index := getenv("SLURM_ARRAY_TASK_ID") != "", getenv("JOB_COMPLETION_INDEX") != ""
	switch {
	case slurm && index:
		return Share{}, errors.New("both SLURM_ARRAY_TASK_ID and JOB_COMPLETION_INDEX are set; write the share out: --share K/N")
	case slurm:
		return slurmShare(getenv, stated)
	case index:
		return indexShare(getenv, stated)
	}
	return Share{}, errors.New("this is not a task of a Slurm array (SLURM_ARRAY_TASK_ID) or of an indexed job (JOB_COMPLETION_INDEX); write the share out: --share K/N")
}

func slurmShare(getenv func(string) string, stated int64) (Share, error) {
	var v [5]int64
	for i, name := range []string{"ID", "COUNT", "MIN", "MAX", "STEP"} {
		name = "SLURM_ARRAY_TASK_" + name
		if getenv(name) == "" {
			return Share{}, fmt.Errorf("%s is not set; write the share out: --share K/N", name)
		}
		var err error
		if v[i], err = number(getenv, name); err != nil {
			return Share{}, err
		}
	}
	id, count, first, last, step := v[0], v[1], v[2], v[3], v[4]
	switch {
	case count == 1:
		return Share{}, errors.New("a Slurm array of one task does not say of how many shares it is one (a task submitted again alone looks like this); write the share out: --share K/N")
	case count < 1, step < 1, id < first, id > last, (last-first)/step != count-1, (last-first)%step != 0, (id-first)%step != 0:
		return Share{}, fmt.Errorf("the Slurm array (task %d of %d, from %d to %d by %d) is not a regular range; write the share out: --share K/N", id, count, first, last, step)
	case stated != 0 && stated != count:
		return Share{}, fmt.Errorf("the Slurm array has %d tasks, but %s is %d (some tasks submitted again look like this); write the share out: --share K/N", count, SharesVariable, stated)
	}
	return Share{K: (id-first)/step + 1, N: count}, nil
}

func indexShare(getenv func(string) string, stated int64) (Share, error) {
	index, err := number(getenv, "JOB_COMPLETION_INDEX")
	switch {
	case err != nil:
		return Share{}, err
	case stated == 0:
		return Share{}, fmt.Errorf("JOB_COMPLETION_INDEX does not say of how many; set %s to the job's completions", SharesVariable)
	case index >= stated:
		return Share{}, fmt.Errorf("JOB_COMPLETION_INDEX is %d, but counts from 0 to %s-1 = %d", index, SharesVariable, stated-1)
	}
	return Share{K: index + 1, N: stated}, nil
}

// number reads a variable with a number. It returns 0 if it is not set.
func number(getenv func(string) string, name string) (int64, error) {
	text := getenv(name)
	if text == "" {
		return 0, nil
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n < 0 {
		return 0, fmt.Errorf("%s is %q, not a number", name, text)
	}
	return n, nil
}
