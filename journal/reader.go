package journal

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"

	"procpool/ipc"
)

// ReadHeader reads the header of the journal at path, also while a run is
// writing to it. A run that continues a journal without having been told the
// chunk size takes it from there.
func ReadHeader(path string) (Header, error) {
	f, err := openPlain(path)
	if err != nil {
		return Header{}, err
	}
	defer f.Close()
	r, err := newReader(path, f)
	if err != nil {
		return Header{}, err
	}
	return r.header, nil
}

// ReadCoverage reads the journal at path through, also while a run is writing to
// it, and says how far it is.
func ReadCoverage(path string) (Coverage, error) {
	f, err := openPlain(path)
	if err != nil {
		return Coverage{}, err
	}
	defer f.Close()
	r, err := newReader(path, f)
	for err == nil {
		_, err = r.next()
	}
	if err != io.EOF {
		return Coverage{}, err
	}
	return status(&r.header, r.whole, &r.ledger), nil
}

// openPlain opens path for reading without asking for its lock.
func openPlain(path string) (*os.File, error) {
	if err := checkRegular(path); err != nil {
		return nil, err
	}
	return os.Open(path)
}

// bufferSize is small enough for Go to reuse the memory quickly: a merge of a
// job array reads 100,000 short files.
const bufferSize = 16 << 10

// checkRegular refuses what exists but cannot be a journal, before it is
// opened: to open a pipe may block for ever.
func checkRegular(path string) error {
	if info, err := os.Stat(path); err == nil && !info.Mode().IsRegular() {
		return &FormatError{Path: path, Reason: "it is not a regular file"}
	}
	return nil
}

// A reader reads the lines of one journal in file order and checks all that can
// be checked about each. It ends with io.EOF behind the last complete line.
type reader struct {
	path   string
	header Header
	key    string
	whole  ipc.Interval // in which every chunk must lie
	ledger ipc.Ledger   // what the lines read so far cover

	in     *bufio.Reader
	text   []byte // of the chunk read last, without its newline; valid until the next
	long   []byte // a line that did not fit into in
	line   int    // the number of the line read last
	offset int64  // of the byte behind it
}

// newReader reads the header from the start of a journal.
func newReader(path string, from io.Reader) (*reader, error) {
	r := &reader{path: path, in: bufio.NewReaderSize(from, bufferSize)}
	line, err := r.readLine(maxHeader)
	known := magic[:min(len(magic), len(line))]
	switch {
	case !bytes.HasPrefix(line, []byte(known)) || err == nil && len(line) < len(magic):
		return nil, &FormatError{Path: path, Reason: "it does not begin with " + magic}
	case err == io.EOF:
		return nil, &FormatError{Path: path, Reason: "it ends within its header", cut: true}
	case err != nil:
		return nil, err
	}
	if r.header, err = parseHeader(path, line); err != nil {
		return nil, r.damaged(0, err)
	}
	r.key = r.header.Key()
	r.whole = r.header.Covers()
	return r, nil
}

// next reads one chunk. Behind the last complete line it returns io.EOF.
func (r *reader) next() (record, error) {
	start := r.offset
	line, err := r.readLine(maxLine)
	if err != nil {
		return record{}, err
	}
	r.text = line
	rec, err := parseLine(line, &r.header, r.whole, r.key)
	if err == nil {
		err = r.ledger.Add(rec.Interval)
	}
	if err != nil {
		return record{}, r.damaged(start, err)
	}
	return rec, nil
}

// damaged turns what is wrong with the line read last into a *DamageError.
func (r *reader) damaged(offset int64, reason error) error {
	if f := (*FormatError)(nil); errors.As(reason, &f) {
		return reason
	}
	return &DamageError{Path: r.path, Line: r.line, Offset: offset, Reason: reason.Error()}
}

// readLine returns the next complete line without its newline, valid until the
// next call. With io.EOF comes what is left behind the last newline.
func (r *reader) readLine(limit int) ([]byte, error) {
	line, err := r.in.ReadSlice('\n')
	if err == bufio.ErrBufferFull {
		r.long = append(r.long[:0], line...)
		for err == bufio.ErrBufferFull && len(r.long) <= limit {
			line, err = r.in.ReadSlice('\n')
			r.long = append(r.long, line...)
		}
		line = r.long
	}
	r.line++
	if len(line) > limit {
		return line, r.damaged(r.offset, fmt.Errorf("it is longer than %d bytes", limit))
	}
	if err != nil {
		return line, err // of os.File: it names the path
	}
	r.offset += int64(len(line))
	return line[:len(line)-1], nil
}
