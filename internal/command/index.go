package command

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
)

// An Index finds lines of a file by number. [NewIndex] makes it in one pass; it takes at
// most 1 MiB of memory, however large the file is.
type Index struct {
	Path   string // absolute
	Lines  int64  // also counts a last line without a newline
	Size   int64  // of the file in bytes
	SHA256 string // of its bytes, in hexadecimal

	modified int64 // when, in nanoseconds since 1970
	marks    []mark
}

// A mark is the beginning of a line.
type mark struct{ line, offset int64 }

const (
	mostMarks = 1 << 16
	leastGap  = 4 << 10 // bytes between two marks
	readSize  = 256 << 10
)

// NewIndex reads a file and indexes its lines. It returns ctx's error soon after ctx is
// done, and an error that wraps [ErrChanged] if the file changes while it is read.
func NewIndex(ctx context.Context, path string) (*Index, error) {
	info, err := os.Stat(path) // before Open, which would block on a FIFO
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, errors.New("it is not a regular file: its lines are read more than once, by several processes")
	}
	x := &Index{}
	if x.Path, err = filepath.Abs(path); err != nil {
		return nil, err
	}
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	if info, err = file.Stat(); err != nil {
		return nil, err
	}
	x.modified = info.ModTime().UnixNano()
	if err := x.read(ctx, file, max(info.Size()/mostMarks, leastGap)); err != nil {
		return nil, err
	}
	return x, x.check(file)
}

// read reads the file and sets a mark at the first line that begins at least gap bytes
// after the mark before.
func (x *Index) read(ctx context.Context, file io.Reader, gap int64) error {
	hash := sha256.New()
	buf, last, next := make([]byte, readSize), byte('\n'), gap
	for {
		n, err := file.Read(buf)
		block := buf[:n]
		hash.Write(block)
		counted := 0 // bytes of block
		for next <= x.Size+int64(n) {
			from := int(max(next-1-x.Size, 0))
			at := bytes.IndexByte(block[from:], '\n')
			if at < 0 {
				break
			}
			at += from + 1
			x.Lines += int64(bytes.Count(block[counted:at], []byte("\n")))
			counted = at
			x.marks = append(x.marks, mark{x.Lines, x.Size + int64(at)})
			next = x.Size + int64(at) + gap
		}
		x.Lines += int64(bytes.Count(block[counted:], []byte("\n")))
		if x.Size += int64(n); n > 0 {
			last = block[n-1]
		}
		switch {
		case err == io.EOF:
			if last != '\n' {
				x.Lines++
			}
			x.SHA256 = fmt.Sprintf("%x", hash.Sum(nil))
			return nil
		case err != nil:
			return err
		case ctx.Err() != nil:
			return ctx.Err()
		}
	}
}

// Text returns size and checksum, by which a journal identifies the input.
func (x *Index) Text() string { return fmt.Sprintf("%d bytes with SHA-256 %s", x.Size, x.SHA256) }

// Part tells a worker how to find a line, counted from 0.
func (x *Index) Part(line int64) *Part {
	p := &Part{Path: x.Path, Size: x.Size, Modified: x.modified, Skip: line}
	i, _ := slices.BinarySearchFunc(x.marks, line+1, func(m mark, line int64) int { return cmp.Compare(m.line, line) })
	if i > 0 {
		p.Offset, p.Skip = x.marks[i-1].offset, line-x.marks[i-1].line
	}
	return p
}

// Unchanged returns an error that wraps [ErrChanged] if the file has changed since it was
// indexed.
func (x *Index) Unchanged() error {
	file, err := os.Open(x.Path)
	if err != nil {
		return err
	}
	defer file.Close()
	return x.check(file)
}

func (x *Index) check(file *os.File) error { return x.Part(0).check(file) }

// A Part is a place in a file, with the size and time that the file must have.
type Part struct {
	Path     string `msgpack:"path"`
	Size     int64  `msgpack:"size"`
	Modified int64  `msgpack:"modified"` // in nanoseconds since 1970
	Offset   int64  `msgpack:"offset"`   // of the beginning of a line
	Skip     int64  `msgpack:"skip"`     // lines from there
}

// ErrChanged reports that the file changed after it was indexed.
var ErrChanged = errors.New("the file of --lines changed during the run")

// check compares size and modification time of an open file with those of the index.
func (p *Part) check(file *os.File) error {
	info, err := file.Stat()
	if err != nil {
		return err
	}
	if info.Size() != p.Size || info.ModTime().UnixNano() != p.Modified {
		return fmt.Errorf("%w: %s has %d bytes, and had %d", ErrChanged, p.Path, info.Size(), p.Size)
	}
	return nil
}

// open returns a reader of n lines.
func (p *Part) open(n int64) (io.ReadCloser, error) {
	file, err := os.Open(p.Path)
	if err != nil {
		var path *fs.PathError
		if errors.As(err, &path) {
			err = path.Err
		}
		return nil, fmt.Errorf("the file of --lines, %s: %w", p.Path, err)
	}
	if err = p.check(file); err == nil {
		_, err = file.Seek(p.Offset, io.SeekStart)
	}
	if err != nil {
		file.Close()
		return nil, err
	}
	return &lines{part: p, file: file, skip: p.Skip, left: n}, nil
}

// lines reads some lines of a file.
type lines struct {
	part *Part
	file *os.File
	skip int64 // lines before those that are wanted
	left int64 // lines that are wanted
	end  bool  // of the file
}

func (l *lines) Close() error { return l.file.Close() }

func (l *lines) Read(buf []byte) (int, error) {
	for l.left > 0 && !l.end {
		n, err := l.file.Read(buf)
		if err != nil && err != io.EOF {
			return 0, err
		}
		l.end = err == io.EOF
		block := after(buf[:n], &l.skip)
		if len(block) == 0 {
			continue
		}
		rest := after(block, &l.left)
		return copy(buf, block[:len(block)-len(rest)]), nil
	}
	if err := l.part.check(l.file); err != nil {
		return 0, err
	}
	return 0, io.EOF
}

// after returns the rest of block behind its first *n lines, and subtracts from *n the
// lines that it has skipped.
func after(block []byte, n *int64) []byte {
	for *n > 0 && len(block) > 0 {
		at := bytes.IndexByte(block, '\n')
		if at < 0 {
			return nil
		}
		block = block[at+1:]
		*n--
	}
	return block
}
