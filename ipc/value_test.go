package ipc

import (
	"bytes"
	"encoding/binary"
	"errors"
	"math"
	"math/big"
	"net/netip"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/vmihailenco/msgpack/v5"
)

type (
	point  struct{ X, Y int }
	tagged struct {
		A int64   `msgpack:"a"`
		B float64 `msgpack:"b"`
		C string  `msgpack:"c,omitempty"`
		D []int   `msgpack:"-"`
	}
	base     struct{ N int8 }
	Base     struct{ M uint8 }
	embedded struct {
		base
		Base
		F float64
	}
	list struct {
		//lint:ignore U1000 the library reads it
		_msgpack struct{} `msgpack:",as_array"`
		A, B     int
	}
	node struct {
		V    int
		Next *node
	}
	loose   []loose
	celsius float64
	small   int8
	// everything has a field of each kind that can be sent.
	everything struct {
		B    bool
		I    int
		I8   int8
		U16  uint16
		F32  float32
		F64  float64
		S    string
		Raw  []byte
		Key  [4]byte
		List []float64
		Arr  [2]int32
		Map  map[string]int
		Any  any
		Ptr  *point
		Nil  *point
		Time time.Time
		Dur  time.Duration
		Big  *big.Int
		Deep map[int][]map[string]point
	}
	// partial has a binary form of n bytes, like an exact accumulator.
	partial struct {
		n    int
		fill byte
	}
	// spoken has a msgpack form and a binary form.
	spoken struct{ v int }
)

var errNegative = errors.New("negative")

func (p partial) AppendBinary(b []byte) ([]byte, error) {
	if p.n < 0 {
		return nil, errNegative
	}
	return append(b, bytes.Repeat([]byte{p.fill}, p.n)...), nil
}

// The library calls this one for a partial inside another value.
func (p partial) MarshalBinary() ([]byte, error) { return p.AppendBinary(nil) }

func (p *partial) UnmarshalBinary(b []byte) error {
	if p.n = len(b); p.n > 0 {
		p.fill = b[0]
	}
	if bytes.HasPrefix(b, []byte("panic")) {
		panic("what a partial")
	}
	if !bytes.Equal(b, bytes.Repeat([]byte{p.fill}, p.n)) {
		return errors.New("mixed")
	}
	return nil
}

func (s spoken) MarshalMsgpack() ([]byte, error)       { return msgpack.Marshal(s.v) }
func (s *spoken) UnmarshalMsgpack(b []byte) error      { return msgpack.Unmarshal(b, &s.v) }
func (s spoken) AppendBinary(b []byte) ([]byte, error) { return append(b, byte(s.v)), nil }
func (s spoken) MarshalBinary() ([]byte, error)        { return []byte{byte(s.v)}, nil }
func (s *spoken) UnmarshalBinary(b []byte) error       { s.v = int(b[0]); return nil }

// roundTrip checks that v survives encoding, after other bytes, and decoding, into a
// variable that held another value.
func roundTrip[T any](t *testing.T, v, other T) {
	t.Helper()
	b, err := AppendValue([]byte("xy"), &v)
	if err != nil || !bytes.HasPrefix(b, []byte("xy")) {
		t.Errorf("%T %+v: %v", v, v, err)
		return
	}
	got := other
	if err := DecodeValue(b[2:], &got); err != nil || !reflect.DeepEqual(got, v) {
		t.Errorf("%T %+v is decoded as %+v, %v", v, v, got, err)
	}
}

