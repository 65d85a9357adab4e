package journal

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"math"
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
	r, err := newReader(context.Background(), path, f)
	if err != nil {
		return Header{}, err
	}
	return r.header, nil
}

// ReadCoverage reads all of the journal at path, even while a run is writing to it, and
// returns how much it covers. Errors are those of ReadHeader, or that of ctx, soon after
// that is done.
func ReadCoverage(ctx context.Context, path string) (Coverage, error) {
	f, err := openPlain(path)
	if err != nil {
		return Coverage{}, err
	}
	defer f.Close()
	r, err := newReader(ctx, path, f)
	for err == nil {
		_, err = r.next()
	}
	if err != io.EOF {
		return Coverage{}, err
	}
	return coverage(&r.header, r.covers, &r.ledger), nil
}

// Is reports whether the file at path begins as a journal does.
func Is(path string) bool {
	f, err := openPlain(path)
	if err != nil {
		return false
	}
	defer f.Close()
	begin := make([]byte, len(magic))
	_, err = io.ReadFull(f, begin)
	return err == nil && string(begin) == magic
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
	ctx    context.Context // ends the reading
	path   string
	header Header
	key    string
	covers *ipc.Ledger    // contains every chunk
	ledger ipc.Ledger     // what the lines so far cover
	damage []*DamageError // of lines that are left out

	from   io.ReaderAt
	in     *bufio.Reader // over from
	text   []byte        // last line without its newline; valid until the next call of next
	long   []byte        // buffer for lines that do not fit into in
	block  []byte        // buffer for the search for their ends
	line   int           // number of the last line
	offset int64         // of the byte after the last line
	end    int64         // no line is read beyond it
}

// newReader returns a reader that has read the header.
func newReader(ctx context.Context, path string, from io.ReaderAt) (*reader, error) {
	r := &reader{ctx: ctx, path: path}
	r.begin(from, 0, math.MaxInt64)
	line, err := r.readLine(maxHeader)
	known := magic[:min(len(magic), len(line))]
	switch {
	case !bytes.HasPrefix(line, []byte(known)) || err == nil && len(line) < len(magic):
		return nil, &FormatError{Path: path, Reason: "it does not begin with " + magic}
	case err == io.EOF:
		return nil, &FormatError{Path: path, Reason: "it ends within its header"}
	case err != nil:
		return nil, err
	}
	if r.header, err = parseHeader(path, line); err != nil {
		if f := (*FormatError)(nil); errors.As(err, &f) {
			return nil, err
		}
		return nil, r.damaged(0, err)
	}
	r.key = r.header.Key()
	r.covers = r.header.Covers()
	return r, nil
}

// begin has the reader continue with the bytes of from between two offsets.
func (r *reader) begin(from io.ReaderAt, offset, end int64) {
	r.from, r.offset, r.end = from, offset, end
	section := io.NewSectionReader(from, offset, end-offset)
	if r.in == nil {
		r.in = bufio.NewReaderSize(section, bufferSize)
	} else {
		r.in.Reset(section)
	}
}

// next reads a chunk. It leaves lines out that are damaged. It returns io.EOF after the
// last complete line.
func (r *reader) next() (record, error) {
	for {
		if err := r.ctx.Err(); err != nil {
			return record{}, err
		}
		start := r.offset
		line, err := r.readLine(maxLine)
		if bad := (*DamageError)(nil); errors.As(err, &bad) {
			r.leaveOut(bad)
			continue
		}
		if err != nil {
			return record{}, err
		}
		if len(line) == 0 { // see Writer.watch
			continue
		}
		r.text = line
		rec, err := parseLine(line, &r.header, r.covers, r.key)
		if err == nil {
			err = r.ledger.Add(rec.Interval)
		}
		if err == nil {
			return rec, nil
		}
		r.leaveOut(r.damaged(start, err))
	}
}

// maxDamage limits how many damaged lines of a journal are kept to be told.
const maxDamage = 100

func (r *reader) leaveOut(bad *DamageError) {
	if len(r.damage) < maxDamage {
		r.damage = append(r.damage, bad)
	}
}

// damaged returns the error for the last line, which begins at offset.
func (r *reader) damaged(offset int64, reason error) *DamageError {
	return &DamageError{Path: r.path, Line: r.line, Offset: offset, Reason: reason.Error()}
}

// readLine returns the next complete line without its newline. It is valid until the
// next call. With io.EOF, readLine returns the first of the bytes after the last
// newline.
func (r *reader) readLine(limit int) ([]byte, error) {
	line, err := r.in.ReadSlice('\n')
	r.line++
	if err == bufio.ErrBufferFull {
		line, err = r.readLong(line, limit)
	}
	if err != nil {
		return line, err // from os.File, so it has the path
	}
	r.offset += int64(len(line))
	return line[:len(line)-1], nil
}

// readLong reads a line that does not fit into the buffer, which holds its beginning. It
// first looks for the newline, and keeps no bytes until it has found that: what follows
// the last newline of a file can be of any length.
func (r *reader) readLong(begin []byte, limit int) ([]byte, error) {
	length, err := r.lengthOfLine(int64(len(begin)))
	if err != nil {
		return begin, err
	}
	start, reason := r.offset, ""
	switch {
	case length > int64(limit):
		reason = fmt.Sprintf("it is longer than %d bytes", limit)
	case begin[0] != '{': // before it takes memory
		reason = "it is not a JSON object"
	}
	if reason != "" {
		r.begin(r.from, start+length, r.end)
		return nil, r.damaged(start, errors.New(reason))
	}
	if int64(cap(r.long)) < length {
		r.long = make([]byte, length+length/8)
	}
	line := r.long[:length]
	n := copy(line, begin)
	if _, err := io.ReadFull(r.in, line[n:]); err != nil {
		return nil, fmt.Errorf("journal %s changed while it was read: %w", r.path, err)
	}
	return line, nil
}

// lengthOfLine returns the length of the line at offset with its newline, which is not
// among its first known bytes. The error is io.EOF if there is no newline.
func (r *reader) lengthOfLine(known int64) (int64, error) {
	if r.block == nil {
		r.block = make([]byte, 4*bufferSize)
	}
	for length := known; ; {
		if err := r.ctx.Err(); err != nil {
			return 0, err
		}
		room := min(int64(len(r.block)), r.end-r.offset-length)
		n, err := r.from.ReadAt(r.block[:room], r.offset+length)
		if i := bytes.IndexByte(r.block[:n], '\n'); i >= 0 {
			return length + int64(i) + 1, nil
		}
		if length += int64(n); err != nil || room == 0 {
			return 0, cmp.Or(err, io.EOF)
		}
	}
}
