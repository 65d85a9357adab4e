package ipc

import (
	"encoding/binary"
	"math"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// A cursor reads the values of a complete message body. The first error is kept in
// bad, and all later reads return zero, so that callers check once, at the end.
type cursor struct {
	b   []byte
	i   int
	bad string
}

// check returns the first error, or an error if a key is missing. Bit i of have is
// set if keys[i] was read. kind is for errors.
func (c *cursor) check(kind string, have int, keys ...string) error {
	if c.bad != "" {
		return fault(c.b, nil, "%s: %s", kind, c.bad)
	}
	for i, key := range keys {
		if have&(1<<i) == 0 {
			return fault(c.b, nil, "%s without %q", kind, key)
		}
	}
	return nil
}

// once adds the bit of a key to those of the keys read before. A key that occurs
// twice is an error, since either value may be the one that is meant.
func (c *cursor) once(have, bit int) int {
	if have&bit != 0 {
		c.fail("a key occurs twice")
	}
	return have | bit
}

// fail keeps the first error and ends the reading.
func (c *cursor) fail(reason string) {
	if c.bad == "" {
		c.bad = reason
	}
	c.i = len(c.b)
}

// next reads the header of a value and skips the value, except for the values in
// it.
func (c *cursor) next() (tag byte, body []byte, values uint64) {
	if c.i >= len(c.b) {
		c.fail("ends early")
		return 0xc1, nil, 0
	}
	h, ok := headerAt(c.b[c.i:])
	start := c.i + h.size
	if !ok || int64(start)+h.body > int64(len(c.b)) {
		c.fail("ends early")
		return 0xc1, nil, 0
	}
	tag = c.b[c.i]
	c.i = start + int(h.body)
	return tag, c.b[start:c.i], h.values
}

func (c *cursor) mapLen() int {
	if c.i < len(c.b) && c.b[c.i]&0xf0 == 0x80 {
		c.i++
		return c.count(2*uint64(c.b[c.i-1]&0x0f)) / 2
	}
	tag, _, values := c.next()
	if tag&0xf0 != 0x80 && tag != 0xde && tag != 0xdf {
		c.fail("not a map")
	}
	return c.count(values) / 2
}

func (c *cursor) arrayLen() int {
	tag, _, values := c.next()
	if tag&0xf0 != 0x90 && tag != 0xdc && tag != 0xdd {
		c.fail("not an array")
	}
	return c.count(values)
}

// count returns the number of values in a container. It fails if the bytes that are
// left cannot hold as many.
func (c *cursor) count(values uint64) int {
	if values > uint64(len(c.b)-c.i) {
		c.fail("ends early")
	}
	if c.bad != "" {
		return 0
	}
	return int(values)
}

func (c *cursor) str() []byte {
	if c.i < len(c.b) && c.b[c.i]&0xe0 == 0xa0 { // keys are short
		if end := c.i + 1 + int(c.b[c.i]&0x1f); end <= len(c.b) {
			body := c.b[c.i+1 : end]
			c.i = end
			return body
		}
	}
	tag, body, _ := c.next()
	if tag&0xe0 != 0xa0 && (tag < 0xd9 || tag > 0xdb) {
		c.fail("not a string")
		return nil
	}
	return body
}

func (c *cursor) bin() []byte {
	tag, body, _ := c.next()
	if tag < 0xc4 || tag > 0xc6 {
		c.fail("not bin")
		return nil
	}
	return body
}

func (c *cursor) atBin() bool { return c.i < len(c.b) && c.b[c.i] >= 0xc4 && c.b[c.i] <= 0xc6 }

// bytes reads bin or a string, which older libraries send instead of bin.
func (c *cursor) bytes() []byte {
	if c.atBin() {
		return c.bin()
	}
	return c.str()
}

// raw reads one value of any type, and returns its encoding.
func (c *cursor) raw() []byte { return c.values(1) }

// values reads n values, and returns their encodings, one after the other.
func (c *cursor) values(n int) []byte {
	start := c.i
	for missing := uint64(n); missing > 0 && c.bad == ""; missing-- {
		if c.i < len(c.b) {
			if end := c.i + short(c.b[c.i]); end > c.i && end <= len(c.b) {
				c.i = end
				continue
			}
		}
		_, _, values := c.next()
		missing += values
	}
	return c.b[start:c.i]
}

// integer reads an integer of any width. It returns its low 64 bits and whether it
// is negative.
func (c *cursor) integer() (v uint64, negative bool) {
	tag, body, _ := c.next()
	switch {
	case tag < 0x80:
		return uint64(tag), false
	case tag >= 0xe0:
		return uint64(int64(int8(tag))), true
	case tag >= 0xcc && tag <= 0xcf:
		return unsigned(body), false
	case tag >= 0xd0 && tag <= 0xd3:
		shift := 64 - 8*len(body)
		s := int64(unsigned(body)<<shift) >> shift
		return uint64(s), s < 0
	}
	c.fail("not an integer")
	return 0, false
}

func unsigned(b []byte) (v uint64) {
	for _, x := range b {
		v = v<<8 | uint64(x)
	}
	return v
}

func (c *cursor) uint() uint64 {
	v, negative := c.integer()
	if negative {
		c.fail("integer below zero")
		return 0
	}
	return v
}

func (c *cursor) int() int64 {
	v, negative := c.integer()
	if !negative && v > math.MaxInt64 {
		c.fail("integer does not fit")
		return 0
	}
	return int64(v)
}

// native reads an integer that fits in an int.
func (c *cursor) native() int {
	v := c.int()
	if v < math.MinInt || v > math.MaxInt {
		c.fail("integer does not fit")
	}
	return int(v)
}

// seconds reads a span of time in seconds.
func (c *cursor) seconds() float64 {
	const most = 1e12
	v := c.num()
	if !(v >= 0 && v <= most) { // or not a number
		c.fail("seconds are not between 0 and 1e12")
		return 0
	}
	return v
}

// cpus reads a list of CPUs, such as "0-3,8". It becomes part of tables and messages.
func (c *cursor) cpus() string {
	const most = 32 << 10 // bytes; every second of 8,192 CPUs, the most of Linux, takes 20 KB
	list := c.str()
	if len(list) > most {
		c.fail("a list of CPUs is too long")
	}
	for _, b := range list {
		if b != ',' && b != '-' && (b < '0' || b > '9') {
			c.fail("what should be a list of CPUs has other characters")
		}
	}
	return string(list)
}

// name reads a text of at most so many bytes that can be printed within a line.
func (c *cursor) name(most int) string {
	name := c.str()
	if len(name) > most {
		c.fail("a name is longer than " + strconv.Itoa(most) + " bytes")
		return ""
	}
	if !printable(string(name)) {
		c.fail("a name has characters that cannot be printed")
	}
	return string(name)
}

func printable(s string) bool {
	return utf8.ValidString(s) && !strings.ContainsFunc(s, func(r rune) bool { return !unicode.IsPrint(r) })
}

// null skips a nil, and reports whether there was one.
func (c *cursor) null() bool {
	if c.i < len(c.b) && c.b[c.i] == 0xc0 {
		c.i++
		return true
	}
	return false
}

// counter reads an integer that is not negative, or nil for an unknown count.
func (c *cursor) counter() Count {
	if c.null() {
		return Count{}
	}
	const most = 1 << 53 // sums of counts must not overflow, and JSON must hold them
	v := c.int()
	if v < 0 {
		c.fail("integer below zero")
	}
	if v > most {
		c.fail("a count is over 2^53")
	}
	return CountOf(v)
}

func (c *cursor) bool() bool {
	tag, _, _ := c.next()
	if tag != 0xc2 && tag != 0xc3 {
		c.fail("not a boolean")
	}
	return tag == 0xc3
}

// float reads a float64. One of 32 bits is refused, since whoever sent it has dropped
// digits.
func (c *cursor) float() float64 {
	tag, body, _ := c.next()
	switch tag {
	case 0xcb:
		return math.Float64frombits(binary.BigEndian.Uint64(body))
	case 0xca:
		c.fail("a 32-bit float, not one of 64 bits")
	}
	c.fail("not a float")
	return 0
}

func (c *cursor) float32() float32 {
	tag, body, _ := c.next()
	if tag != 0xca {
		c.fail("not a 32-bit float")
		return 0
	}
	return math.Float32frombits(binary.BigEndian.Uint32(body))
}

// num reads a float or an integer. A client in another language may send 5 for 5.0.
func (c *cursor) num() float64 {
	if c.i < len(c.b) {
		switch c.b[c.i] {
		case 0xca:
			return float64(c.float32())
		case 0xcb:
			return c.float()
		}
	}
	v, negative := c.integer()
	if negative {
		return float64(int64(v))
	}
	return float64(v)
}

// manyElements is the length above which a list is read twice, so that no memory is
// taken for elements that are something else: an element can take one byte.
const manyElements = 64 << 10

// listOf reads an array whose elements element reads, or nil. least is the least number
// of bytes that an element takes.
func listOf[T any](c *cursor, least int, element func() T) []T {
	if c.null() {
		return nil
	}
	n := c.arrayLen()
	if n > manyElements && n > (len(c.b)-c.i)/least {
		c.fail("elements are too short")
	}
	if start := c.i; n > manyElements && least == 1 {
		for range n {
			if element(); c.bad != "" {
				break
			}
		}
		if c.bad == "" {
			c.i = start
		}
	}
	if c.bad != "" {
		return nil
	}
	list := make([]T, n)
	for i := range list {
		list[i] = element()
	}
	return list
}
