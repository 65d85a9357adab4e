package journal

import (
	"errors"
	"fmt"
	"slices"
	"sort"
	"strings"

	"procpool/ipc"
)

// Values of [Problem.Kind].
const (
	Foreign    = "foreign"    // a journal belongs to another job
	Overlap    = "overlap"    // two journals cover the same part
	Unfinished = "unfinished" // the journal of a share does not cover all of it
	Gap        = "gap"        // no journal has to cover a part
)

// A Problem is a reason why journals cannot be added up.
type Problem struct {
	Kind     string       `json:"kind"`
	Interval ipc.Interval `json:"interval"` // part that is missing or covered twice; whole input of a foreign journal
	Paths    []string     `json:"paths"`    // journals with the problem; none for a gap
	Text     string       `json:"text"`     // description in one line
}

// A MergeError has all reasons why journals cannot be added up, at least one.
type MergeError struct{ Problems []Problem }

// shown is the number of problems in the text of a MergeError.
const shown = 4

func (e *MergeError) Error() string {
	var parts []string
	for _, p := range e.Problems[:min(len(e.Problems), shown)] {
		parts = append(parts, p.Text)
	}
	if more := len(e.Problems) - shown; more > 0 {
		parts = append(parts, fmt.Sprintf("and %d more", more))
	}
	return "the journals do not add up: " + strings.Join(parts, "; ")
}

// Hint says what the user can do. It is "" unless computing missing shares is enough.
func (e *MergeError) Hint() string {
	for _, p := range e.Problems {
		if p.Kind != Unfinished && p.Kind != Gap {
			return ""
		}
	}
	return "run the missing shares, unfinished ones with --resume, then merge again"
}

// foreign removes the sources of other jobs than jobs[best] from s, and returns a
// problem for each.
func foreign(s *Set, jobs []Header, best int) []Problem {
	var problems []Problem
	s.sources = slices.DeleteFunc(s.sources, func(src source) bool {
		if src.job == best {
			return false
		}
		err := match(src.path, jobs[src.job], s.header, false)
		m := (*MismatchError)(nil)
		if !errors.As(err, &m) {
			m = &MismatchError{Path: src.path, Field: "key"} // impossible: the fields make up the key
		}
		problems = append(problems, Problem{Foreign, jobs[src.job].Interval, []string{src.path},
			fmt.Sprintf("%s belongs to another job: its %s is %s, that of the others is %s", src.path, m.Field, m.Have, m.Want)})
		return true
	})
	return problems
}

// overlap returns the problem that two sources cover iv.
func overlap(a, b *source, iv ipc.Interval) Problem {
	text := fmt.Sprintf("%s and %s both cover %v", a.path, b.path, iv)
	switch {
	case a.path == b.path:
		text = a.path + " is given twice"
	case a.share == b.share && a.share != Share{}:
		text = fmt.Sprintf("%s and %s both are share %v", a.path, b.path, a.share)
	}
	return Problem{Overlap, iv, []string{a.path, b.path}, text}
}

// missing returns a problem for each part that the set does not cover: first those in
// the shares whose journals are in the set, then all others.
func (s *Set) missing() []Problem {
	var problems []Problem
	var named ipc.Ledger // what is covered or has a problem already
	for run := range s.ledger.Runs() {
		mustAdd(&named, run)
	}
	grid := s.header.Grid()
	shares := int64(-1) // number of shares, if all sources agree; 0 if not
	for i := range s.sources {
		src := &s.sources[i]
		if src.share == (Share{}) {
			continue
		}
		if shares < 0 {
			shares = src.share.N
		} else if shares != src.share.N {
			shares = 0
		}
		for _, gap := range slices.Collect(named.Gaps(src.share.Interval(grid))) {
			mustAdd(&named, gap)
			problems = append(problems, Problem{Unfinished, gap, []string{src.path},
				fmt.Sprintf("%s lacks %v of its share %v", src.path, gap, src.share)})
		}
	}
	for gap := range named.Gaps(s.header.Interval) {
		text := fmt.Sprintf("no journal covers %v", gap)
		if shares > 0 {
			text += " (" + sharesOf(grid, shares, gap) + ")"
		}
		problems = append(problems, Problem{Gap, gap, nil, text})
	}
	return problems
}

// sharesOf returns the names of those of n shares that gap touches.
func sharesOf(grid ipc.Grid, n int64, gap ipc.Interval) string {
	holding := func(i int64) int64 { // the first share that ends after index i
		return int64(sort.Search(int(n-1), func(k int) bool { return Share{int64(k) + 1, n}.Interval(grid).End > i })) + 1
	}
	first, last := holding(gap.Start), holding(gap.End-1)
	if first == last {
		return "share " + Share{first, n}.String()
	}
	return fmt.Sprintf("shares %d to %d of %d", first, last, n)
}

// mustAdd adds an interval that cannot overlap.
func mustAdd(l *ipc.Ledger, iv ipc.Interval) {
	if err := l.Add(iv); err != nil {
		panic(err)
	}
}