func TestValuesRoundTrip(t *testing.T) {
	roundTrip(t, 1.5, 2)
	roundTrip(t, int64(math.MinInt64), 1)
	roundTrip(t, math.MaxInt, 1)
	roundTrip(t, uint64(math.MaxUint64), 1)
	roundTrip(t, int32(math.MinInt32), 1)
	roundTrip(t, uint8(255), 1)
	roundTrip(t, float32(math.SmallestNonzeroFloat32), 1)
	roundTrip(t, celsius(-0.1), 1)
	roundTrip(t, small(-128), 1)
	roundTrip(t, true, false)
	roundTrip(t, "", "old")
	roundTrip(t, strings.Repeat("é\x00\xff", 30000), "old")
	roundTrip(t, []byte(nil), []byte("old"))
	roundTrip(t, []byte{}, []byte("old"))
	roundTrip(t, bytes.Repeat([]byte{0xc1}, 70000), nil)
	roundTrip(t, []float64(nil), []float64{1})
	roundTrip(t, []float64{}, []float64{1})
	roundTrip(t, []float64{math.Inf(1), -1.5}, []float64{1, 2, 3})
	roundTrip(t, []int(nil), []int{1})
	roundTrip(t, []int{}, []int{1})
	roundTrip(t, []int{0, -1, -33, 1 << 31, math.MinInt, math.MaxInt}, []int{1})
	roundTrip(t, []int64(nil), []int64{1})
	roundTrip(t, []int64{math.MinInt64, -32, 127, 128, math.MaxInt64}, nil)
	roundTrip(t, []string{"", "a"}, []string{"old"})
	roundTrip(t, [3]int8{-128, 0, 127}, [3]int8{1, 1, 1})
	roundTrip(t, [2][]byte{{}, {1}}, [2][]byte{})
	roundTrip(t, map[string]int(nil), map[string]int{"old": 1})
	roundTrip(t, map[string]int{"a": 1}, map[string]int{"old": 1})
	roundTrip(t, map[int]map[string]point{7: {"p": {1, 2}}}, map[int]map[string]point{7: {"old": {}}})
	roundTrip(t, point{1, -2}, point{5, 5})
	roundTrip(t, tagged{A: 1, B: 2}, tagged{C: "old", D: []int{1}})
	roundTrip(t, embedded{base{-7}, Base{200}, 0.5}, embedded{})
	roundTrip(t, list{A: 1, B: 2}, list{})
	roundTrip(t, node{1, &node{2, &node{3, nil}}}, node{9, &node{9, &node{9, &node{}}}})
	roundTrip(t, (*point)(nil), &point{1, 2})
	roundTrip(t, &point{3, 4}, &point{1, 2})
	roundTrip[any](t, nil, "old")
	roundTrip[any](t, map[string]any{"a": []any{"b", true, 1.5, nil}}, []any{1})
	roundTrip(t, partial{3, 7}, partial{9, 9})
	roundTrip(t, &partial{3, 7}, &partial{9, 9})
	roundTrip(t, []partial{{1, 7}, {0, 0}}, nil)
	for _, n := range []int{0, 255, 256, 65535, 65536} {
		roundTrip(t, partial{n, byte(min(n, 9))}, partial{})
	}
	roundTrip(t, spoken{300}, spoken{1})
	roundTrip(t, Interval{5, MaxIndex}, Interval{})
	roundTrip(t, Interval{5, -1}, Interval{})
	roundTrip(t, struct{}{}, struct{}{})
	roundTrip(t, time.Unix(1e9, 5).UTC(), time.Time{})
	roundTrip(t, time.Hour, 0)
	roundTrip(t, netip.MustParseAddr("::1%eth0"), netip.Addr{})
	roundTrip(t, *big.NewInt(-1 << 60), big.Int{})
	roundTrip(t, everything{
		B: true, I: -1, I8: -128, U16: 65535, F32: 1.25, F64: math.Pi, S: "s", Raw: []byte{0}, Key: [4]byte{1, 2, 3, 4}, List: []float64{1},
		Arr: [2]int32{1, -1}, Map: map[string]int{"a": 1}, Any: "any", Ptr: &point{1, 2}, Time: time.Unix(1, 2).Local(), Dur: time.Second,
		Big: new(big.Int).Lsh(big.NewInt(1), 100), Deep: map[int][]map[string]point{-1: {{"x": {5, 6}}, nil}},
	}, everything{})
}

