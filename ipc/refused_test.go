package ipc

import (
	"bytes"
	"encoding/binary"
	"errors"
	"math"
	"math/big"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/vmihailenco/msgpack/v5"
)

// refusal checks that v is refused for a reason, by AppendValue and by CheckValue.
func refusal[T any](t *testing.T, v T, text string) {
	t.Helper()
	_, err := AppendValue(nil, &v)
	dry := CheckValue(&v)
	var of *ValueError
	if !errors.As(err, &of) || !strings.Contains(err.Error(), text) || dry == nil || dry.Error() != err.Error() {
		t.Errorf("%T is refused for %v, by CheckValue for %v; want %q", v, err, dry, text)
	}
}

// sent checks that v is not refused, and fits into a message.
func sent[T any](t *testing.T, v T) {
	t.Helper()
	msg, err := AppendValue(AppendRequestHead(nil, 1, "t"), &v)
	if err == nil {
		err = CheckValue(&v)
	}
	if err == nil {
		_, err = NewReader(bytes.NewReader(msg), MaxLimit).Next()
	}
	if err == nil {
		err = DecodeValue(msg[len(AppendRequestHead(nil, 1, "t")):], &v)
	}
	if err != nil {
		t.Errorf("%T: %v", v, err)
	}
}

type (
	dict map[string]dict
	pair struct{ L, R *pair }
	// said writes n lists, one in the other.
	said struct{ n int }
	open struct {
		Any any
		F   func() `msgpack:"-"`
	}
)

func (s said) MarshalMsgpack() ([]byte, error) {
	switch {
	case s.n < 0:
		return []byte("\x01\x02\x91")[:-1-s.n], nil // nothing, one value, two, and a cut one
	}
	return append(bytes.Repeat([]byte{0x91}, s.n), 0xc0), nil
}
func (s *said) UnmarshalMsgpack(b []byte) error { s.n = len(b) - 1; return nil }

// chain makes n nodes.
func chain(n int) *node {
	var top *node
	for i := range n {
		top = &node{i, top}
	}
	return top
}

func lists(n int) (v any) {
	for range n {
		v = []any{v}
	}
	return v
}

func dicts(n int) (d dict) {
	for range n {
		d = dict{"k": d}
	}
	return d
}

// A value is refused if it is nested deeper than what fits into a message.
func TestNesting(t *testing.T) {
	const most = MaxDepth - 2
	sent(t, chain(most))
	sent(t, lists(most))
	sent(t, dicts(most))
	sent(t, said{most})
	sent(t, []said{{most - 1}})
	sent(t, []any{lists(most - 1)})
	sent(t, struct{ N *node }{chain(most - 1)})
	sent(t, append(loose{}, loose{}))
	const text = "nested deeper than 254 levels, or in a cycle"
	refusal(t, chain(most+1), text)
	refusal(t, *chain(1e5), text)
	refusal(t, lists(most+1), text)
	refusal(t, dicts(most+1), text)
	refusal(t, []any{lists(most)}, text)
	refusal(t, struct{ N *node }{chain(most)}, text)
	refusal(t, said{most + 1}, "nested too deep")
	refusal(t, []said{{1}, {most}}, "[1]: what its method wrote is no msgpack value that can be sent: nested too deep")
}

// Nothing is lost of a cycle but its value.
func TestCycles(t *testing.T) {
	n := &node{V: 1}
	n.Next = &node{V: 2, Next: n}
	refusal(t, n, ".Next.Next.Next")
	l := loose{nil}
	l[0] = l
	refusal(t, l, "or in a cycle")
	d := dict{}
	d["k"] = dict{"k": d}
	refusal(t, d, "or in a cycle")
	list := []any{1, nil}
	list[1] = list
	refusal(t, list, "or in a cycle")
	m := map[string]any{}
	m["k"] = []any{m}
	refusal[any](t, m, "or in a cycle")
	refusal(t, open{Any: m}, "or in a cycle")
	p := &pair{}
	p.L, p.R = p, p
	refusal(t, p, "or in a cycle")
}

