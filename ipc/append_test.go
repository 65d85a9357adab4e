package ipc

import (
	"bytes"
	"encoding/hex"
	"math"
	"reflect"
	"strings"
	"testing"

	"github.com/vmihailenco/msgpack/v5"
)

// These bytes must not change while the protocol number is 1.
func TestGoldenBytes(t *testing.T) {
	for _, c := range []struct {
		name string
		got  []byte
		want string
	}{
		{"request", AppendInterval(AppendRequestHead(nil, 7, "pi"), Interval{0, 300}),
			"81 a7 72657175657374 83 a2 6964 07 a4 7461736b a2 7069 a3 617267 82 a5 7374617274 00 a3 656e64 cd012c"},
		{"open", AppendOpen(nil, Open{HeartbeatSeconds: 1.5, MaxMessageBytes: 1 << 20}),
			"81 a4 6f70656e 83 a8 70726f746f636f6c 01 b1 6865617274626561745f7365636f6e6473 cb3ff8000000000000 b1 6d61785f6d6573736167655f6279746573 ce00100000"},
		{"beat", AppendBeat(nil), "81 a4 62656174 80 0a"},
		{"end", AppendEnd(nil), "81 a3 656e64 80"},
		{"hello", AppendHello(nil, Hello{Build: "b", PID: 9, Host: "h", CPUs: "0-1", Tasks: []string{"pi"}}),
			"81 a5 68656c6c6f 86 a8 70726f746f636f6c 01 a5 6275696c64 a1 62 a3 706964 09 a4 686f7374 a1 68 a4 63707573 a3 302d31 a5 7461736b73 91 a2 7069 0a"},
		{"result", append(AppendResultHead(nil, Result{ID: 7, Interval: Interval{0, 300}, HasInterval: true, Seconds: 0.5}), 0x2a, '\n'),
			"81 a6 726573756c74 85 a5 7374617274 00 a3 656e64 cd012c a2 6964 07 a7 7365636f6e6473 cb3fe0000000000000 a5 76616c7565 2a 0a"},
		{"result without an interval", append(AppendResultHead(nil, Result{ID: 7, Seconds: 0.5}), 0x2a, '\n'),
			"81 a6 726573756c74 83 a2 6964 07 a7 7365636f6e6473 cb3fe0000000000000 a5 76616c7565 2a 0a"},
		{"fail", AppendFail(nil, Fail{ID: 7, Error: "no", Stack: ""}),
			"81 a4 6661696c 83 a2 6964 07 a5 6572726f72 a2 6e6f a5 737461636b a0 0a"},
		{"bye", AppendBye(nil, Bye{Usage: Usage{1, 2, Counters{CountOf(3), CountOf(4), CountOf(5), CountOf(6), CountOf(7), Count{}}}}),
			"81 a3 627965 88 ac 757365725f7365636f6e6473 cb3ff0000000000000 ae 73797374656d5f7365636f6e6473 cb4000000000000000 ae 7065616b5f7273735f6279746573 03" +
				"ac 6d696e6f725f6661756c7473 04 ac 6d616a6f725f6661756c7473 05 b2 766f6c756e746172795f7377697463686573 06" +
				"b4 696e766f6c756e746172795f7377697463686573 07 aa 6d6967726174696f6e73 c0 0a"},
		{"open with a trace", AppendOpen(nil, Open{HeartbeatSeconds: 0, MaxMessageBytes: 1, Trace: true}),
			"81 a4 6f70656e 84 a5 7472616365 c3 a8 70726f746f636f6c 01 b1 6865617274626561745f7365636f6e6473 cb0000000000000000 b1 6d61785f6d6573736167655f6279746573 01"},
		{"result with a trace", append(AppendResultHead(nil, Result{ID: 7, Seconds: 0.5, Began: 1}), 0x2a, '\n'),
			"81 a6 726573756c74 84 a5 626567616e cb3ff0000000000000 a2 6964 07 a7 7365636f6e6473 cb3fe0000000000000 a5 76616c7565 2a 0a"},
	} {
		if got := hex.EncodeToString(c.got); got != strings.ReplaceAll(c.want, " ", "") {
			t.Errorf("%s is\n%s, want\n%s", c.name, got, c.want)
		}
	}
}

