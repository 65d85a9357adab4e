package ipc

import (
	"bytes"
	"io"
)

const (
	firstBuffer = 64 << 10 // size of the first buffer: the capacity of a pipe
	keepBuffer  = 1 << 20  // a larger buffer is freed when it is empty
)

// A Reader reads messages from a stream. It reads ahead, so use one Reader for the
// whole stream. It is not safe for concurrent use.
type Reader struct {
	src   io.Reader
	limit int64
	buf   []byte // buf[from:] is unread
	from  int
	scan  scanner // over buf[from:]
	found bool    // scan is at the end of a message
	last  int     // length of the message that Next returned; the next call drops it
}

// NewReader returns a Reader that accepts messages of at most limit bytes. A limit of
// 0 means DefaultLimit.
func NewReader(src io.Reader, limit int64) *Reader {
	r := &Reader{src: src}
	r.SetLimit(limit)
	return r
}

// SetLimit changes the limit for the following messages.
func (r *Reader) SetLimit(limit int64) {
	if limit <= 0 {
		limit = DefaultLimit
	}
	r.limit = min(limit, MaxLimit)
}

// Next returns the next message. The error is io.EOF if the stream ends between two
// messages, a *Fault if the stream breaks the protocol, and otherwise that of the
// source. Do not call Next again after an error.
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

// Buffered reports whether Next can return without reading from the source.
func (r *Reader) Buffered() bool {
	done, err := r.delimit()
	return done || err != nil
}

// delimit drops the last message and reports whether the next one is complete.
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
	// Check the first byte at once: a peer that prints text would otherwise look like
	// one that is slow.
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

// fill reads once from the source. It enlarges the buffer only if that is full of
// bytes of the message.
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

// grown returns the next size of the buffer. It is at most three times the number of
// bytes that have arrived, because the length in a header may be wrong. If the length
// is right, the last size is exactly that of the message.
func (r *Reader) grown() int {
	arrived := len(r.buf) - r.from
	size := r.scan.need
	for size > 3*arrived {
		size = size/3 + 1
	}
	return max(size, 2*arrived, firstBuffer)
}

// Keep returns part, a part of the last message, so that it stays valid. It copies
// part, or gives the buffer away if part is most of it. The rest of the message is
// no longer valid.
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

// helloMark is the beginning of every hello.
var helloMark = []byte("\x81\xa5hello")

// Hello reads the first message of a child. It skips what a launcher printed before,
// and returns it as noise, at most MaxNoise bytes, also with an error: noise may
// explain why a child did not start.
func (r *Reader) Hello() (h Hello, noise []byte, err error) {
	for {
		at := bytes.Index(r.buf[r.from:], helloMark)
		// Without a mark, the last bytes may be the beginning of one.
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

// fillNoise is fill for noise, which may end anywhere without a fault.
func (r *Reader) fillNoise() error {
	err := r.fill()
	if f, ok := err.(*Fault); ok && f.Err == io.ErrUnexpectedEOF {
		return io.EOF
	}
	return err
}

func noiseOf(b []byte) []byte { return append([]byte(nil), b[:min(len(b), MaxNoise)]...) }
