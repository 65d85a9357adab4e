package ipc

import "slices"

// Each function here reads a body in one pass over its keys. Every known key has a
// bit, which records that the key occurred. The required keys have the lowest bits, in
// the order of the arguments of check.

// parseMessage reads the outer map of a complete message.
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
	case "cancel":
		return KindCancel
	}
	return None
}

// ParseRequest reads the body of a request. The error is a *Fault, as for the other
// functions that parse bodies.
func ParseRequest(body []byte) (r Request, err error) {
	const id, task, arg, timeout, index, attempt = 1, 2, 4, 8, 16, 32 // args has the bit of arg, whose place it takes
	c, have := cursor{b: body}, 0
	for range c.mapLen() {
		switch string(c.str()) {
		case "id":
			have, r.ID = c.once(have, id), c.uint()
		case "task":
			have, r.Task = c.once(have, task), c.str()
		case "arg":
			have, r.Arg = c.once(have, arg), c.raw()
		case "args":
			have = c.once(have, arg)
			if r.Batch = c.arrayLen(); r.Batch == 0 {
				c.fail("an empty batch")
			}
			r.Arg = c.values(r.Batch)
		case "timeout_seconds":
			have, r.TimeoutSeconds = c.once(have, timeout), c.num()
		case "index":
			have, r.Index = c.once(have, index), c.uint()
		case "attempt":
			have, r.Attempt = c.once(have, attempt), c.uint()
		default:
			c.raw()
		}
	}
	if err := c.check("request", have, "id", "task", "arg"); err != nil {
		return r, err
	}
	if !(r.TimeoutSeconds >= 0 && r.TimeoutSeconds <= 1e9) {
		return r, fault(body, nil, "timeout_seconds %v is not between 0 and 1e9", r.TimeoutSeconds)
	}
	return r, nil
}

// ParseCancel reads a cancel's body.
func ParseCancel(body []byte) (r Cancel, err error) {
	c, have := cursor{b: body}, 0
	for range c.mapLen() {
		switch string(c.str()) {
		case "id":
			have, r.ID = c.once(have, 1), c.uint()
		case "queued":
			have, r.Queued = c.once(have, 2), c.bool()
		default:
			c.raw()
		}
	}
	return r, c.check("cancel", have, "id")
}

// ParseInterval reads the arg of a task over intervals. The error is a *Fault, or
// that of [Interval.Validate].
func ParseInterval(arg []byte) (Interval, error) {
	iv, _, err := ParseIntervalWith(arg)
	return iv, err
}

// ParseIntervalWith is ParseInterval for an arg that may have a value beside the
// interval. with is its encoding, a part of arg; nil if there is none.
func ParseIntervalWith(arg []byte) (iv Interval, with []byte, err error) {
	if iv, with, err = readInterval(arg); err != nil {
		return iv, nil, err
	}
	return iv, with, iv.Validate()
}

// readInterval reads an interval whose bounds may be any.
func readInterval(arg []byte) (iv Interval, with []byte, err error) {
	const start, end, beside = 1, 2, 4
	c, have := cursor{b: arg}, 0
	for range c.mapLen() {
		switch string(c.str()) {
		case "start":
			have, iv.Start = c.once(have, start), c.int()
		case "end":
			have, iv.End = c.once(have, end), c.int()
		case "with":
			have, with = c.once(have, beside), c.raw()
		default:
			c.raw()
		}
	}
	return iv, with, c.check("interval", have, "start", "end")
}