// The pool decodes into the same variables again and again, so the values that it
// handed out before must not change.
func TestDecodeLeavesTheOldValueAlone(t *testing.T) {
	m1 := map[string]int{"a": 1}
	v := m1
	if err := DecodeValue(pack(t, map[string]int{"b": 2}), &v); err != nil || len(v) != 1 || v["b"] != 2 || len(m1) != 1 || m1["a"] != 1 {
		t.Errorf("maps: %v from %v, %v", v, m1, err)
	}
	s1 := []float64{1, 2}
	s := s1
	if err := DecodeValue(pack(t, []float64{3}), &s); err != nil || len(s) != 1 || s1[0] != 1 {
		t.Errorf("slices: %v from %v, %v", s, s1, err)
	}
	p1 := &point{1, 2}
	p := p1
	if err := DecodeValue(pack(t, point{3, 4}), &p); err != nil || p1.X != 1 || p.X != 3 {
		t.Errorf("pointers: %v from %v, %v", p, p1, err)
	}
	var a any = &point{1, 2}
	if err := DecodeValue(pack(t, "x"), &a); err != nil || a != "x" {
		t.Errorf("interfaces: %v, %v", a, err)
	}
	in := pack(t, []byte("abc"))
	var b []byte
	if err := DecodeValue(in, &b); err != nil {
		t.Fatal(err)
	}
	if clear(in); string(b) != "abc" {
		t.Errorf("decoded bytes share memory with the message: %q", b)
	}
}

func TestFloatBitsPassUnchanged(t *testing.T) {
	type pair struct {
		A float64
		B []float64
	}
	for _, v := range floats {
		enc, err := AppendValue(nil, &v)
		if want := binary.BigEndian.AppendUint64([]byte{0xcb}, math.Float64bits(v)); err != nil || !bytes.Equal(enc, want) {
			t.Errorf("%v is encoded as %x, %v", v, enc, err)
		}
		var got float64
		if err := DecodeValue(enc, &got); err != nil || math.Float64bits(got) != math.Float64bits(v) {
			t.Errorf("%x comes back as %x, %v", math.Float64bits(v), math.Float64bits(got), err)
		}
		in, out := pair{v, []float64{v}}, pair{}
		enc, err = AppendValue(nil, &in)
		if err == nil {
			err = DecodeValue(enc, &out)
		}
		if err != nil || math.Float64bits(out.A) != math.Float64bits(v) || math.Float64bits(out.B[0]) != math.Float64bits(v) {
			t.Errorf("%x in a struct comes back as %x, %v", math.Float64bits(v), math.Float64bits(out.A), err)
		}
	}
	for _, bits := range []uint32{0x80000000, 0x7fc00001, 0xff800000, 1} {
		v, got := math.Float32frombits(bits), float32(0)
		enc, err := AppendValue(nil, &v)
		if err == nil {
			err = DecodeValue(enc, &got)
		}
		if err != nil || math.Float32bits(got) != bits {
			t.Errorf("float32 %x comes back as %x, %v", bits, math.Float32bits(got), err)
		}
	}
}

// refused checks that decoding value into a T fails with an error that has text.
func refused[T any](t *testing.T, value []byte, text string) {
	t.Helper()
	var v T
	if err := DecodeValue(value, &v); err == nil || !strings.Contains(err.Error(), text) {
		t.Errorf("%x is decoded as %T %+v, %v; want an error with %q", value, v, v, err, text)
	}
}

