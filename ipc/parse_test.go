package ipc

import (
	"errors"
	"math"
	"strings"
	"testing"

	"github.com/vmihailenco/msgpack/v5"
)

// pack encodes v with the msgpack library.
func pack(t testing.TB, v any) []byte {
	t.Helper()
	b, err := msgpack.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

type m = map[string]any

// bodies has a valid body for every kind of message that has one, and its parser.
var bodies = map[string]struct {
	body     m
	parse    func([]byte) error
	optional []string // keys that may be missing
}{
	"request": {m{"id": 1, "task": "pi", "arg": m{}}, func(b []byte) error { _, err := ParseRequest(b); return err }, nil},
	"open": {m{"protocol": 1, "heartbeat_seconds": 0, "max_message_bytes": 100, "trace": true},
		func(b []byte) error { _, err := ParseOpen(b); return err }, []string{"trace"}},
	"hello": {m{"protocol": 1, "build": "", "pid": 1, "host": "", "cpus": "", "tasks": []string{"a"}},
		func(b []byte) error { _, err := ParseHello(b); return err }, nil},
	"result": {m{"id": 1, "seconds": 1, "value": nil, "start": 0, "end": 1, "began": 0.5},
		func(b []byte) error { _, err := ParseResult(b); return err }, []string{"start", "end", "began"}},
	"fail": {m{"id": 1, "error": "e", "stack": ""}, func(b []byte) error { _, err := ParseFail(b); return err }, nil},
	"bye": {m{"user_seconds": 1, "system_seconds": 0.5, "peak_rss_bytes": nil, "minor_faults": 1, "major_faults": 1,
		"voluntary_switches": 1, "involuntary_switches": 1, "migrations": nil, "gc_cycles": 1, "gc_pause_seconds": 0.5},
		func(b []byte) error { _, err := ParseBye(b); return err }, []string{"gc_cycles", "gc_pause_seconds"}},
	"interval": {m{"start": 0, "end": 1}, func(b []byte) error { _, err := ParseInterval(b); return err }, nil},
}

func TestBodiesAreReadStrictly(t *testing.T) {
	for kind, c := range bodies {
		wantFault := func(what string, body []byte, text string) {
			t.Helper()
			var f *Fault
			if err := c.parse(body); !errors.As(err, &f) || !strings.Contains(err.Error(), text) {
				t.Errorf("%s %s: %v, want a fault with %q", kind, what, err, text)
			}
		}
		if err := c.parse(pack(t, c.body)); err != nil {
			t.Errorf("%s: %v", kind, err)
		}
		wantFault("that is not a map", []byte{0x01}, "not a map")
		wantFault("that is nil", []byte{0xc0}, "not a map")
		wantFault("with a key that is not a string", []byte{0x81, 0x01, 0x01}, "not a string")
		more := m{"unknown": m{"deep": []any{1, m{"x": nil}, -1.5}}}
		for key, value := range c.body {
			more[key] = value
			less := m{}
			for k, v := range c.body {
				if k != key {
					less[k] = v
				}
			}
			if strings.Contains(strings.Join(c.optional, " "), key) {
				if err := c.parse(pack(t, less)); err != nil {
					t.Errorf("%s without %s: %v", kind, key, err)
				}
			} else {
				wantFault("without "+key, pack(t, less), "without \""+key+"\"")
			}
			// Repeat the key after the others.
			twice := pack(t, c.body)
			twice[0]++
			twice = append(append(twice, pack(t, key)...), pack(t, value)...)
			wantFault("with "+key+" twice", twice, "a key occurs twice")
			if key != "arg" && key != "value" {
				less[key] = m{}
				wantFault("with a map as "+key, pack(t, less), "not a")
			}
		}
		if err := c.parse(pack(t, more)); err != nil {
			t.Errorf("%s with an unknown key: %v", kind, err)
		}
	}
}

func TestNumbersThatDoNotFit(t *testing.T) {
	for _, c := range []struct {
		kind, key string
		value     any
		text      string // part of the error; "" means no error
	}{
		{"request", "id", uint64(math.MaxUint64), ""},
		{"request", "id", -1, "below zero"},
		{"request", "id", 1.0, "not an integer"},
		{"request", "task", []byte("pi"), "not a string"},
		{"open", "protocol", 2, "open speaks protocol 2, this is protocol 1"},
		{"open", "heartbeat_seconds", 2.5, ""},
		{"open", "heartbeat_seconds", float32(2.5), ""},
		{"open", "heartbeat_seconds", -1, "not between"},
		{"open", "heartbeat_seconds", math.NaN(), "not between"},
		{"open", "heartbeat_seconds", math.Inf(1), "not between"},
		{"open", "max_message_bytes", 0, "not between"},
		{"open", "max_message_bytes", int64(MaxLimit) + 1, "not between"},
		{"open", "max_message_bytes", uint64(1 << 63), "does not fit"},
		{"hello", "protocol", 0, "child speaks protocol 0"},
		{"hello", "tasks", []any{"a", 1}, "not a string"},
		{"hello", "tasks", nil, "not an array"},
		{"hello", "host", strings.Repeat("h", 255), ""},
		{"hello", "host", strings.Repeat("h", 256), "longer than 255 bytes"},
		{"hello", "host", "a\x1b[2Jb", "cannot be printed"},
		{"hello", "host", "a\nb", "cannot be printed"},
		{"hello", "host", "a\u202eb", "cannot be printed"},
		{"hello", "host", "a\x9bb", "cannot be printed"},
		{"hello", "host", "köln", ""},
		{"hello", "build", strings.Repeat("b", 1025), "longer than 1024 bytes"},
		{"hello", "cpus", "0-3,8", ""},
		{"hello", "beats", 1, "not a boolean"},
		{"hello", "about", m{"a": m{"version": "2", "unknown": nil}}, ""},
		{"hello", "about", m{"b": m{}}, `about "b", which is not among its tasks`},
		{"hello", "about", m{"a": m{"grain": 0}}, "a grain is not between 1 and 2^62"},
		{"hello", "about", m{"a": m{"grain": uint64(1) << 63}}, "integer does not fit"},
		{"hello", "about", m{"a": m{"version": 2}}, "not a string"},
		{"hello", "about", m{"a": nil}, "not a map"},
		{"hello", "about", []string{"a"}, "not a map"},
		{"hello", "cpus", "0\x1b[31m", "other characters"},
		{"hello", "cpus", strings.Repeat("1,", 20<<10), "too long"},
		{"result", "seconds", 1, ""},
		{"result", "seconds", float32(0.5), ""},
		{"result", "seconds", math.NaN(), "not between"},
		{"result", "seconds", -1, "not between"},
		{"result", "seconds", math.Inf(1), "not between"},
		{"result", "began", math.NaN(), "not between"},
		{"result", "start", uint64(1 << 63), "does not fit"},
		{"result", "start", int64(math.MinInt64), ""},
		{"bye", "minor_faults", -1, "below zero"},
		{"bye", "minor_faults", 1.0, "not an integer"},
		{"bye", "minor_faults", int64(1)<<53 + 1, "over 2^53"},
		{"bye", "user_seconds", nil, "not an integer"},
		{"bye", "user_seconds", math.NaN(), "not between"},
		{"bye", "system_seconds", math.Inf(1), "not between"},
		{"bye", "gc_pause_seconds", -0.5, "not between"},
		{"bye", "ran_on", "\x1b", "other characters"},
		{"interval", "end", MaxIndex, ""},
		{"interval", "end", MaxIndex + 1, "beyond 2^62"},
		{"interval", "end", uint64(1 << 63), "does not fit"},
		{"interval", "end", 1.0, "not an integer"},
		{"interval", "start", -1, "below 0"},
		{"interval", "start", 2, "beyond its end"},
	} {
		body := m{c.key: c.value}
		for k, v := range bodies[c.kind].body {
			if k != c.key {
				body[k] = v
			}
		}
		err := bodies[c.kind].parse(pack(t, body))
		if c.text == "" && err != nil || c.text != "" && (err == nil || !strings.Contains(err.Error(), c.text)) {
			t.Errorf("%s with %s = %v: %v, want %q", c.kind, c.key, c.value, err, c.text)
		}
	}
}

// An integer may have any width that holds it.
func TestIntegersOfEveryWidth(t *testing.T) {
	for _, c := range []struct {
		bytes    string
		signed   int64
		unsigned bool // reads as uint too
	}{
		{"\x05", 5, true}, {"\xcc\x05", 5, true}, {"\xcd\x00\x05", 5, true}, {"\xce\x00\x00\x00\x05", 5, true}, {"\xcf\x00\x00\x00\x00\x00\x00\x00\x05", 5, true},
		{"\xd0\x05", 5, true}, {"\xd1\x00\x05", 5, true}, {"\xd2\x00\x00\x00\x05", 5, true}, {"\xd3\x00\x00\x00\x00\x00\x00\x00\x05", 5, true},
		{"\xff", -1, false}, {"\xe0", -32, false}, {"\xd0\xff", -1, false}, {"\xd1\xff\x7f", -129, false}, {"\xd2\x80\x00\x00\x00", math.MinInt32, false},
		{"\xd3\x80\x00\x00\x00\x00\x00\x00\x00", math.MinInt64, false},
	} {
		a := cursor{b: []byte(c.bytes)}
		if v := a.int(); v != c.signed || a.done() != nil {
			t.Errorf("%q is read as %d, %v", c.bytes, v, a.done())
		}
		b := cursor{b: []byte(c.bytes)}
		if v := b.uint(); c.unsigned != (b.done() == nil) || c.unsigned && int64(v) != c.signed {
			t.Errorf("%q is read as unsigned %d, %v", c.bytes, v, b.done())
		}
	}
}
