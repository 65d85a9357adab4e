package ipc

import "encoding/binary"

// A scanner finds the end of a msgpack value without recursion and without
// allocation. For every open container it keeps the number of values that are missing.
// It stops where the bytes end and continues when more have arrived, so it scans
// each byte of a long message once.
type scanner struct {
	pos   int              // bytes of the value that have been scanned
	need  int              // smallest length that the value can have, by the headers so far
	depth int              // number of open containers
	left  [MaxDepth]uint64 // values missing in each of them
}

// A header is the beginning of a value: its own size in bytes, the number of bytes
// that follow it, and the number of nested values after these.
type header struct {
	size   int
	body   int64
	values uint64
}

// reset prepares s for another value.
func (s *scanner) reset() { s.pos, s.need, s.depth = 0, 0, 0 }

// scan continues in b, which begins with the first byte of the value and has at
// least the bytes of the previous call. It reports whether the value is complete;
// s.pos is then its length. If b cannot begin a value of at most limit bytes, it
// returns the reason, otherwise "".
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
		// Every nested value takes at least one byte, so a count above the limit is an
		// error before the bytes arrive.
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

// close counts a value as complete, and reports whether it is the outermost one.
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

// short returns the length of a value whose first byte is c if c alone tells, as for
// numbers and strings of up to 31 bytes. Otherwise it returns 0. Most values on the wire
// are short.
func short(c byte) int { return int(shortLengths[c]) }

var shortLengths = func() (lengths [256]uint8) {
	for c := range lengths {
		if h, ok := headerAt([]byte{byte(c)}); ok && h.size > 0 && h.values == 0 {
			lengths[c] = uint8(int64(h.size) + h.body)
		}
	}
	return lengths
}()

// headerAt reads the header at the beginning of b, which is not empty. The size is 0
// if msgpack does not use the first byte. ok is false if b ends within the header.
func headerAt(b []byte) (h header, ok bool) {
	c := b[0]
	switch {
	case c < 0x80 || c >= 0xe0: // small integers
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

// lengthAt reads a length of width bytes after the tag.
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