// The library would decode most of these without an error.
func TestValuesThatDoNotFit(t *testing.T) {
	refused[float64](t, pack(t, 1), "not a float")
	refused[float64](t, pack(t, nil), "not a float")
	refused[float64](t, pack(t, "1.5"), "not a float")
	refused[float64](t, pack(t, float32(1.5)), "a 32-bit float")
	refused[celsius](t, pack(t, float32(1.5)), "a 32-bit float")
	refused[[]float64](t, pack(t, []float32{1.5}), "a 32-bit float")
	refused[[3]float64](t, pack(t, []float32{1.5, 1, 1}), "a 32-bit float")
	refused[celsius](t, pack(t, 1), "not a float")
	refused[float32](t, pack(t, 1.5), "not a 32-bit float")
	refused[int64](t, pack(t, 1.0), "not an integer")
	refused[int64](t, pack(t, uint64(1<<63)), "does not fit")
	refused[int64](t, nil, "ends early")
	refused[int64](t, []byte{1, 1}, "more than one value")
	refused[uint64](t, pack(t, -1), "below zero")
	refused[small](t, pack(t, 128), "does not fit ipc.small")
	refused[int8](t, pack(t, 300), "does not fit int8")
	refused[int32](t, pack(t, int64(1)<<33), "does not fit int32")
	refused[uint8](t, pack(t, 256), "does not fit uint8")
	refused[uint8](t, pack(t, -1), "below zero")
	refused[bool](t, pack(t, 1), "not a boolean")
	refused[bool](t, pack(t, nil), "not a boolean")
	refused[string](t, pack(t, nil), "not a string")
	refused[string](t, pack(t, []byte("x")), "not a string")
	refused[[]byte](t, pack(t, []int{1}), "not a string")
	refused[[]float64](t, pack(t, []any{1.5, 2}), "not a float")
	refused[[]float64](t, pack(t, []any{1.5, nil}), "not a float")
	refused[[]float64](t, pack(t, map[string]int{}), "not an array")
	refused[[]int](t, pack(t, []any{1, 2.5}), "not an integer")
	refused[[]int64](t, pack(t, []any{1, uint64(1) << 63}), "does not fit")
	refused[[]int64](t, pack(t, 1), "not an array")
	refused[[2]int](t, pack(t, []int{1}), "wrong length")
	refused[[2]int](t, pack(t, []int{1, 2, 3}), "wrong length")
	refused[[2]int](t, pack(t, nil), "not an array")
	refused[[2]byte](t, pack(t, []byte{1}), "wrong length")
	refused[map[string]int8](t, pack(t, m{"a": 300}), "does not fit int8")
	refused[map[int8]string](t, pack(t, map[int]string{300: "a"}), "does not fit int8")
	refused[map[string]int](t, pack(t, []int{}), "not a map")
	refused[point](t, pack(t, m{"X": 1}), "a field of ipc.point is missing")
	refused[point](t, pack(t, m{"X": 1, "y": 2}), "a field of ipc.point is missing")
	refused[point](t, pack(t, m{"X": 1, "Y": 2.0}), "field Y: not an integer")
	refused[point](t, []byte("\x82\xa1X\x01\xa1X\x02"), "field X: occurs twice")
	refused[point](t, []byte("\x83\xa1X\x01\xa1X\x02\xa1Y\x02"), "field X: occurs twice")
	refused[point](t, pack(t, nil), "not a map")
	refused[point](t, pack(t, []int{1, 2}), "not a map")
	refused[*point](t, pack(t, m{}), "missing")
	refused[[]point](t, pack(t, []any{m{"X": 1, "Y": 2}, nil}), "not a map")
	refused[tagged](t, pack(t, m{"a": 1, "b": 1}), "field b: not a float")
	refused[tagged](t, pack(t, m{"A": 1, "B": 1.5}), "missing")
	refused[tagged](t, pack(t, m{"a": 1, "b": 1.5, "c": 5}), "field c: not a string")
	refused[embedded](t, pack(t, m{"N": 300, "M": 1, "F": 0.5}), "does not fit int8")
	refused[embedded](t, pack(t, m{"M": 1, "F": 0.5}), "missing")
	refused[list](t, pack(t, []int{1}), "number of fields")
	refused[list](t, pack(t, m{"A": 1, "B": 2}), "not an array")
	refused[node](t, pack(t, m{"V": 1, "Next": m{"V": 2}}), "field Next: a field of ipc.node is missing")
	refused[partial](t, pack(t, 1), "not bin")
	refused[partial](t, pack(t, nil), "not bin")
	refused[partial](t, pack(t, []byte("abc")), "mixed")
	refused[partial](t, pack(t, []byte("panic")), "what a partial")
	refused[[]partial](t, pack(t, []any{[]byte("panic")}), "what a partial")
	refused[time.Time](t, pack(t, []byte{1, 2}), "value does not fit time.Time")
	refused[map[any]int](t, []byte("\x81\x91\x01\x01"), "no value fits")
	refused[map[string]int](t, []byte("\x82\xa1a\x01\xa1a\x02"), "a key occurs twice")
	refused[any](t, []byte("\x82\xa1a\x01\xa1a\x02"), "a key occurs twice")
	refused[any](t, []byte("\x81\x01\x01"), "not a string")
	refused[any](t, []byte("\xd6\xff\x00\x00\x00\x00"), "an extension type")
	refused[[]any](t, []byte(strings.Repeat("\x91", 300)+"\xc0"), "nested too deep")
	refused[loose](t, []byte(strings.Repeat("\x91", 300)+"\xc0"), "nested too deep")
	refused[[]point](t, pack(t, []any{m{"X": 1, "Y": 2}, m{"X": 1, "Y": "a"}}), "element 1: field Y: not an integer")
	refused[map[string]point](t, pack(t, m{"k": m{"X": 1, "Y": "a"}}), "element \"k\": field Y: not an integer")
	refused[chan int](t, pack(t, 1), "no value fits")
	refused[Interval](t, pack(t, m{"start": 2}), "without \"end\"")
	refused[Interval](t, pack(t, nil), "not a map")
}

