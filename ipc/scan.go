package ipc

import "encoding/binary"

// A scanner finds the end of one msgpack value without recursion and without
// allocating: it keeps, for every container that is still open, how many
// values are missing. It can stop where the bytes end and go on when more have
// come, so a long message is looked at once, not once a read.
type scanner struct {
	pos   int // bytes of the value that are behind us
	need  int // bytes that the value has at least, as far as its headers say
	depth int
	left  [MaxDepth]uint64
}

// A header describes the value that starts at a byte: it takes size bytes
// itself, then body bytes follow, then values nested values.
type header struct {
	size   int
	body   int64
	values uint64
}

// reset makes s ready for another value.
func (s *scanner) reset() { s.pos, s.need, s.depth = 0, 0, 0 }

// scan looks at b, which starts where the value does and has at least the
// bytes that it had before. It reports whether the value is complete, its
// length then being s.pos, or why the bytes cannot be a value of at most limit
// bytes: a reason, else "".
func (s *scanner) scan(b []byte, limit int64) (done bool, reason string) {
	for s.pos < len(b) {
		if end := s.pos + short(b[s.pos]); end > s.pos && end <= len(b) && int64(end) <= limit {
			s.pos = end
			if s.close() {
				return true, ""
			}
			continue
		}
		h, ok := headerAt(b[s.pos:])
		if h.size == 0 {
			return false, "byte 0xc1 is no msgpack"
		}
		if !ok {
			break
		}
		end := int64(s.pos) + int64(h.size) + h.body
		// Every nested value takes a byte or more: a count beyond the limit
		// is over the limit, long before its bytes have come.
		if end > limit || h.values > uint64(limit-end) {
			return false, "message is over the limit"
		}
		if end > int64(len(b)) {
			s.need = int(end)
			return false, ""
		}
		s.pos = int(end)
		if h.values > 0 {
			if s.depth == MaxDepth {
				return false, "message is nested too deep"
			}
			s.left[s.depth] = h.values
			s.depth++
			continue
		}
		if s.close() {
			return true, ""
		}
	}
	if int64(len(b)) >= limit {
		return false, "message is over the limit"
	}
	return false, ""
}

// close counts one value as complete and reports whether that was the outermost.
func (s *scanner) close() bool {
	for s.depth > 0 {
		s.left[s.depth-1]--
		if s.left[s.depth-1] > 0 {
			return false
		}
		s.depth--
	}
	return true
}

// short is the length of a value that begins with c, if c alone says it: small
// integers, and strings of up to 31 bytes, which keys are. Else it is 0. This is
// most of what is on the wire.
func short(c byte) int {
	switch {
	case c < 0x80 || c >= 0xe0:
		return 1
	case c >= 0xa0 && c < 0xc0:
		return 1 + int(c&0x1f)
	}
	return 0
}

// headerAt reads the header at the start of b, which is not empty. Its size is
// 0 for a byte that msgpack does not use; ok is false where b ends before it does.
func headerAt(b []byte) (h header, ok bool) {
	c := b[0]
	switch {
	case c < 0x80 || c >= 0xe0: // integers that are their own byte
		return header{size: 1}, true
	case c < 0x90:
		return header{size: 1, values: 2 * uint64(c&0x0f)}, true
	case c < 0xa0:
		return header{size: 1, values: uint64(c & 0x0f)}, true
	case c < 0xc0:
		return header{size: 1, body: int64(c & 0x1f)}, true
	}
	switch c {
	case 0xc0, 0xc2, 0xc3: // nil, false, true
		return header{size: 1}, true
	case 0xcc, 0xd0:
		return header{size: 1, body: 1}, true
	case 0xcd, 0xd1:
		return header{size: 1, body: 2}, true
	case 0xca, 0xce, 0xd2:
		return header{size: 1, body: 4}, true
	case 0xcb, 0xcf, 0xd3:
		return header{size: 1, body: 8}, true
	case 0xd4, 0xd5, 0xd6, 0xd7, 0xd8: // fixext: a type byte and 1, 2, 4, 8, 16
		return header{size: 2, body: 1 << (c - 0xd4)}, true
	case 0xc4, 0xd9: // bin, str
		n, ok := lengthAt(b, 1)
		return header{size: 2, body: n}, ok
	case 0xc5, 0xda:
		n, ok := lengthAt(b, 2)
		return header{size: 3, body: n}, ok
	case 0xc6, 0xdb:
		n, ok := lengthAt(b, 4)
		return header{size: 5, body: n}, ok
	case 0xc7, 0xc8, 0xc9: // ext: a length and a type byte
		width := 1 << (c - 0xc7)
		n, ok := lengthAt(b, width)
		return header{size: 1 + width, body: n + 1}, ok
	case 0xdc, 0xdd: // array
		width := 2 << (c - 0xdc)
		n, ok := lengthAt(b, width)
		return header{size: 1 + width, values: uint64(n)}, ok
	case 0xde, 0xdf: // map
		width := 2 << (c - 0xde)
		n, ok := lengthAt(b, width)
		return header{size: 1 + width, values: 2 * uint64(n)}, ok
	}
	return header{}, false
}

// lengthAt reads the length of width bytes that follows a tag.
func lengthAt(b []byte, width int) (int64, bool) {
	if len(b) <= width {
		return 0, false
	}
	switch width {
	case 1:
		return int64(b[1]), true
	case 2:
		return int64(binary.BigEndian.Uint16(b[1:])), true
	}
	return int64(binary.BigEndian.Uint32(b[1:])), true
}
