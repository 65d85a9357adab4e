package journal

import (
	"errors"
	"fmt"
	"slices"
	"sort"
	"strconv"
	"strings"

	"procpool/ipc"
)

// Values of [Problem.Kind].
const (
	Foreign    = "foreign"    // a journal belongs to another job
	Overlap    = "overlap"    // two journals cover the same part
	Unfinished = "unfinished" // the journal of a share does not cover all of it
	Gap        = "gap"        // no journal has to cover a part
	Damaged    = "damaged"    // a line of a journal is damaged, so that its chunk is missing
)

// A Problem is a reason why journals cannot be added up.
type Problem struct {
	Kind     string       `json:"kind"`
	Interval ipc.Interval `json:"interval"` // part that is missing or covered twice; whole input of a foreign journal, empty for a damaged line
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
		if p.Kind != Unfinished && p.Kind != Gap && p.Kind != Damaged {
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
	what := fmt.Sprintf("%s and %s both cover %v", a.path, b.path, iv)
	switch {
	case a.path == b.path:
		what = a.path + " is given twice"
	case a.share == b.share && a.share != Share{} && a.part == nil && b.part == nil:
		what = fmt.Sprintf("%s and %s both are share %v", a.path, b.path, a.share)
	}
	return Problem{Overlap, iv, []string{a.path, b.path}, what}
}

// missing returns a problem for each part that the set does not cover: first those in
// the shares whose journals are in the set, then all others. What is scattered over a
// cyclic deal is one problem, with the interval in which all of it lies.
func (s *Set) missing() []Problem {
	var problems []Problem
	for _, bad := range s.damage {
		problems = append(problems, Problem{Damaged, ipc.Interval{}, []string{bad.Path}, bad.Error()})
	}
	var named ipc.Ledger // what is covered or has a problem already
	for run := range s.ledger.Runs() {
		mustAdd(&named, run)
	}
	grid := s.header.Grid()
	shares, deal := s.shares()
	for i := range s.sources {
		src := &s.sources[i]
		if src.share == (Share{}) {
			continue
		}
		lacks := gaps(&named, covers(grid, src.share, src.deal, src.part))
		if len(lacks) > 1 && (src.deal == Cyclic || src.part != nil) {
			problems = append(problems, Problem{Unfinished, hull(lacks), []string{src.path},
				fmt.Sprintf("%s lacks %d parts of its share %v, the first is %v", src.path, len(lacks), src.share, lacks[0])})
			continue
		}
		for _, gap := range lacks {
			problems = append(problems, Problem{Unfinished, gap, []string{src.path},
				fmt.Sprintf("%s lacks %v of its share %v", src.path, gap, src.share)})
		}
	}
	rest := slices.Collect(named.Gaps(s.header.Interval))
	if deal == Cyclic && len(rest) > 0 {
		return append(problems, Problem{Gap, hull(rest), nil, "no journal covers " + sharesOf(grid, shares, deal, rest)})
	}
	for _, gap := range rest {
		what := fmt.Sprintf("no journal covers %v", gap)
		if shares > 0 {
			what += " (" + sharesOf(grid, shares, deal, []ipc.Interval{gap}) + ")"
		}
		problems = append(problems, Problem{Gap, gap, nil, what})
	}
	return problems
}

// shares returns the number of shares, and how they are dealt, if all sources that are
// shares agree, and otherwise 0.
func (s *Set) shares() (n int64, deal string) {
	for i := range s.sources {
		src := &s.sources[i]
		switch {
		case src.share == Share{} || src.part != nil:
		case n == 0:
			n, deal = src.share.N, src.deal
		case n != src.share.N || deal != src.deal:
			return 0, ""
		}
	}
	return n, deal
}

// gaps adds to named what it lacks of covers, and returns that.
func gaps(named, covers *ipc.Ledger) (lacks []ipc.Interval) {
	for run := range covers.Runs() {
		lacks = slices.AppendSeq(lacks, named.Gaps(run))
	}
	for _, gap := range lacks {
		mustAdd(named, gap)
	}
	return lacks
}

// hull returns the least interval that contains intervals in order.
func hull(ivs []ipc.Interval) ipc.Interval {
	return ipc.Interval{Start: ivs[0].Start, End: ivs[len(ivs)-1].End}
}

// sharesOf returns the names of those of n shares that gaps touch: "share 2/4", or
// "shares 2, 5-7 of 10".
func sharesOf(grid ipc.Grid, n int64, deal string, gaps []ipc.Interval) string {
	touched := touchedBy(grid, n, deal, gaps)
	if touched.Total() == 1 {
		for run := range touched.Runs() {
			return "share " + Share{run.Start, n}.String()
		}
	}
	return fmt.Sprintf("shares %s of %d", listOf(touched), n)
}

// touchedBy returns the numbers of those of n shares that gaps touch.
func touchedBy(grid ipc.Grid, n int64, deal string, gaps []ipc.Interval) *ipc.Ledger {
	touched := &ipc.Ledger{}
	add := func(first, last int64) {
		for _, gap := range slices.Collect(touched.Gaps(ipc.Interval{Start: first, End: last + 1})) {
			mustAdd(touched, gap)
		}
	}
	holding := func(i int64) int64 { // the first share of consecutive chunks that ends after index i
		return int64(sort.Search(int(n-1), func(k int) bool { return Share{int64(k) + 1, n}.block(grid).End > i })) + 1
	}
	for _, gap := range gaps {
		first, last := grid.Find(gap.Start), grid.Find(gap.End-1)
		switch {
		case deal != Cyclic:
			add(holding(gap.Start), holding(gap.End-1))
		case last-first >= n-1:
			add(1, n)
		case first%n <= last%n:
			add(first%n+1, last%n+1)
		default:
			add(first%n+1, n)
			add(1, last%n+1)
		}
	}
	return touched
}

// listOf returns numbers as engines take them: "2,5-7".
func listOf(numbers *ipc.Ledger) string {
	var parts []string
	for run := range numbers.Runs() {
		part := strconv.FormatInt(run.Start, 10)
		if run.Len() > 1 {
			part += "-" + strconv.FormatInt(run.End-1, 10)
		}
		parts = append(parts, part)
	}
	return strings.Join(parts, ",")
}

// mustAdd adds an interval that cannot overlap.
func mustAdd(l *ipc.Ledger, iv ipc.Interval) {
	if err := l.Add(iv); err != nil {
		panic(err)
	}
}
