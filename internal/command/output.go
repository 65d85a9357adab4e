package command

import (
	"bytes"
	"errors"
	"fmt"
	"io"
)

const (
	maxOutput = 64 << 20 // bytes of a chunk's output that concat carries
	firstLen  = 80       // bytes of an output that an error shows
	tailLines = 3        // last lines of standard error that an error shows
	tailLine  = 200      // bytes of each
)

// errTooMuch ends a command whose output concat cannot carry.
var errTooMuch = errors.New("it prints more than 64 MiB")

// An output collects the standard output of a command: all of it, or its last line.
type output struct {
	all   []byte // of concat; nil for the others
	keeps bool   // whether to fill all
	first []byte // the first bytes
	last  []byte // the last line that is not empty
	line  []byte // the line being read
}

// readFrom reads r to its end.
func (o *output) readFrom(r io.Reader, buf []byte) error {
	for {
		n, err := r.Read(buf)
		if err2 := o.take(buf[:n]); err2 != nil {
			return err2
		}
		if err == io.EOF {
			o.endLine()
			return nil
		}
		if err != nil {
			return err
		}
	}
}

func (o *output) take(b []byte) error {
	if room := firstLen + 1 - len(o.first); room > 0 {
		o.first = append(o.first, b[:min(room, len(b))]...)
	}
	if o.keeps {
		if len(o.all)+len(b) > maxOutput {
			return errTooMuch
		}
		o.all = append(o.all, b...)
		return nil
	}
	for len(b) > 0 {
		at := bytes.IndexByte(b, '\n')
		if at < 0 {
			o.add(b)
			return nil
		}
		o.add(b[:at])
		o.endLine()
		b = b[at+1:]
	}
	return nil
}

// add appends to the line, up to the length that a number may have.
func (o *output) add(b []byte) {
	room := maxDigits + 1 - len(o.line)
	o.line = append(o.line, b[:min(room, len(b))]...)
}

func (o *output) endLine() {
	if len(bytes.TrimSpace(o.line)) > 0 {
		o.last, o.line = o.line, o.last
	}
	o.line = o.line[:0]
}

// partial makes the chunk's partial of the output.
func (o *output) partial(reduce string) (Partial, error) {
	switch reduce {
	case None:
		return Partial{Reduce: None}, nil
	case Concat:
		return Partial{Reduce: Concat, Output: o.all}, nil
	case Sum, Min, Max:
	default:
		return Partial{}, fmt.Errorf("unknown reduction %.20q", reduce)
	}
	line := bytes.TrimSpace(o.last)
	n, err := printedNumber(string(line))
	switch {
	case len(line) == 0:
		return Partial{}, errors.New("it printed nothing, but a number is wanted")
	case errors.Is(err, errTooFar):
		return Partial{}, fmt.Errorf("it printed %w: %s", err, quoted(line))
	case err != nil:
		return Partial{}, fmt.Errorf("the last line that it printed is not a number: %s%s", quoted(line), o.begins(line))
	}
	return Partial{Reduce: reduce, Number: n.text()}, nil
}

// begins quotes the beginning of the output for a message, unless line is at the beginning.
func (o *output) begins(line []byte) string {
	if bytes.HasPrefix(bytes.TrimSpace(o.first), line[:min(len(line), len(bytes.TrimSpace(o.first)))]) {
		return ""
	}
	return "; its output begins with " + quoted(o.first)
}

// quoted quotes the beginning of b.
func quoted(b []byte) string {
	if len(b) > firstLen {
		return fmt.Sprintf("%q...", b[:firstLen])
	}
	return fmt.Sprintf("%q", b)
}

// A tail copies a stream to a writer and keeps its last lines, for error messages.
type tail struct {
	to    io.Writer
	lines [][]byte
	line  []byte
}

// pass copies r to its end.
func (t *tail) pass(r io.Reader, buf []byte) {
	for {
		n, err := r.Read(buf)
		b := buf[:n]
		if len(b) > 0 {
			t.to.Write(b)
		}
		for len(b) > 0 {
			line, rest, ended := bytes.Cut(b, []byte("\n"))
			t.line = append(t.line, line[:min(len(line), tailLine-len(t.line))]...)
			if ended {
				t.endLine()
			}
			b = rest
		}
		if err == nil {
			continue
		}
		if len(t.line) > 0 { // the next command begins a line
			t.to.Write([]byte("\n"))
			t.endLine()
		}
		return
	}
}

func (t *tail) endLine() {
	if len(bytes.TrimSpace(t.line)) == 0 {
		t.line = t.line[:0]
		return
	}
	if len(t.lines) == tailLines {
		t.lines = append(t.lines[:0], t.lines[1:]...)
	}
	t.lines = append(t.lines, bytes.Clone(t.line))
	t.line = t.line[:0]
}

// String returns the last lines as the end of an error's text.
func (t *tail) String() string {
	if len(t.lines) == 0 {
		return ""
	}
	return "; its last words: " + string(bytes.TrimSpace(bytes.Join(t.lines, []byte("; "))))
}
