package journal

import (
	"bufio"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"

	"procpool/ipc"
)

// Fold calls add with the partial of every chunk that the journals hold, in the
// order of their intervals, whatever the order of the journals and of their
// lines. The bytes of the partial are add's to keep; an error from add ends
// Fold with that error. Gaps
// do not stop it: a caller that wants the whole asks [Set.Complete] first.
func (s *Set) Fold(add func(iv ipc.Interval, partial []byte) error) error {
	return s.lines(func(rec record, line []byte) error { return add(rec.Interval, rec.Partial) })
}

// A Adder adds up encoded partials, for [Set.Write].
type Adder interface {
	// Add adds one partial to the sum.
	Add(partial []byte) error
	// Take returns the encoded sum and the same for human eyes (nil is
	// allowed), and starts again from nothing.
	Take() (partial []byte, value json.RawMessage, err error)
}

// Write writes the journals, which need not be complete, to a new journal at
// path, which can then be merged with others. The chunks of an exact task are
// added up by sum to one line for every run without a gap. Those of any other
// task are kept as they are, since the bits of their sum depend on the cuts;
// sum may be nil. The file appears under its name when it is complete and
// durable; until then it is path with ".merging" behind, which a later Write
// takes over after a kill. Write returns an *ExistsError where path exists.
func (s *Set) Write(path, build string, sum Adder) (err error) {
	if _, err := os.Lstat(path); err == nil {
		return &ExistsError{path}
	}
	temp := path + ".merging"
	file, err := openExclusive(temp, os.O_CREATE)
	if err != nil {
		return openError(temp, err)
	}
	defer func() {
		if err != nil {
			os.Remove(temp)
		}
	}()
	h := s.header
	h.Build = build
	w := &Writer{path: temp, file: file}
	if err = file.Truncate(0); err == nil {
		err = w.begin(h)
	}
	if err != nil {
		file.Close()
		return err
	}
	if w, err = w.start(); err != nil {
		return err
	}
	if s.header.Exact {
		err = s.writeSums(w, sum)
	} else {
		err = s.lines(w.appendRaw)
	}
	if err = errors.Join(err, w.Close()); err != nil {
		return err
	}
	if err := os.Rename(temp, path); err != nil {
		return err
	}
	return syncDir(filepath.Dir(path))
}

// writeSums appends a line for every run without a gap.
func (s *Set) writeSums(w *Writer, sum Adder) error {
	var run ipc.Interval // of what sum holds
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
	err := s.Fold(func(iv ipc.Interval, partial []byte) error {
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

// appendRaw appends the line of a chunk of the same job as it stands: the key
// in its checksum is this journal's too.
func (w *Writer) appendRaw(rec record, line []byte) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.err != nil {
		return w.err
	}
	if err := w.ledger.Add(rec.Interval); err != nil {
		return err
	}
	w.buf = append(append(w.buf, line...), '\n')
	return w.appended()
}

// lines calls visit for every line of all journals, in the order of the
// intervals. The line is valid during the call only.
//
// Journals are taken in groups whose extents are apart, so that only the
// segments of one group are in memory: of one journal, where each holds a share.
func (s *Set) lines(visit func(record, []byte) error) error {
	in := &segmentReader{set: s, source: -1}
	defer in.close()
	for first := 0; first < len(s.sources); {
		end := s.sources[first].end()
		next := first + 1
		for next < len(s.sources) && s.sources[next].start() < end {
			end = max(end, s.sources[next].end())
			next++
		}
		segments, err := s.segments(first, next)
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

// segments are those of the sources from first to before next, in order.
func (s *Set) segments(first, next int) ([]segment, error) {
	var all []segment
	for i := first; i < next; i++ {
		own := s.sources[i].segments
		if own == nil && len(s.sources[i].runs) > 0 {
			var err error
			if _, own, err = scan(s.sources[i].path, math.MaxInt); err != nil {
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

// A segmentReader reads segments of a Set's journals. It has one file open, the
// one that it read last: with more journals than a process may have open files,
// runs of one journal are still read without opening it again.
type segmentReader struct {
	set    *Set
	source int32
	file   *os.File // of source; nil when source is negative
	reader reader
}

func (in *segmentReader) close() {
	if in.file != nil {
		in.file.Close()
	}
}

// open makes source the one that is read.
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
	buffer := in.reader.in
	if buffer == nil {
		buffer = bufio.NewReaderSize(nil, bufferSize)
	}
	h := in.set.header
	in.reader = reader{path: src.path, header: h, key: h.Key(), whole: src.share.Interval(h.Grid()), in: buffer}
	return nil
}

// read visits the lines of seg, which were read before: that they still are
// what they were is checked again.
func (in *segmentReader) read(seg segment, visit func(record, []byte) error) error {
	if err := in.open(seg.source); err != nil {
		return err
	}
	r := &in.reader
	r.in.Reset(io.NewSectionReader(in.file, seg.offset, seg.size))
	r.offset, r.line, r.ledger = seg.offset, seg.line-1, ipc.Ledger{}
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