// A part that occurs many times is written as often. That must end.
func TestSharedParts(t *testing.T) {
	p, l, a, d := &pair{}, loose{}, any(1), dict{}
	for range 60 {
		p, l, a, d = &pair{p, p}, loose{l, l}, []any{a, a}, dict{"a": d, "b": d}
	}
	for _, f := range []func() (error, error){tooLong(p), tooLong(l), tooLong(a), tooLong(d), tooLong(make([]struct{}, 1<<40)), tooLong([1 << 40]struct{}{})} {
		err, dry := f()
		if err == nil || !strings.Contains(err.Error(), "it takes more than the 1048576 bytes that a message can have") || dry != nil {
			t.Errorf("%v, CheckValue %v", err, dry)
		}
	}
	sent(t, []*point{{1, 2}, {1, 2}})
}

func tooLong[T any](v T) func() (error, error) {
	return func() (error, error) {
		_, err := AppendValueWithin(nil, &v, 1<<20)
		return err, CheckValue(&v)
	}
}

func TestWhatInterfacesHold(t *testing.T) {
	for _, c := range [][2]any{
		{nil, nil}, {true, true}, {"s\xff", "s\xff"}, {[]byte{}, []byte{}}, {1.5, 1.5}, {float32(0.1), float64(float32(0.1))},
		{5, int64(5)}, {int8(-5), int64(-5)}, {int16(300), int64(300)}, {int32(-1), int64(-1)}, {int64(math.MinInt64), int64(math.MinInt64)},
		{uint(5), int64(5)}, {uint8(200), int64(200)}, {uint16(1), int64(1)}, {uint32(math.MaxUint32), int64(math.MaxUint32)},
		{uint64(math.MaxInt64), int64(math.MaxInt64)}, {uint64(math.MaxInt64) + 1, uint64(math.MaxInt64) + 1},
		{[]any{}, []any{}}, {map[string]any{}, map[string]any{}}, {map[string]any{"a": []any{1, nil}}, map[string]any{"a": []any{int64(1), nil}}},
	} {
		in, out := open{Any: c[0]}, open{}
		b, err := AppendValue(nil, &in)
		if err == nil {
			err = DecodeValue(b, &out)
		}
		if err != nil || !reflect.DeepEqual(out.Any, c[1]) {
			t.Errorf("%T %v arrives as %T %v, %v", c[0], c[0], out.Any, out.Any, err)
		}
	}
	for _, v := range []any{point{}, &point{}, new(int), celsius(1), time.Second, time.Now(), []int{1}, [1]int{}, []string{}, map[string]int{}, map[any]any{},
		errors.New("e"), big.NewInt(1), partial{}, complex(1, 1), func() {}, make(chan int), uintptr(1), []byte(nil), []any(nil), map[string]any(nil)} {
		refusal(t, v, "in an interface would arrive as")
		refusal(t, open{Any: []any{1, map[string]any{"k": v}}}, `.Any[1]["k"]: a`)
	}
}

func TestPointersToNil(t *testing.T) {
	refusal(t, new(*int), "a pointer to a nil *int would arrive as a nil pointer")
	refusal(t, new([]int), "a pointer to a nil []int")
	refusal(t, new(map[string]int), "a pointer to a nil map")
	refusal(t, []*any{nil, new(any)}, "[1]: a pointer to a nil interface")
	sent(t, &said{-2}) // writes 1
	refusal(t, &[]*said{{0}}, "[0]: a pointer to a nil ipc.said")
	p := &point{1, 2}
	roundTrip(t, &p, nil)
	roundTrip(t, &[]int{}, nil)
	roundTrip(t, &map[string]*int{"a": nil}, nil)
}

