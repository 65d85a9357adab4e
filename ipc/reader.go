package ipc

import (
	"bytes"
	"io"
)

const (
	firstBuffer = 64 << 10 // what a pipe holds
	keepBuffer  = 1 << 20  // a longer buffer is given back once it is empty
)

// A Reader cuts a stream into messages. There is one for a stream's whole
// life, since it reads ahead. It is not safe for concurrent use.
type Reader struct {
	src   io.Reader
	limit int64
	buf   []byte // buf[from:] is unread
	from  int
	scan  scanner // over buf[from:]
	found bool    // scan stands at a message's end
	last  int     // length of the message handed out, to be dropped
}

// NewReader reads src, taking messages of at most limit bytes; a limit of 0
// means DefaultLimit.
func NewReader(src io.Reader, limit int64) *Reader {
	r := &Reader{src: src}
	r.SetLimit(limit)
	return r
}

// SetLimit changes the limit for the messages that follow.
func (r *Reader) SetLimit(limit int64) {
	if limit <= 0 {
		limit = DefaultLimit
	}
	r.limit = min(limit, MaxLimit)
}

// Next hands out the next message. It returns io.EOF where the stream ends
// between two messages, a *Fault where it breaks the protocol, and otherwise
// the source's error. After an error it must not be called again.
func (r *Reader) Next() (Message, error) {
	for {
		done, err := r.delimit()
		if err != nil {
			return Message{}, err
		}
		if done {
			r.last = r.scan.pos
			return parseMessage(r.buf[r.from : r.from+r.last])
		}
		if err := r.fill(); err != nil {
			return Message{}, err
		}
	}
}

// Buffered reports whether Next can answer without reading.
func (r *Reader) Buffered() bool {
	done, err := r.delimit()
	return done || err != nil
}

// delimit drops the message handed out last and looks for the next one's end.
func (r *Reader) delimit() (bool, error) {
	if r.last > 0 {
		r.from += r.last
		r.last = 0
		r.scan.reset()
		r.found = false
	}
	if r.found {
		return true, nil
	}
	if r.scan.pos == 0 && r.scan.depth == 0 {
		for r.from < len(r.buf) && r.buf[r.from] == '\n' {
			r.from++
		}
	}
	unread := r.buf[r.from:]
	if len(unread) == 0 {
		return false, nil
	}
	// A message is a map of one pair. To say so at its first byte keeps a peer
	// that prints text from being taken for one that is slow.
	if c := unread[0]; c != 0x81 && c != 0xde && c != 0xdf {
		return false, fault(unread, nil, "not a map of one pair")
	}
	done, reason := r.scan.scan(unread, r.limit)
	if reason != "" {
		if reason == "message is over the limit" {
			return false, fault(unread, nil, "%s of %d bytes", reason, r.limit)
		}
		return false, fault(unread, nil, "%s", reason)
	}
	r.found = done
	return done, nil
}

// fill reads once. The buffer grows only when it is full of bytes that came.
func (r *Reader) fill() error {
	switch {
	case r.from == len(r.buf):
		if cap(r.buf) > keepBuffer {
			r.buf = nil
		}
		r.buf, r.from = r.buf[:0], 0
	case len(r.buf) == cap(r.buf) && r.from > 0 && r.from >= len(r.buf)/2:
		r.buf = r.buf[:copy(r.buf, r.buf[r.from:])]
		r.from = 0
	}
	if len(r.buf) == cap(r.buf) {
		grown := make([]byte, len(r.buf)-r.from, r.grown())
		copy(grown, r.buf[r.from:])
		r.buf, r.from = grown, 0
	}
	n, err := r.src.Read(r.buf[len(r.buf):cap(r.buf)])
	r.buf = r.buf[:len(r.buf)+n]
	if n > 0 {
		return nil
	}
	if err == io.EOF && r.from < len(r.buf) {
		return fault(r.buf[r.from:], io.ErrUnexpectedEOF, "stream is cut in the middle of a message")
	}
	return err
}

// grown is the next size of the buffer, at most three times what has come: a
// length in a header is only a claim. Steps are chosen so that the last of them
// ends where the message does, as far as that is known.
func (r *Reader) grown() int {
	came := len(r.buf) - r.from
	size := r.scan.need
	for size > 3*came {
		size = size/3 + 1
	}
	return max(size, 2*came, firstBuffer)
}

// Keep returns part, which is of the message handed out last, so that it stays
// valid: with the buffer itself where that is mostly part, else as a copy.
// Nothing else of the message is valid then.
func (r *Reader) Keep(part []byte) []byte {
	if cap(r.buf) > 2*len(part) || r.last == 0 {
		return append([]byte(nil), part...)
	}
	rest := r.buf[r.from+r.last:]
	r.buf, r.from, r.last = append([]byte(nil), rest...), 0, 0
	r.scan.reset()
	r.found = false
	return part[:len(part):len(part)]
}

// helloMark is how every hello begins.
var helloMark = []byte("\x81\xa5hello")

// Hello reads the first message of a child, which a launcher's noise may
// precede. It returns that noise, at most MaxNoise bytes, also with an error:
// who starts children shows it when the start failed.
func (r *Reader) Hello() (h Hello, noise []byte, err error) {
	for {
		at := bytes.Index(r.buf[r.from:], helloMark)
		// Without a mark, the last bytes may still be the beginning of one.
		if at > MaxNoise || at < 0 && len(r.buf)-r.from >= MaxNoise+len(helloMark) {
			return h, noiseOf(r.buf[r.from:]), fault(r.buf[r.from:], nil, "no hello in the first %d bytes", MaxNoise)
		}
		if at >= 0 {
			noise = noiseOf(r.buf[r.from : r.from+at])
			r.from += at
			m, err := r.Next()
			if err != nil {
				return h, noise, err
			}
			h, err = ParseHello(m.Body)
			return h, noise, err
		}
		if err := r.fillNoise(); err != nil {
			return h, noiseOf(r.buf[r.from:]), err
		}
	}
}

// fillNoise is fill before a hello, where the end of the stream is no cut message.
func (r *Reader) fillNoise() error {
	err := r.fill()
	if f, ok := err.(*Fault); ok && f.Err == io.ErrUnexpectedEOF {
		return io.EOF
	}
	return err
}

func noiseOf(b []byte) []byte { return append([]byte(nil), b[:min(len(b), MaxNoise)]...) }
