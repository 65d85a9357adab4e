package journal

import (
	"cmp"
	"errors"
	"io"
	"slices"

	"procpool/ipc"
)

// A Set is several journals of one job, read as one: shares of it, partial
// merges, or both. It holds no file open, and its memory grows with the number
// of journals, not with that of their chunks, unless chunks of different
// journals interleave out of order.
type Set struct {
	header  Header
	sources []source // in the order of what they cover first
	ledger  ipc.Ledger
}

// A source is one journal of a Set.
type source struct {
	path   string
	kind   int // which of the distinct headers it has
	share  Share
	merged int
	runs   []ipc.Interval // what it covers; not empty
	// segments are kept where they are few, as in a journal that was written
	// in order; nil means that the file must be read to find them.
	segments []segment
}

// A segment is a piece of a journal whose lines follow each other in the file
// and in the input, so that it can be read in one go.
type segment struct {
	ipc.Interval
	offset, size int64 // in bytes
	line         int   // the number of its first line
	source       int32 // whose it is
}

// keepSegments is how many segments of a journal stay in memory (640 bytes).
const keepSegments = 16

// Open reads journals through, in any order, and proves that they can be added
// up: they are of one job (the same key), and none covers what another covers.
// Otherwise it returns a *MergeError that names all such journals; other errors
// are those of [Resume], for the first journal that cannot be read, with a
// *LockedError for one whose run is not over.
// The set may lack a part of the input: ask [Set.Complete].
func Open(paths []string) (*Set, error) {
	if len(paths) == 0 {
		return nil, errors.New("there are no journals to merge")
	}
	s := &Set{}
	var kinds []Header // the distinct jobs, by what the key binds
	var count []int
	index := make(map[string]int) // of a key in kinds
	for _, path := range paths {
		r, segments, err := scan(path, keepSegments)
		if err != nil {
			return nil, err
		}
		kind, known := index[r.key]
		if !known {
			kind = len(kinds)
			index[r.key] = kind
			kinds, count = append(kinds, r.header), append(count, 0)
		}
		count[kind]++
		s.sources = append(s.sources, source{path: path, kind: kind, share: r.header.Share, merged: max(r.header.Merged, 1),
			runs: slices.Collect(r.ledger.Runs()), segments: segments})
	}
	// The job that most journals belong to is the one meant. The key settles a
	// tie, so that the order of the arguments never matters.
	best := 0
	for kind := range kinds {
		if c := cmp.Compare(count[kind], count[best]); c > 0 || c == 0 && kinds[kind].Key() < kinds[best].Key() {
			best = kind
		}
	}
	// Only what the key binds is common to all of them.
	h := kinds[best]
	s.header = Header{Task: h.Task, TaskVersion: h.TaskVersion, Interval: h.Interval, Grain: h.Grain,
		Exact: h.Exact, ChunkSize: h.ChunkSize, Chunks: h.Chunks}
	problems := foreign(s, kinds, best)
	for _, src := range s.sources {
		s.header.Merged += src.merged
	}
	if problems = append(problems, s.sortAndCover()...); len(problems) > 0 {
		return nil, &MergeError{Problems: problems}
	}
	return s, nil
}

// scan reads a journal through and finds its segments; nil when there are more
// than limit. No other process can write to it meanwhile.
func scan(path string, limit int) (*reader, []segment, error) {
	if err := checkRegular(path); err != nil {
		return nil, nil, err
	}
	f, err := openShared(path)
	if err != nil {
		return nil, nil, openError(path, err)
	}
	defer f.Close()
	r, err := newReader(path, f)
	if err != nil {
		return nil, nil, err
	}
	var segments []segment
	for n := 0; ; {
		start := r.offset
		rec, err := r.next()
		if err == io.EOF {
			return r, segments, nil
		}
		if err != nil {
			return nil, nil, err
		}
		if n > limit {
			continue
		}
		if n > 0 && segments[n-1].End == rec.Interval.Start {
			segments[n-1].End = rec.Interval.End
			segments[n-1].size += r.offset - start
			continue
		}
		if n++; n > limit {
			segments = nil
			continue
		}
		segments = append(segments, segment{Interval: rec.Interval, offset: start, size: r.offset - start, line: r.line})
	}
}

// sortAndCover puts the sources in the order of their first runs, those that
// cover nothing first, and adds up what they cover. It returns the overlaps.
func (s *Set) sortAndCover() []Problem {
	type run struct {
		ipc.Interval
		source int
	}
	slices.SortStableFunc(s.sources, func(a, b source) int {
		return cmp.Or(cmp.Compare(a.start(), b.start()), cmp.Compare(a.path, b.path))
	})
	var runs []run
	for i := range s.sources {
		for _, iv := range s.sources[i].runs {
			runs = append(runs, run{iv, i})
		}
	}
	slices.SortFunc(runs, func(a, b run) int {
		return cmp.Or(cmp.Compare(a.Start, b.Start), cmp.Compare(a.source, b.source))
	})
	var problems []Problem
	var last run // of those so far, the one that reaches farthest
	for _, r := range runs {
		if r.Start < last.End {
			problems = append(problems, overlap(&s.sources[last.source], &s.sources[r.source],
				ipc.Interval{Start: r.Start, End: min(r.End, last.End)}))
		} else if err := s.ledger.Add(r.Interval); err != nil {
			panic(err) // the order of the runs makes it impossible
		}
		if r.End > last.End {
			last = r
		}
	}
	return problems
}

// start and end bound what a source covers; they are -1 if that is nothing.
func (src *source) start() int64 {
	if len(src.runs) == 0 {
		return -1
	}
	return src.runs[0].Start
}

func (src *source) end() int64 {
	if len(src.runs) == 0 {
		return -1
	}
	return src.runs[len(src.runs)-1].End
}

// Header is what the journals have in common, as the header of their merge:
// no share, build or time, and the number of runs' journals that went into it.
func (s *Set) Header() Header { return s.header }

// Coverage says how far the journals together cover the whole input.
func (s *Set) Coverage() Coverage { return status(&s.header, s.header.Interval, &s.ledger) }

// Complete returns nil when the journals cover the whole input, each term
// once, and otherwise a *MergeError that names every part that is missing, and
// the shares it belongs to.
func (s *Set) Complete() error {
	if s.Coverage().Complete() {
		return nil
	}
	return &MergeError{Problems: s.missing()}
}
