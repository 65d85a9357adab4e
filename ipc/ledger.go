package ipc

import (
	"fmt"
	"iter"
	"slices"
	"sort"
)

// A Ledger records which indices are covered, each at most once: it is how
// "every term once" is proved. Intervals that touch are kept as one, so its
// memory follows the number of holes and not the number of intervals: 16 bytes
// for each maximal run. Adding in order costs O(1) and does not allocate;
// adding anywhere else costs O(log runs) to find the place and moves at most
// one block of runs.
//
// The zero value covers nothing and is ready for use. A Ledger is not safe for
// concurrent use, and must not change while one of its iterators runs.
type Ledger struct {
	blocks [][]Interval // the runs in order; no block is empty, none is longer than maxBlock
	total  int64
}

// maxBlock bounds what one insertion moves (8 KiB), and keeps the list of
// blocks short enough that a split, which moves that list, stays rare.
const maxBlock = 512

// An OverlapError is what [Ledger.Add] returns for an interval of which a part
// is covered already.
type OverlapError struct {
	Interval Interval // that was to be added
	Covered  Interval // its first part that is covered already
}

func (e *OverlapError) Error() string {
	if e.Interval == e.Covered {
		return fmt.Sprintf("%v is covered already", e.Interval)
	}
	return fmt.Sprintf("%v overlaps %v, which is covered already", e.Interval, e.Covered)
}

// Add covers iv. It returns the error of [Interval.Validate], or an
// *OverlapError, and then changes nothing. An empty interval has no terms:
// adding it has no effect.
func (l *Ledger) Add(iv Interval) error {
	if err := iv.Validate(); err != nil || iv.Len() == 0 {
		return err
	}
	b, i := l.find(iv.Start)
	touchesLeft := b < len(l.blocks) && l.blocks[b][i].End == iv.Start
	nb, ni := b, i // the first run that ends behind iv.Start
	if touchesLeft {
		nb, ni = l.next(b, i)
	}
	touchesRight := false
	if nb < len(l.blocks) {
		run := l.blocks[nb][ni]
		if run.Start < iv.End {
			return &OverlapError{iv, Interval{max(run.Start, iv.Start), min(run.End, iv.End)}}
		}
		touchesRight = run.Start == iv.End
	}
	l.total += iv.Len()
	switch {
	case touchesLeft && touchesRight:
		l.blocks[b][i].End = l.blocks[nb][ni].End
		l.remove(nb, ni)
	case touchesLeft:
		l.blocks[b][i].End = iv.End
	case touchesRight:
		l.blocks[nb][ni].Start = iv.Start
	default:
		l.insert(b, i, iv)
	}
	return nil
}

// Total is the number of indices that are covered.
func (l *Ledger) Total() int64 { return l.total }

// Covers reports whether every index of iv is covered.
func (l *Ledger) Covers(iv Interval) bool {
	for range l.Gaps(iv) {
		return false
	}
	return true
}

// RunAt is the maximal interval of covered indices that index i lies in, if it is
// covered.
func (l *Ledger) RunAt(i int64) (run Interval, covered bool) {
	b, at := l.find(i)
	if b < len(l.blocks) && l.blocks[b][at].End == i {
		b, at = l.next(b, at)
	}
	if b == len(l.blocks) || l.blocks[b][at].Start > i {
		return Interval{}, false
	}
	return l.blocks[b][at], true
}

// Runs yields what is covered, as maximal intervals in order.
func (l *Ledger) Runs() iter.Seq[Interval] {
	return func(yield func(Interval) bool) {
		for _, block := range l.blocks {
			for _, run := range block {
				if !yield(run) {
					return
				}
			}
		}
	}
}

// Gaps yields what is missing from whole, as maximal intervals in order.
func (l *Ledger) Gaps(whole Interval) iter.Seq[Interval] {
	return func(yield func(Interval) bool) {
		next := whole.Start // everything before it is covered, or was yielded
		for b, i := l.find(whole.Start); b < len(l.blocks); b, i = l.next(b, i) {
			run := l.blocks[b][i]
			if run.Start >= whole.End {
				break
			}
			if run.Start > next && !yield(Interval{next, run.Start}) {
				return
			}
			next = run.End
		}
		if next < whole.End {
			yield(Interval{next, whole.End})
		}
	}
}

// find is the place of the first run that ends at start or behind it;
// (len(l.blocks), 0) when there is none.
func (l *Ledger) find(start int64) (b, i int) {
	if n := len(l.blocks); n > 0 {
		// In-order adds touch the last run or lie behind it: no search.
		last := l.blocks[n-1]
		switch end := last[len(last)-1].End; {
		case end < start:
			return n, 0
		case end == start:
			return n - 1, len(last) - 1
		}
	}
	b = sort.Search(len(l.blocks), func(b int) bool {
		block := l.blocks[b]
		return block[len(block)-1].End >= start
	})
	if b == len(l.blocks) {
		return b, 0
	}
	block := l.blocks[b]
	return b, sort.Search(len(block), func(i int) bool { return block[i].End >= start })
}

// next is the place behind (b, i).
func (l *Ledger) next(b, i int) (int, int) {
	if i+1 < len(l.blocks[b]) {
		return b, i + 1
	}
	return b + 1, 0
}

// insert puts run before the place (b, i), and splits the block when it is full.
func (l *Ledger) insert(b, i int, run Interval) {
	if b == len(l.blocks) {
		if b == 0 || len(l.blocks[b-1]) == maxBlock {
			l.blocks = append(l.blocks, []Interval{run})
			return
		}
		b, i = b-1, len(l.blocks[b-1])
	}
	if block := l.blocks[b]; len(block) == maxBlock {
		half := maxBlock / 2
		right := append(make([]Interval, 0, maxBlock), block[half:]...)
		l.blocks[b] = block[:half]
		l.blocks = slices.Insert(l.blocks, b+1, right)
		if i > half {
			b, i = b+1, i-half
		}
	}
	l.blocks[b] = slices.Insert(l.blocks[b], i, run)
}

// remove takes out the run at (b, i), and its block when nothing is left of it.
func (l *Ledger) remove(b, i int) {
	if l.blocks[b] = slices.Delete(l.blocks[b], i, i+1); len(l.blocks[b]) == 0 {
		l.blocks = slices.Delete(l.blocks, b, b+1)
	}
}
