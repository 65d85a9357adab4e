package journal

import (
	"context"
	"encoding/json"
	"io"
	"slices"
	"time"

	"procpool/ipc"
)

// A State is how far a journal is.
type State struct {
	Path     string
	Share    Share  // zero: the whole
	Deal     string // of the share
	Coverage Coverage
	Last     time.Time // when the last chunk finished; zero if none did
	Damaged  int       // number of damaged lines, which are left out; at most 100
	Rate     float64   // chunks a second, of the last 64 chunks at most; 0 if unknown
}

// A Survey is how far journals of a job are together, also while they are written.
type Survey struct {
	Header Header // of the job: without share, build and time
	States []State
	ledger ipc.Ledger
	set    Set // the sources without their segments
}

// NewSurvey reads journals of one job, without locking them. The error is a
// *MismatchError for one of another job, or one of those of [ReadHeader].
func NewSurvey(ctx context.Context, paths []string) (*Survey, error) {
	s := &Survey{}
	for i, path := range paths {
		r, state, err := readState(ctx, path)
		if err != nil {
			return nil, err
		}
		h := r.header
		if i == 0 {
			s.Header = h
			s.Header.Share, s.Header.Deal, s.Header.Part, s.Header.Build, s.Header.Created = Share{}, "", nil, "", time.Time{}
		} else if err := match(path, h, s.Header, false); err != nil {
			return nil, err
		}
		gaps := &ipc.Ledger{} // of what the journals before it cover
		for run := range r.ledger.Runs() {
			for _, gap := range slices.Collect(s.ledger.Gaps(run)) {
				mustAdd(gaps, gap)
			}
		}
		for run := range gaps.Runs() {
			mustAdd(&s.ledger, run)
		}
		s.States = append(s.States, state)
		s.set.sources = append(s.set.sources, source{path: path, share: h.Share, deal: h.Deal, part: h.Part})
	}
	return s, nil
}

// Coverage returns how much of the whole input the journals cover together.
func (s *Survey) Coverage() Coverage { return coverage(&s.Header, s.Header.Covers(), &s.ledger) }

// Shares returns the number of shares, if all journals of shares agree, and otherwise 0.
func (s *Survey) Shares() int64 {
	n, _ := s.set.shares()
	return n
}

// MissingShares returns the numbers of the shares that are not complete, also of those
// without a journal, as engines take them: "2,5-7". It returns "" if Shares is 0.
func (s *Survey) MissingShares() string {
	n, deal := s.set.shares()
	if n == 0 {
		return ""
	}
	return listOf(touchedBy(s.Header.Grid(), n, deal, slices.Collect(s.ledger.Gaps(s.Header.Interval))))
}

// recentChunks is the number of chunks that a rate is taken from.
const recentChunks = 64

// readState reads a journal while it may be written.
func readState(ctx context.Context, path string) (*reader, State, error) {
	f, err := openPlain(path)
	if err != nil {
		return nil, State{}, err
	}
	defer f.Close()
	r, err := newReader(ctx, path, f)
	if err != nil {
		return nil, State{}, err
	}
	var ends []time.Time // of the last chunks
	for {
		_, err := r.next()
		if err == io.EOF {
			break
		}
		if err != nil {
			return nil, State{}, err
		}
		var when struct {
			Started time.Time
			Seconds float64
		}
		if json.Unmarshal(r.text, &when) != nil || when.Started.IsZero() {
			continue // the sum of several chunks
		}
		if len(ends) == recentChunks {
			ends = ends[:copy(ends, ends[1:])]
		}
		ends = append(ends, when.Started.Add(time.Duration(when.Seconds*float64(time.Second))))
	}
	state := State{Path: path, Share: r.header.Share, Deal: r.header.Deal, Coverage: coverage(&r.header, r.covers, &r.ledger), Damaged: len(r.damage)}
	if n := len(ends); n > 0 {
		slices.SortFunc(ends, time.Time.Compare)
		state.Last = ends[n-1]
		if took := ends[n-1].Sub(ends[0]).Seconds(); took > 0 {
			state.Rate = float64(n-1) / took
		}
	}
	return r, state, nil
}