// What a method writes must be one value, or the message would not be one.
func TestMethodsThatFail(t *testing.T) {
	refusal(t, said{-1}, "ends early")
	refusal(t, said{-3}, "more than one value")
	refusal(t, []said{{1}, {-4}}, "[1]: what its method wrote")
	refusal(t, map[string]partial{"k": {n: -1}}, `["k"]: negative`)
	refusal(t, []mine{{}}, "[0]: panic: boom")
	refusal(t, mine{}, "panic: boom")
	v := partial{n: -1}
	if _, err := AppendValue(nil, &v); !errors.Is(err, errNegative) {
		t.Errorf("the method's error is lost in %v", err)
	}
	if err := CheckValue(&v); !errors.Is(err, errNegative) {
		t.Errorf("the method's error is lost in %v", err)
	}
}

// Times arrive as the same instant with the same offset, wherever they are.
func TestTimes(t *testing.T) {
	type when struct{ T time.Time }
	offset := func(seconds int) time.Time { return time.Unix(1e9, 1).In(time.FixedZone("Z", seconds)) }
	for _, v := range []time.Time{{}, time.Now(), time.Unix(-1e12, 5), time.Unix(1, 0).UTC(), offset(0), offset(3600), offset(-9 * 3600), offset(5400 + 1),
		offset(-1), offset(-28378), offset(59), time.Date(-5000, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(50000, 1, 1, 0, 0, 0, 0, time.UTC)} {
		var bare time.Time
		var in struct{ T []map[string]when }
		b, err := AppendValue(nil, &v)
		if err == nil {
			err = DecodeValue(b, &bare)
		}
		out := struct{ T []map[string]when }{[]map[string]when{{"k": {v}}}}
		b2, err2 := AppendValue(nil, &out)
		if err2 == nil {
			err2 = DecodeValue(b2, &in)
		}
		if err != nil || err2 != nil {
			t.Errorf("%v: %v, %v", v, err, err2)
			continue
		}
		for _, got := range []time.Time{bare, in.T[0]["k"].T} {
			_, a := v.Zone()
			_, b := got.Zone()
			if !got.Equal(v) || a != b || (v.Location() == time.UTC) != (got.Location() == time.UTC) || strings.Contains(got.String(), "m=") {
				t.Errorf("%v arrives as %v", v, got)
			}
		}
	}
	refusal(t, when{offset(-60)}, ".T: Time.MarshalBinary: unexpected zone offset")
	// Other programs send them in the ways of msgpack libraries.
	instant := time.Unix(1e9, 5)
	for _, foreign := range [][]byte{pack(t, instant), pack(t, instant.Format(time.RFC3339Nano))} {
		var got when
		if err := DecodeValue(append([]byte("\x81\xa1T"), foreign...), &got); err != nil || !got.T.Equal(instant) {
			t.Errorf("%x is read as %v, %v", foreign, got, err)
		}
	}
}

func TestBigNumbers(t *testing.T) {
	third := new(big.Float).SetPrec(1000).SetMode(big.ToZero)
	third.Quo(big.NewFloat(-1), third.SetInt64(3))
	for _, f := range []*big.Float{third, new(big.Float), new(big.Float).Neg(new(big.Float)), new(big.Float).SetInf(true), big.NewFloat(0.1),
		new(big.Float).SetMantExp(big.NewFloat(1), math.MaxInt32-1)} {
		var got struct{ F *big.Float }
		in := struct{ F *big.Float }{f}
		b, err := AppendValue(nil, &in)
		if err == nil {
			err = DecodeValue(b, &got)
		}
		if err != nil || !reflect.DeepEqual(got.F, f) {
			t.Errorf("%v arrives as %v, %v", f, got.F, err)
		}
	}
	refused[big.Float](t, pack(t, "1.5"), "not bin")
	roundTrip(t, struct{ R, N *big.Rat }{R: big.NewRat(-22, 7)}, struct{ R, N *big.Rat }{})
}

// A struct that embeds a time has its methods, which would lose the other fields.
func TestMethodsOfEmbeddedFields(t *testing.T) {
	type own struct{ partial }
	roundTrip(t, struct {
		time.Time
		N int
	}{time.Unix(1, 2).UTC(), 7}, struct {
		time.Time
		N int
	}{})
	roundTrip(t, struct{ time.Time }{time.Unix(1, 2).UTC()}, struct{ time.Time }{})
	roundTrip(t, own{partial{3, 7}}, own{})
}

// But for what differs on purpose (times, big numbers, empty values to omit), bytes are
// those that the library writes, so that programs that use it read them.
func TestTheLibraryWritesTheSame(t *testing.T) {
	type kinds struct {
		B    bool
		U16  uint16
		F32  float32
		Key  [4]byte
		Any  any
		Ptr  *point
		Deep map[int][]map[string]point
		embedded
	}
	for _, v := range []any{kinds{Any: []any{1, -1.5}, Deep: map[int][]map[string]point{-1: {{"x": {5, 6}}, nil}}, Ptr: &point{300, -1}},
		tagged{A: 1}, tagged{A: 1, C: "c"}, embedded{base{-7}, Base{200}, 0.5}, list{A: 1, B: -70000}, []int32{-1, -33, -128, -129, -32768, -32769, math.MinInt32}, []int64{math.MinInt32 - 1, math.MinInt64}, chain(3), loose{{}, nil}, []celsius{1}, [2]bool{true},
		map[uint16][]string{7: {"a", ""}}, struct{ A, B *int }{}, []partial{{3, 7}}, []spoken{{300}}, [][]byte{nil, {}, make([]byte, 300)}, [3]byte{1}, []any{}} {
		p := reflect.New(reflect.TypeOf(v)).Elem()
		p.Set(reflect.ValueOf(v))
		b, err := encodeValue(nil, p, MaxLimit)
		var want bytes.Buffer
		enc := msgpack.NewEncoder(&want)
		enc.UseCompactInts(true)
		if err := enc.Encode(v); err != nil {
			t.Fatal(err)
		}
		if err != nil || !bytes.Equal(b, want.Bytes()) {
			t.Errorf("%T is\n%q, %v; the library writes\n%q", v, b, err, want.Bytes())
		}
	}
}

// Signalling NaNs change on the way through a float64.
func TestFloat32Bits(t *testing.T) {
	for _, bits := range []uint32{0x7f800001, 0xffc00001, 0x80000000} {
		v := []float32{math.Float32frombits(bits)}
		b, err := AppendValue(nil, &v)
		if err != nil || binary.BigEndian.Uint32(b[2:]) != bits {
			t.Errorf("%x is encoded as %x, %v", bits, b, err)
		}
		if err := DecodeValue(b, &v); err != nil || math.Float32bits(v[0]) != bits {
			t.Errorf("%x arrives as %x, %v", bits, math.Float32bits(v[0]), err)
		}
	}
}

// What is left out of a message is zero to the bit.
func TestOmittedValues(t *testing.T) {
	type all struct {
		F float64                `msgpack:",omitempty"`
		S []int                  `msgpack:",omitempty"`
		M map[string]string      `msgpack:",omitempty"`
		A [1]struct{ F float64 } `msgpack:",omitempty"`
		T time.Time              `msgpack:",omitempty"`
	}
	roundTrip(t, all{S: []int{}, M: map[string]string{}, T: time.Time{}}, all{F: 1})
	b, _ := AppendValue(nil, &all{})
	if len(b) != 1 {
		t.Errorf("nothing is encoded as %q", b)
	}
	minus := all{F: math.Copysign(0, -1)}
	minus.A[0].F = minus.F
	var got all
	if b, err := AppendValue(nil, &minus); err != nil || DecodeValue(b, &got) != nil || !math.Signbit(got.F) || !math.Signbit(got.A[0].F) {
		t.Errorf("-0 arrives as %v, %v", got, err)
	}
}
