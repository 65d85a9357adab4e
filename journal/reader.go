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

// ReadHeader returns the header of the journal at path, even while a run is writing to
// it. The error is a *FormatError, a *DamageError, or that of opening or reading the
// file.
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

// ReadCoverage reads all of the journal at path, even while a run is writing to it, and
// returns how much it covers. Errors are those of ReadHeader.
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
	return coverage(&r.header, r.whole, &r.ledger), nil
}

// openPlain opens path for reading without locking it.
func openPlain(path string) (*os.File, error) {
	if err := checkRegular(path); err != nil {
		return nil, err
	}
	return os.Open(path)
}

// bufferSize is small, so that Go reuses the memory soon: a merge of a job array reads
// 100,000 short files.
const bufferSize = 16 << 10

// checkRegular returns an error if path exists and is not a regular file. Opening a
// pipe could block for ever.
func checkRegular(path string) error {
	if info, err := os.Stat(path); err == nil && !info.Mode().IsRegular() {
		return &FormatError{Path: path, Reason: "it is not a regular file"}
	}
	return nil
}

// A reader reads and checks the lines of a journal in the order of the file.
type reader struct {
	path   string
	header Header
	key    string
	whole  ipc.Interval // interval that contains every chunk
	ledger ipc.Ledger   // what the lines so far cover

	in     *bufio.Reader
	text   []byte // last line without its newline; valid until the next call of next
	long   []byte // buffer for lines that do not fit into in
	line   int    // number of the last line
	offset int64  // of the byte after the last line
}

// newReader returns a reader that has read the header.
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

// next reads a chunk. It returns io.EOF after the last complete line.
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

// damaged returns a *DamageError for the last line. It returns a *FormatError as it
// is.
func (r *reader) damaged(offset int64, reason error) error {
	if f := (*FormatError)(nil); errors.As(reason, &f) {
		return reason
	}
	return &DamageError{Path: r.path, Line: r.line, Offset: offset, Reason: reason.Error()}
}

// readLine returns the next complete line without its newline. It is valid until the
// next call. With io.EOF, readLine returns the bytes after the last newline.
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
		return line, err // from os.File, so it has the path
	}
	r.offset += int64(len(line))
	return line[:len(line)-1], nil
}