// ParseOpen reads the body of an open message. It returns a *Fault for another
// protocol number.
func ParseOpen(body []byte) (o Open, err error) {
	const protocol, heartbeat, limit, trace = 1, 2, 4, 8
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
			have, o.Trace = c.once(have, trace), c.bool()
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

// maxBuild is the longest text in bytes that may identify a program.
const maxBuild = 1 << 10

// ParseHello reads the body of a hello. It returns a *Fault for another protocol
// number.
func ParseHello(body []byte) (h Hello, err error) {
	var number uint64
	c, have := cursor{b: body}, 0
	for range c.mapLen() {
		switch string(c.str()) {
		case "protocol":
			have, number = c.once(have, 1), c.uint()
		case "build":
			have, h.Build = c.once(have, 2), c.name(maxBuild)
		case "pid":
			have, h.PID = c.once(have, 4), c.int()
		case "host":
			have, h.Host = c.once(have, 8), c.name(MaxHost)
		case "cpus":
			have, h.CPUs = c.once(have, 16), c.cpus()
		case "tasks":
			have = c.once(have, 32)
			for range c.arrayLen() {
				h.Tasks = append(h.Tasks, string(c.str()))
			}
		case "start_error":
			have, h.StartError = c.once(have, 64), string(c.str())
		case "beats":
			have, h.Beats = c.once(have, 128), c.bool()
		case "about":
			have, h.Abouts = c.once(have, 256), c.abouts()
		case "batches":
			have, h.Batches = c.once(have, 512), c.bool()
		default:
			c.raw()
		}
	}
	if err := c.check("hello", have, "protocol", "build", "pid", "host", "cpus", "tasks"); err != nil {
		return h, err
	}
	for name := range h.Abouts {
		if !slices.Contains(h.Tasks, name) {
			return h, fault(body, nil, "hello: about %q, which is not among its tasks", name)
		}
	}
	if number != Protocol {
		return h, fault(body, nil, "child speaks protocol %d, this is protocol %d", number, Protocol)
	}
	return h, nil
}

// abouts reads what a hello says of tasks.
func (c *cursor) abouts() map[string]About {
	var abouts map[string]About
	for range c.mapLen() {
		name, have, about := string(c.str()), 0, DefaultAbout
		for range c.mapLen() {
			switch string(c.str()) {
			case "version":
				have, about.Version = c.once(have, 1), string(c.str())
			case "grain":
				if have, about.Grain = c.once(have, 2), c.int(); about.Grain < 1 || about.Grain > MaxIndex {
					c.fail("a grain is not between 1 and 2^62")
				}
			case "exact":
				have, about.Exact = c.once(have, 4), c.bool()
			default:
				c.raw()
			}
		}
		if _, twice := abouts[name]; twice {
			c.fail("a key occurs twice")
		}
		if abouts == nil {
			abouts = make(map[string]About)
		}
		abouts[name] = about
	}
	return abouts
}

// ParseResult reads the body of a result.
func ParseResult(body []byte) (r Result, err error) {
	const id, seconds, value, start, end, began = 1, 2, 4, 8, 16, 32 // answers has the bits of seconds and value
	c, have := cursor{b: body}, 0
	for range c.mapLen() {
		switch string(c.str()) {
		case "id":
			have, r.ID = c.once(have, id), c.uint()
		case "seconds":
			have, r.Seconds = c.once(have, seconds), c.seconds()
		case "value":
			have, r.Value = c.once(have, value), c.raw()
		case "answers":
			have = c.once(c.once(have, seconds), value)
			n := c.arrayLen()
			if n == 0 || n%2 != 0 {
				c.fail("answers without a value")
			}
			r.Answers = c.values(n)
		case "began":
			have, r.Began = c.once(have, began), c.seconds()
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

// ParseFail reads the body of a fail.
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
		case "begun":
			have, f.NotBegun = c.once(have, 8), !c.bool()
		case "timeout":
			have, f.Timeout = c.once(have, 16), c.bool()
		case "is":
			have = c.once(have, 32)
			for range c.arrayLen() {
				f.Is = append(f.Is, c.uint())
			}
		default:
			c.raw()
		}
	}
	return f, c.check("fail", have, "id", "error", "stack")
}

// ParseBye reads the body of a bye.
func ParseBye(body []byte) (b Bye, err error) {
	counters := b.All()
	keys := []string{"user_seconds", "system_seconds"} // required keys, in the order of their bits
	for _, c := range counters {
		keys = append(keys, c.Name)
	}
	var gc GC
	c, have := cursor{b: body}, 0
	for range c.mapLen() {
		switch key := string(c.str()); key {
		case "user_seconds":
			have, b.UserSeconds = c.once(have, 1), c.seconds()
		case "system_seconds":
			have, b.SystemSeconds = c.once(have, 2), c.seconds()
		case "gc_cycles":
			have, gc.Cycles, b.GC = c.once(have, 256), c.counter(), &gc
		case "gc_pause_seconds":
			have, gc.PauseSeconds = c.once(have, 512), c.seconds()
		case "ran_on":
			have, b.RanOn = c.once(have, 1024), c.cpus()
		case "parent_silent":
			have, b.ParentSilent = c.once(have, 2048), c.bool()
		default:
			i := slices.IndexFunc(counters[:], func(n NamedCount[Count]) bool { return n.Name == key })
			if i < 0 {
				c.raw()
				continue
			}
			have, *counters[i].Count = c.once(have, 4<<i), c.counter()
		}
	}
	return b, c.check("bye", have, keys...)
}

// NextAnswer reads the first of a result's Answers, and returns those after it.
func NextAnswer(answers []byte) (seconds float64, value, rest []byte, err error) {
	c := cursor{b: answers}
	seconds, value = c.seconds(), c.raw()
	if c.bad != "" {
		return 0, nil, nil, fault(answers, nil, "answers: %s", c.bad)
	}
	return seconds, value, answers[c.i:], nil
}

// SplitValues splits b, which holds encoded values one after the other, behind the
// first n.
func SplitValues(b []byte, n int) (first, rest []byte) {
	c := cursor{b: b}
	c.values(n)
	return b[:c.i:c.i], b[c.i:]
}