// bodyOf reads a stream with one message and checks its kind.
func bodyOf(t *testing.T, msg []byte, kind Kind) []byte {
	t.Helper()
	m, err := NewReader(bytes.NewReader(msg), MaxLimit).Next()
	if err != nil || m.Kind != kind {
		t.Fatalf("%q is read as %v, %v; want %v", msg, m.Kind, err, kind)
	}
	return m.Body
}

var (
	lengths = []int{0, 1, 31, 32, 255, 256, 65535, 65536}
	uints   = []uint64{0, 1, 127, 128, 255, 256, 65535, 65536, 1<<32 - 1, 1 << 32, 1<<62 - 1, 1 << 62, 1<<63 - 1, 1 << 63, math.MaxUint64}
	ints    = []int64{math.MinInt64, math.MinInt32 - 1, -129, -128, -33, -32, -1, 0, 1, 127, 128, 255, 256, 65535, 65536, 1<<32 - 1, 1 << 32, math.MaxInt64}
	floats  = []float64{0, math.Copysign(0, -1), 1, -1.5, math.Pi, math.MaxFloat64, math.SmallestNonzeroFloat64, math.Inf(1), math.Inf(-1),
		math.Float64frombits(0x7ff8000000000001), math.Float64frombits(0xfff8dead0000beef), math.Float64frombits(0x7ff0000000000001)}
)

