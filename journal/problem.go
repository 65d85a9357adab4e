package journal

import (
	"errors"
	"fmt"
	"slices"
	"sort"
	"strings"

	"procpool/ipc"
)

// The kinds of a [Problem].
const (
	Foreign    = "foreign"    // a journal belongs to another job
	Overlap    = "overlap"    // two journals cover the same part
	Unfinished = "unfinished" // a share whose journal is there was not computed to its end
	Gap        = "gap"        // no journal is responsible for a part
)

// A Problem is one reason why journals do not add up.
type Problem struct {
	Kind     string       `json:"kind"`
	Interval ipc.Interval `json:"interval"` // that is missing or covered twice; of the whole input for a foreign journal
	Paths    []string     `json:"paths"`    // the journals concerned: none for a gap
	Text     string       `json:"text"`     // all of it as one line
}

// A MergeError names everything that keeps journals from being added up.
type MergeError struct{ Problems []Problem }

// shown is how many problems an error's one line spells out.
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

// Hint says what can be done about it; empty when it depends.
func (e *MergeError) Hint() string {
	for _, p := range e.Problems {
		if p.Kind != Unfinished && p.Kind != Gap {
			return ""
		}
	}
	return "run the missing shares, unfinished ones with --resume, then merge again"
}

// foreign takes the sources that are not of kind best out of s, and names them.
func foreign(s *Set, kinds []Header, best int) []Problem {
	var problems []Problem
	s.sources = slices.DeleteFunc(s.sources, func(src source) bool {
		if src.kind == best {
			return false
		}
		err := match(src.path, kinds[src.kind], s.header, false)
		m := (*MismatchError)(nil)
		if !errors.As(err, &m) {
			m = &MismatchError{Path: src.path, Field: "key"} // the fields say all, so this cannot be
		}
		problems = append(problems, Problem{Foreign, kinds[src.kind].Interval, []string{src.path},
			fmt.Sprintf("%s belongs to another job: its %s is %s, that of the others is %s", src.path, m.Field, m.Have, m.Want)})
		return true
	})
	return problems
}

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

// missing names what the set does not cover: first what is missing from the
// shares whose journals are there, then what nobody was to compute.
func (s *Set) missing() []Problem {
	var problems []Problem
	var named ipc.Ledger // covered, or named already
	for run := range s.ledger.Runs() {
		mustAdd(&named, run)
	}
	grid := s.header.Grid()
	shares := int64(-1) // into how many the job was divided, if all agree
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

// sharesOf names the shares of n in which gap lies.
func sharesOf(grid ipc.Grid, n int64, gap ipc.Interval) string {
	holding := func(i int64) int64 { // the first share that ends behind index i
		return int64(sort.Search(int(n-1), func(k int) bool { return Share{int64(k) + 1, n}.Interval(grid).End > i })) + 1
	}
	first, last := holding(gap.Start), holding(gap.End-1)
	if first == last {
		return "share " + Share{first, n}.String()
	}
	return fmt.Sprintf("shares %d to %d of %d", first, last, n)
}

// mustAdd adds what is known not to overlap.
func mustAdd(l *ipc.Ledger, iv ipc.Interval) {
	if err := l.Add(iv); err != nil {
		panic(err)
	}
}
