package ipc

import (
	"encoding/binary"
	"math"
)

// parseMessage reads the outer map of a delimited message.
func parseMessage(msg []byte) (Message, error) {
	c := cursor{b: msg}
	if c.mapLen() != 1 || c.bad != "" {
		return Message{}, fault(msg, nil, "not a map of one pair")
	}
	kind := kindOf(c.str())
	if c.bad != "" || kind == None {
		return Message{}, fault(msg, nil, "unknown kind of message")
	}
	return Message{Kind: kind, Body: msg[c.i:]}, nil
}

func kindOf(key []byte) Kind {
	switch string(key) {
	case "request":
		return KindRequest
	case "result":
		return KindResult
	case "beat":
		return KindBeat
	case "fail":
		return KindFail
	case "open":
		return KindOpen
	case "end":
		return KindEnd
	case "hello":
		return KindHello
	case "bye":
		return KindBye
	}
	return None
}

// ParseRequest reads a request's body. A *Fault means that it has no id to
// answer to, or no task or arg.
func ParseRequest(body []byte) (r Request, err error) {
	const id, task, arg = 1, 2, 4
	c, have := cursor{b: body}, 0
	for range c.mapLen() {
		switch string(c.str()) {
		case "id":
			have, r.ID = c.once(have, id), c.uint()
		case "task":
			have, r.Task = c.once(have, task), c.str()
		case "arg":
			have, r.Arg = c.once(have, arg), c.raw()
		default:
			c.raw()
		}
	}
	return r, c.check("request", have, "id", "task", "arg")
}

// ParseInterval reads the arg of an interval task.
func ParseInterval(arg []byte) (iv Interval, err error) {
	const start, end = 1, 2
	c, have := cursor{b: arg}, 0
	for range c.mapLen() {
		switch string(c.str()) {
		case "start":
			have, iv.Start = c.once(have, start), c.int()
		case "end":
			have, iv.End = c.once(have, end), c.int()
		default:
			c.raw()
		}
	}
	if err := c.check("interval", have, "start", "end"); err != nil {
		return iv, err
	}
	return iv, iv.Validate()
}

// ParseOpen reads an open message's body; another protocol number is a *Fault.
func ParseOpen(body []byte) (o Open, err error) {
	const protocol, heartbeat, limit = 1, 2, 4
	var number uint64
	c, have := cursor{b: body}, 0
	for range c.mapLen() {
		switch string(c.str()) {
		case "protocol":
			have, number = c.once(have, protocol), c.uint()
		case "heartbeat_seconds":
			have, o.HeartbeatSeconds = c.once(have, heartbeat), c.num()
		case "max_message_bytes":
			have, o.MaxMessageBytes = c.once(have, limit), c.int()
		case "trace":
			have, o.Trace = c.once(have, 8), c.bool()
		default:
			c.raw()
		}
	}
	if err := c.check("open", have, "protocol", "heartbeat_seconds", "max_message_bytes"); err != nil {
		return o, err
	}
	switch {
	case number != Protocol:
		return o, fault(body, nil, "open speaks protocol %d, this is protocol %d", number, Protocol)
	case !(o.HeartbeatSeconds >= 0 && o.HeartbeatSeconds <= 1e9):
		return o, fault(body, nil, "heartbeat_seconds %v is not between 0 and 1e9", o.HeartbeatSeconds)
	case o.MaxMessageBytes < 1 || o.MaxMessageBytes > MaxLimit:
		return o, fault(body, nil, "max_message_bytes %d is not between 1 and %d", o.MaxMessageBytes, MaxLimit)
	}
	return o, nil
}

// ParseHello reads a hello's body; another protocol number is a *Fault.
func ParseHello(body []byte) (h Hello, err error) {
	var number uint64
	c, have := cursor{b: body}, 0
	for range c.mapLen() {
		switch string(c.str()) {
		case "protocol":
			have, number = c.once(have, 1), c.uint()
		case "build":
			have, h.Build = c.once(have, 2), string(c.str())
		case "pid":
			have, h.PID = c.once(have, 4), c.int()
		case "host":
			have, h.Host = c.once(have, 8), string(c.str())
		case "cpus":
			have, h.CPUs = c.once(have, 16), string(c.str())
		case "tasks":
			have = c.once(have, 32)
			for range c.arrayLen() {
				h.Tasks = append(h.Tasks, string(c.str()))
			}
		default:
			c.raw()
		}
	}
	if err := c.check("hello", have, "protocol", "build", "pid", "host", "cpus", "tasks"); err != nil {
		return h, err
	}
	if number != Protocol {
		return h, fault(body, nil, "child speaks protocol %d, this is protocol %d", number, Protocol)
	}
	return h, nil
}

// ParseResult reads a result's body.
func ParseResult(body []byte) (r Result, err error) {
	const id, seconds, value, start, end = 1, 2, 4, 8, 16
	c, have := cursor{b: body}, 0
	for range c.mapLen() {
		switch string(c.str()) {
		case "id":
			have, r.ID = c.once(have, id), c.uint()
		case "seconds":
			have, r.Seconds = c.once(have, seconds), c.num()
		case "value":
			have, r.Value = c.once(have, value), c.raw()
		case "began":
			have, r.Began = c.once(have, 32), c.num()
		case "start":
			have, r.Interval.Start = c.once(have, start), c.int()
		case "end":
			have, r.Interval.End = c.once(have, end), c.int()
		default:
			c.raw()
		}
	}
	r.HasInterval = have&(start|end) == start|end
	return r, c.check("result", have, "id", "seconds", "value")
}

