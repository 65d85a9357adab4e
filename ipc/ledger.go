package ipc

import (
	"fmt"
	"iter"
	"slices"
	"sort"
)

// A Ledger records which indices are covered, and refuses to cover one twice. It
// proves that a sum has every term once. It joins intervals that touch to a run, so it
// takes 16 bytes for each run, however many intervals were added. Adding in order takes
// constant time and does not allocate. Adding elsewhere takes time logarithmic in the
// number of runs, plus the time to move at most one block of runs.
//
// The zero value covers nothing and is ready to use. A Ledger is not safe for
// concurrent use, and must not change while one of its iterators runs.
type Ledger struct {
	blocks [][]Interval // runs in order; each block has 1 to maxBlock of them
	total  int64
}

// maxBlock limits what an insertion moves (8 KiB). It also keeps the list of blocks
// short, which moves when a block is split.
const maxBlock = 512

// An OverlapError is returned by [Ledger.Add] if a part of the interval is covered
// already.
type OverlapError struct {
	Interval Interval // the argument of Add
	Covered  Interval // its first part that is covered already
}

func (e *OverlapError) Error() string {
	if e.Interval == e.Covered {
		return fmt.Sprintf("%v is covered already", e.Interval)
	}
	return fmt.Sprintf("%v overlaps %v, which is covered already", e.Interval, e.Covered)
}

// Add covers iv. If it returns an error, that of [Interval.Validate] or an
// *OverlapError, the Ledger has not changed. Adding an empty interval does nothing.
func (l *Ledger) Add(iv Interval) error {
	if err := iv.Validate(); err != nil || iv.Len() == 0 {
		return err
	}
	b, i := l.find(iv.Start)
	touchesLeft := b < len(l.blocks) && l.blocks[b][i].End == iv.Start
	nb, ni := b, i // place of the first run that ends after iv.Start
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

// Total returns the number of indices that are covered.
func (l *Ledger) Total() int64 { return l.total }

// Covers reports whether every index of iv is covered.
func (l *Ledger) Covers(iv Interval) bool {
	for range l.Gaps(iv) {
		return false
	}
	return true
}

// Runs yields the runs in order: maximal intervals that are covered.
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

// Gaps yields, in order, the maximal intervals in whole that are not covered.
func (l *Ledger) Gaps(whole Interval) iter.Seq[Interval] {
	return func(yield func(Interval) bool) {
		next := whole.Start // every index before it is covered or was yielded
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

// find returns the place of the first run that ends at start or later, or
// (len(l.blocks), 0) if there is none.
func (l *Ledger) find(start int64) (b, i int) {
	if n := len(l.blocks); n > 0 {
		// Adding in order needs no search: the interval touches the last run or comes
		// after it.
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

// next returns the place after (b, i).
func (l *Ledger) next(b, i int) (int, int) {
	if i+1 < len(l.blocks[b]) {
		return b, i + 1
	}
	return b + 1, 0
}

// insert inserts run before the place (b, i). It splits the block if it is full.
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

// remove removes the run at (b, i), and its block if that becomes empty.
func (l *Ledger) remove(b, i int) {
	if l.blocks[b] = slices.Delete(l.blocks[b], i, i+1); len(l.blocks[b]) == 0 {
		l.blocks = slices.Delete(l.blocks, b, b+1)
	}
}