func TestMessagesRoundTrip(t *testing.T) {
	for _, n := range lengths {
		s := strings.Repeat("x", n)
		r, err := ParseRequest(bodyOf(t, append(AppendRequestHead(nil, 1, s), 0xc0), KindRequest))
		if err != nil || string(r.Task) != s || r.ID != 1 || !bytes.Equal(r.Arg, []byte{0xc0}) {
			t.Errorf("a task name of %d bytes: %v", n, err)
		}
		f := Fail{ID: 2, Error: s, Stack: s + "!"}
		if got, err := ParseFail(bodyOf(t, AppendFail(nil, f), KindFail)); err != nil || !reflect.DeepEqual(got, f) {
			t.Errorf("an error of %d bytes: %v", n, err)
		}
		h := Hello{Build: s[:min(n, maxBuild)], PID: int64(n), Host: s[:min(n, MaxHost)], CPUs: strings.Repeat("7", min(n, 32<<10))}
		for range n {
			h.Tasks = append(h.Tasks, "t")
		}
		if got, err := ParseHello(bodyOf(t, AppendHello(nil, h), KindHello)); err != nil || !reflect.DeepEqual(got, h) {
			t.Errorf("a hello with %d tasks: %v", n, err)
		}
	}
	for _, v := range uints {
		r := Result{ID: v, Seconds: 0.25}
		got, err := ParseResult(bodyOf(t, append(AppendResultHead(nil, r), 0x01), KindResult))
		if r.Value = []byte{1}; err != nil || !reflect.DeepEqual(got, r) {
			t.Errorf("%+v is read as %+v, %v", r, got, err)
		}
	}
	for _, v := range ints {
		r := Result{Interval: Interval{v, -v}, HasInterval: true}
		got, err := ParseResult(bodyOf(t, append(AppendResultHead(nil, r), 0x01), KindResult))
		if err != nil || got.Interval != r.Interval || !got.HasInterval {
			t.Errorf("interval %v is read as %v, %v", r.Interval, got.Interval, err)
		}
		n := CountOf(min(v, 1<<53))
		b := Bye{Usage: Usage{Counters: Counters{n, n, n, n, n, n}}}
		if got, err := ParseBye(bodyOf(t, AppendBye(nil, b), KindBye)); err != nil || got != b {
			t.Errorf("counts of %d are read as %+v, %v", v, got, err)
		}
	}
	for _, v := range []float64{0, 0.001, 30, 1e9} {
		b := Bye{Usage: Usage{UserSeconds: v, Counters: Counters{Migrations: CountOf(3)}}, GC: &GC{Cycles: CountOf(int64(v) - 1), PauseSeconds: v}}
		if got, err := ParseBye(bodyOf(t, AppendBye(nil, b), KindBye)); err != nil || !reflect.DeepEqual(got, b) {
			t.Errorf("%+v is read as %+v, %v", b, got, err)
		}
		r := Result{ID: 1, Seconds: v, Began: v, HasInterval: true, Value: []byte{1}}
		if got, err := ParseResult(bodyOf(t, append(AppendResultHead(nil, r), 1), KindResult)); err != nil || !reflect.DeepEqual(got, r) {
			t.Errorf("%+v is read as %+v, %v", r, got, err)
		}
		o := Open{HeartbeatSeconds: v, MaxMessageBytes: MaxLimit, Trace: v > 1}
		if got, err := ParseOpen(bodyOf(t, AppendOpen(nil, o), KindOpen)); err != nil || got != o {
			t.Errorf("%+v is read as %+v, %v", o, got, err)
		}
	}
	for _, o := range []RequestOptions{{TimeoutSeconds: 0.5}, {Index: 300}, {Attempt: 2}, {1e9, math.MaxUint64, 1}} {
		got, err := ParseRequest(bodyOf(t, append(AppendRequestHeadWith(nil, 1, "t", o), 0xc0), KindRequest))
		if err != nil || got.RequestOptions != o || got.ID != 1 {
			t.Errorf("%+v is read as %+v, %v", o, got, err)
		}
	}
	for _, f := range []Fail{{ID: 1, NotBegun: true}, {ID: 2, Timeout: true, Error: "late"}, {ID: 3, Is: []uint64{0, 300}}, {4, "e", "s", true, true, []uint64{1}}} {
		if got, err := ParseFail(bodyOf(t, AppendFail(nil, f), KindFail)); err != nil || !reflect.DeepEqual(got, f) {
			t.Errorf("%+v is read as %+v, %v", f, got, err)
		}
	}
	for _, c := range []Cancel{{ID: 1 << 40}, {1, true}} {
		if got, err := ParseCancel(bodyOf(t, AppendCancel(nil, c), KindCancel)); err != nil || got != c {
			t.Errorf("%+v is read as %+v, %v", c, got, err)
		}
	}
	for _, h := range []Hello{
		{Build: "b", StartError: "no model"},
		{Beats: true, Tasks: []string{"a", "b"}, Abouts: map[string]About{"b": {"", 1, true}, "a": {"2\x1b", MaxIndex, false}}},
	} {
		if got, err := ParseHello(bodyOf(t, AppendHello(nil, h), KindHello)); err != nil || !reflect.DeepEqual(got, h) {
			t.Errorf("%+v, %v", got, err)
		}
	}
	silent := Bye{ParentSilent: true}
	if got, err := ParseBye(bodyOf(t, AppendBye(nil, silent), KindBye)); err != nil || got != silent {
		t.Errorf("%+v, %v", got, err)
	}
	bodyOf(t, AppendBeat(nil), KindBeat)
	bodyOf(t, AppendEnd(nil), KindEnd)
}

// The msgpack library reads what the append functions write.
func TestScalarsAgreeWithTheLibrary(t *testing.T) {
	for _, v := range ints {
		var got int64
		if err := msgpack.Unmarshal(appendInt(nil, v), &got); err != nil || got != v {
			t.Errorf("%d is read by the library as %d, %v", v, got, err)
		}
	}
	for _, v := range uints {
		var got uint64
		if err := msgpack.Unmarshal(appendUint(nil, v), &got); err != nil || got != v {
			t.Errorf("%d is read by the library as %d, %v", v, got, err)
		}
	}
	for _, v := range floats {
		var got float64
		if err := msgpack.Unmarshal(appendFloat(nil, v), &got); err != nil || math.Float64bits(got) != math.Float64bits(v) {
			t.Errorf("%v is read by the library as %v, %v", v, got, err)
		}
	}
	for _, n := range lengths {
		var s string
		var b []byte
		want := strings.Repeat("y", n)
		if err := msgpack.Unmarshal(appendString(nil, want), &s); err != nil || s != want {
			t.Errorf("a string of %d bytes is read by the library as %d, %v", n, len(s), err)
		}
		if err := msgpack.Unmarshal(appendBytes(nil, []byte(want)), &b); err != nil || string(b) != want {
			t.Errorf("%d bytes are read by the library as %d, %v", n, len(b), err)
		}
	}
}