// ParseFail reads a fail's body.
func ParseFail(body []byte) (f Fail, err error) {
	c, have := cursor{b: body}, 0
	for range c.mapLen() {
		switch string(c.str()) {
		case "id":
			have, f.ID = c.once(have, 1), c.uint()
		case "error":
			have, f.Error = c.once(have, 2), string(c.str())
		case "stack":
			have, f.Stack = c.once(have, 4), string(c.str())
		default:
			c.raw()
		}
	}
	return f, c.check("fail", have, "id", "error", "stack")
}

// ParseBye reads a bye's body.
func ParseBye(body []byte) (b Bye, err error) {
	var gc GC
	c, have := cursor{b: body}, 0
	for range c.mapLen() {
		switch string(c.str()) {
		case "user_seconds":
			have, b.UserSeconds = c.once(have, 1), c.num()
		case "system_seconds":
			have, b.SystemSeconds = c.once(have, 2), c.num()
		case "peak_rss_bytes":
			have, b.PeakRSSBytes = c.once(have, 4), c.figure()
		case "minor_faults":
			have, b.MinorFaults = c.once(have, 8), c.figure()
		case "major_faults":
			have, b.MajorFaults = c.once(have, 16), c.figure()
		case "voluntary_switches":
			have, b.VoluntarySwitches = c.once(have, 32), c.figure()
		case "involuntary_switches":
			have, b.InvoluntarySwitches = c.once(have, 64), c.figure()
		case "migrations":
			have, b.Migrations = c.once(have, 128), c.figure()
		case "ran_on":
			have, b.RanOn = c.once(have, 1024), string(c.str())
		case "gc_cycles":
			have, gc.Cycles, b.GC = c.once(have, 256), c.figure(), &gc
		case "gc_pause_seconds":
			have, gc.PauseSeconds = c.once(have, 512), c.num()
		default:
			c.raw()
		}
	}
	return b, c.check("bye", have, "user_seconds", "system_seconds", "peak_rss_bytes", "minor_faults",
		"major_faults", "voluntary_switches", "involuntary_switches", "migrations")
}

// A cursor reads a delimited body front to back. What does not fit is noted in
// bad, and everything read after that is zero: callers check once, at the end.
type cursor struct {
	b   []byte
	i   int
	bad string
}

// check reports what was wrong, if anything: have has a bit for each of keys.
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

// once adds a key's bit to those seen: which of two values to believe is not
// ours to guess.
func (c *cursor) once(have, bit int) int {
	if have&bit != 0 {
		c.fail("a key stands twice")
	}
	return have | bit
}

func (c *cursor) fail(reason string) {
	if c.bad == "" {
		c.bad = reason
	}
	c.i = len(c.b)
}

// next reads the header of the value at hand and steps over it and its body.
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

// count is a container's number of values: none unless there can be as many
// in the bytes left.
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

// bytes reads bin, or a string, which older libraries send for it.
func (c *cursor) bytes() []byte {
	if c.i < len(c.b) && c.b[c.i] >= 0xc4 && c.b[c.i] <= 0xc6 {
		return c.bin()
	}
	return c.str()
}

// raw steps over any value and returns its bytes.
func (c *cursor) raw() []byte {
	start := c.i
	for missing := uint64(1); missing > 0 && c.bad == ""; missing-- {
		_, _, values := c.next()
		missing += values
	}
	return c.b[start:c.i]
}

// integer reads an integer of any width as its value's low 64 bits, and
// whether it is below zero.
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

// native reads an integer that fits an int here.
func (c *cursor) native() int {
	v := c.int()
	if v < math.MinInt || v > math.MaxInt {
		c.fail("integer does not fit")
	}
	return int(v)
}

// null steps over a nil, if that is next.
func (c *cursor) null() bool {
	if c.i < len(c.b) && c.b[c.i] == 0xc0 {
		c.i++
		return true
	}
	return false
}

// figure reads an integer that is not negative, or nil as -1: unknown.
func (c *cursor) figure() int64 {
	if c.null() {
		return -1
	}
	v := c.int()
	if v < 0 {
		c.fail("integer below zero")
	}
	return v
}

func (c *cursor) bool() bool {
	tag, _, _ := c.next()
	if tag != 0xc2 && tag != 0xc3 {
		c.fail("not a boolean")
	}
	return tag == 0xc3
}

func (c *cursor) float() float64 {
	tag, body, _ := c.next()
	switch tag {
	case 0xca:
		return float64(math.Float32frombits(binary.BigEndian.Uint32(body)))
	case 0xcb:
		return math.Float64frombits(binary.BigEndian.Uint64(body))
	}
	c.fail("not a float")
	return 0
}

// listOf reads an array by its elements, or nil as nil.
func listOf[T any](c *cursor, element func() T) []T {
	if c.null() {
		return nil
	}
	list := make([]T, c.arrayLen())
	for i := range list {
		list[i] = element()
	}
	return list
}

// num reads a float or an integer: a measure, where a client's "5" means 5.0.
func (c *cursor) num() float64 {
	if c.i < len(c.b) && (c.b[c.i] == 0xca || c.b[c.i] == 0xcb) {
		return c.float()
	}
	v, negative := c.integer()
	if negative {
		return float64(int64(v))
	}
	return float64(v)
}
