package journal

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"slices"

	"procpool/ipc"
)

// Fold calls add with the partial of every chunk in the journals, in the order of the
// intervals, whatever the order of the journals and of their lines. add may keep the
// partial. Fold ends with the first error of add, or soon after ctx is done with its
// error. Gaps do not stop it: call [Set.Complete] first if there must be none.
func (s *Set) Fold(ctx context.Context, add func(iv ipc.Interval, partial []byte) error) error {
	return s.visitLines(ctx, func(rec record, line []byte) error { return add(rec.Interval, rec.Partial) })
}

// An Adder adds up encoded partials for [Set.Write].
type Adder interface {
	// Add adds a partial to the sum.
	Add(partial []byte) error
	// Take returns the encoded sum and, for people to read, its value (or nil). It then
	// starts again without partials.
	Take() (partial []byte, value json.RawMessage, err error)
}

// Write writes the journals to a new journal at path, which can be merged with
// others. The journals may have gaps. If the task is exact, sum adds up the chunks, and
// the new journal has a line for each run of chunks without a gap. For other tasks the
// bits of the sum depend on the cuts, so Write copies the lines and sum may be nil.
//
// The file appears at path when it is complete and on disk. Write replaces nothing: it
// returns an *ExistsError if path exists, also if that appears meanwhile.
func (s *Set) Write(ctx context.Context, path, build string, sum Adder) error {
	if _, err := os.Lstat(path); err == nil {
		return &ExistsError{path}
	}
	h := s.header
	h.Build = build
	file, w, err := createUnnamed(path, h)
	if err != nil {
		return err
	}
	defer w.unlock()
	defer file.Discard()
	if w, err = w.start(); err != nil {
		return err
	}
	if s.header.Exact {
		err = s.writeSums(ctx, w, sum)
	} else {
		err = s.visitLines(ctx, w.appendRaw)
	}
	if err = errors.Join(err, w.finish()); err != nil {
		return discarded(err)
	}
	return publish(file) // while it is locked
}

// writeSums appends a line for each run of chunks without a gap.
func (s *Set) writeSums(ctx context.Context, w *Writer, sum Adder) error {
	var run ipc.Interval // what sum has added up
	take := func() error {
		if run.Len() == 0 {
			return nil
		}
		partial, value, err := sum.Take()
		if err != nil {
			return err
		}
		return w.Append(Entry{Interval: run, Partial: partial, Value: value})
	}
	err := s.Fold(ctx, func(iv ipc.Interval, partial []byte) error {
		if iv.Start != run.End {
			if err := take(); err != nil {
				return err
			}
			run.Start = iv.Start
		}
		run.End = iv.End
		return sum.Add(partial)
	})
	if err != nil {
		return err
	}
	return take()
}

// appendRaw appends a line of a journal of the same job unchanged. Its checksum is
// valid here, since the key is the same.
func (w *Writer) appendRaw(rec record, line []byte) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.err != nil {
		return w.err
	}
	if err := w.ledger.Add(rec.Interval); err != nil {
		return err
	}
	if w.buf = append(append(w.buf, line...), '\n'); len(w.buf) > writeAbove {
		w.write()
	}
	return w.appended()
}

// visitLines calls visit for each line of all journals, in the order of the intervals.
// The line is only valid during the call.
//
// It handles journals in groups, of which each covers what none of the others reaches
// into. Only the segments of one group are in memory. If each journal is a share,
// every group has one journal.
func (s *Set) visitLines(ctx context.Context, visit func(record, []byte) error) error {
	in := &segmentReader{ctx: ctx, set: s, source: -1}
	defer in.close()
	for first := 0; first < len(s.sources); {
		end := s.sources[first].end()
		next := first + 1
		for next < len(s.sources) && s.sources[next].start() < end {
			end = max(end, s.sources[next].end())
			next++
		}
		segments, err := s.segments(ctx, first, next)
		if err != nil {
			return err
		}
		for _, seg := range segments {
			if err := in.read(seg, visit); err != nil {
				return err
			}
		}
		first = next
	}
	return nil
}

// segments returns the segments of sources[first:next] in the order of their intervals.
func (s *Set) segments(ctx context.Context, first, next int) ([]segment, error) {
	var all []segment
	for i := first; i < next; i++ {
		own := s.sources[i].segments
		if own == nil && len(s.sources[i].runs) > 0 {
			var err error
			if _, own, err = scan(ctx, s.sources[i].path, math.MaxInt); err != nil {
				return nil, err
			}
		}
		for _, seg := range own {
			seg.source = int32(i)
			all = append(all, seg)
		}
	}
	slices.SortFunc(all, func(a, b segment) int { return cmp.Compare(a.Start, b.Start) })
	return all, nil
}

// A segmentReader reads segments of the journals of a Set. It keeps only the last file
// open, because there may be more journals than a process may have open files.
type segmentReader struct {
	ctx    context.Context
	set    *Set
	source int32
	file   *os.File // of source; nil if source is negative
	reader reader
}

func (in *segmentReader) close() {
	if in.file != nil {
		in.file.Close()
	}
}

// open opens the file of source, unless it is open.
func (in *segmentReader) open(source int32) error {
	if in.source == source {
		return nil
	}
	in.close()
	in.source, in.file = -1, nil
	src := &in.set.sources[source]
	file, err := openShared(src.path)
	if err != nil {
		return openError(src.path, err)
	}
	in.source, in.file = source, file
	h := in.set.header
	in.reader = reader{ctx: in.ctx, path: src.path, header: h, key: h.Key(), covers: h.Covers(), in: in.reader.in, long: in.reader.long, block: in.reader.block}
	return nil
}

// read visits the lines of seg. It checks again that they are valid, since the file
// may have changed since [Open].
func (in *segmentReader) read(seg segment, visit func(record, []byte) error) error {
	if err := in.open(seg.source); err != nil {
		return err
	}
	r := &in.reader
	r.begin(in.file, seg.offset, seg.offset+seg.size)
	r.line, r.ledger = seg.line-1, ipc.Ledger{}
	next := seg.Start
	for next < seg.End {
		rec, err := r.next()
		if err == nil && rec.Interval.Start == next {
			err = visit(rec, r.text)
			next = rec.Interval.End
		} else if err == nil || err == io.EOF {
			err = fmt.Errorf("journal %s changed while it was read", r.path)
		}
		if err != nil {
			return err
		}
	}
	return nil
}