func TestValuesThatCannotBeEncoded(t *testing.T) {
	for _, err := range []error{
		appendError(make(chan int)), appendError(func() {}), appendError(complex(1, 1)), appendError(map[string]any{"f": func() {}}),
		appendError(partial{n: -1}), appendError(mine{}), appendError([]mine{{}}), appendError(binaryMine{}),
	} {
		if err == nil || !strings.Contains(err.Error(), "cannot be encoded") {
			t.Errorf("%v, want an error that says so", err)
		}
	}
}

// Types with methods that panic.
type (
	mine       struct{}
	binaryMine struct{}
)

func (mine) MarshalMsgpack() ([]byte, error)           { panic("boom") }
func (*mine) UnmarshalMsgpack([]byte) error            { return nil }
func (binaryMine) AppendBinary([]byte) ([]byte, error) { panic("boom") }
func (*binaryMine) UnmarshalBinary([]byte) error       { return nil }

func appendError[T any](v T) error {
	dst := []byte("abc")
	out, err := AppendValue(dst, &v)
	if err != nil && string(out) != "abc" {
		return errors.New("dst has changed")
	}
	return err
}

func TestCheckType(t *testing.T) {
	type (
		//lint:ignore U1000 CheckType reads it
		hidden  struct{ a int }
		skipped struct {
			C chan int `msgpack:"-"`
		}
		pointing struct{ *point }
		named    struct{ P *point }
		loop     struct{ Next []loop }
	)
	for _, c := range []struct {
		t    reflect.Type
		text string // part of the error; "" means no error
	}{
		{reflect.TypeFor[everything](), ""}, {reflect.TypeFor[embedded](), ""}, {reflect.TypeFor[node](), ""}, {reflect.TypeFor[loop](), ""},
		{reflect.TypeFor[list](), ""}, {reflect.TypeFor[any](), ""}, {reflect.TypeFor[partial](), ""}, {reflect.TypeFor[time.Time](), ""},
		{reflect.TypeFor[skipped](), ""}, {reflect.TypeFor[named](), ""}, {reflect.TypeFor[struct{ time.Time }](), ""},
		{reflect.TypeFor[chan int](), "a chan cannot be sent"}, {reflect.TypeFor[func()](), "a func cannot be sent"},
		{reflect.TypeFor[complex128](), "complex128 cannot be sent"}, {reflect.TypeFor[map[string][]func()](), "a func cannot be sent"},
		{reflect.TypeFor[map[chan int]int](), "key: a chan"}, {reflect.TypeFor[error](), "an interface with methods"},
		{reflect.TypeFor[hidden](), "field a is not exported"}, {reflect.TypeFor[[]struct{ H hidden }](), ".H: field a is not exported"},
		{reflect.TypeFor[struct{ small }](), "field small is not exported"}, {reflect.TypeFor[pointing](), "the embedded pointer point"},
		{reflect.TypeFor[struct{ *Base }](), "the embedded pointer Base"},
	} {
		if err := CheckType(c.t); c.text == "" && err != nil || c.text != "" && (err == nil || !strings.Contains(err.Error(), c.text)) {
			t.Errorf("%v: %v, want %q", c.t, err, c.text)
		}
	}
}
