package journal

import (
	"cmp"
	"context"
	"errors"
	"io"
	"iter"
	"slices"

	"procpool/ipc"
)

// A Set reads several journals of a job as one: shares, merges of some shares, or
// both. It keeps no file open. Its memory grows with the number of journals but not of
// chunks, unless chunks of different journals interleave out of order.
type Set struct {
	header  Header
	sources []source // in the order of the first index they cover
	ledger  ipc.Ledger
	damage  []*DamageError
}

// A source is a journal of a Set.
type source struct {
	path   string
	job    int // index of its header among the distinct ones
	share  Share
	deal   string
	part   []ipc.Interval
	merged int
	runs   []ipc.Interval // what it covers, in order
	// segments is nil if there are many. The file must then be read again to find them.
	// A journal that was written in order has few.
	segments []segment
}

// A segment is a part of a journal whose lines are consecutive both in the file and in
// the input.
type segment struct {
	ipc.Interval
	offset, size int64 // in bytes
	line         int   // number of its first line
	source       int32 // index of its source
}

// keepSegments is the largest number of segments of a journal that stay in memory (640
// bytes).
const keepSegments = 16

// Open reads journals, in any order, and proves that they can be added up: they belong
// to the same job, and no two of them cover the same index. Otherwise it returns a
// *MergeError that names all journals with a problem. If a journal cannot be read, the
// error is one of those of [Resume]: a *LockedError if its run has not ended. Open ends
// soon after ctx is done, with its error. The Set may lack parts of the input, see
// [Set.Complete].
func Open(ctx context.Context, paths []string) (*Set, error) {
	if len(paths) == 0 {
		return nil, errors.New("there are no journals to merge")
	}
	s := &Set{}
	var jobs []Header // the first header with each key
	var count []int
	index := make(map[string]int) // of a key in jobs
	for _, path := range paths {
		r, segments, err := scan(ctx, path, keepSegments)
		if err != nil {
			return nil, err
		}
		s.damage = append(s.damage, r.damage...)
		job, known := index[r.key]
		if !known {
			job = len(jobs)
			index[r.key] = job
			jobs, count = append(jobs, r.header), append(count, 0)
		}
		count[job]++
		s.sources = append(s.sources, source{path: path, job: job, share: r.header.Share, deal: r.header.Deal, part: r.header.Part, merged: max(r.header.Merged, 1),
			runs: slices.Collect(r.ledger.Runs()), segments: segments})
	}
	// Take the job with the most journals. The key decides a tie, so that the order of
	// the arguments does not matter.
	best := 0
	for job := range jobs {
		if c := cmp.Compare(count[job], count[best]); c > 0 || c == 0 && jobs[job].Key() < jobs[best].Key() {
			best = job
		}
	}
	// The journals agree only in the fields that make up the key.
	h := jobs[best]
	s.header = Header{Task: h.Task, TaskVersion: h.TaskVersion, Interval: h.Interval, Grain: h.Grain, Command: h.Command, Reduce: h.Reduce, Input: h.Input,
		Exact: h.Exact, Foreign: h.Foreign, ChunkSize: h.ChunkSize, Chunks: h.Chunks, Longer: h.Longer}
	problems := foreign(s, jobs, best)
	for _, src := range s.sources {
		s.header.Merged += src.merged
	}
	if problems = append(problems, s.sortAndCover()...); len(problems) > 0 {
		return nil, &MergeError{Problems: problems}
	}
	return s, nil
}

// scan reads all of a journal and returns its segments, or nil if there are more than
// limit. No other process can write to the journal meanwhile.
func scan(ctx context.Context, path string, limit int) (*reader, []segment, error) {
	if err := checkRegular(path); err != nil {
		return nil, nil, err
	}
	f, err := openShared(path)
	if err != nil {
		return nil, nil, openError(path, err)
	}
	defer f.Close()
	r, err := newReader(ctx, path, f)
	if err != nil {
		return nil, nil, err
	}
	var segments []segment
	for n := 0; ; {
		before := r.offset
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
		start := r.offset - int64(len(r.text)) - 1
		if n > 0 && start == before && segments[n-1].End == rec.Interval.Start {
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

// sortAndCover sorts the sources by their first runs, with those that cover nothing
// first, and fills the ledger. It returns the overlaps.
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
	var last run // the run so far with the largest end
	for _, r := range runs {
		if r.Start < last.End {
			problems = append(problems, overlap(&s.sources[last.source], &s.sources[r.source],
				ipc.Interval{Start: r.Start, End: min(r.End, last.End)}))
		} else if err := s.ledger.Add(r.Interval); err != nil {
			panic(err) // impossible: the runs are sorted
		}
		if r.End > last.End {
			last = r
		}
	}
	return problems
}

// start returns the first index that the source covers, or -1 if there is none.
func (src *source) start() int64 {
	if len(src.runs) == 0 {
		return -1
	}
	return src.runs[0].Start
}

// end returns the index after the last one that the source covers, or -1.
func (src *source) end() int64 {
	if len(src.runs) == 0 {
		return -1
	}
	return src.runs[len(src.runs)-1].End
}

// Header returns the header for a merge of the journals. It has no share, build and
// time. Merged is the number of journals of runs.
func (s *Set) Header() Header { return s.header }

// Coverage returns how much of the whole input the journals cover together.
func (s *Set) Coverage() Coverage { return coverage(&s.header, s.header.Covers(), &s.ledger) }

// Missing yields, in order, what the journals do not cover.
func (s *Set) Missing() iter.Seq[ipc.Interval] { return s.ledger.Gaps(s.header.Interval) }

// Damage returns the lines that are left out since they are damaged, the first hundred of
// each journal.
func (s *Set) Damage() []*DamageError { return s.damage }

// Complete returns nil if the journals cover the whole input, and otherwise a
// *MergeError that names every missing part and its shares.
func (s *Set) Complete() error {
	if s.Coverage().Complete() {
		return nil
	}
	return &MergeError{Problems: s.missing()}
}
