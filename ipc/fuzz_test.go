package ipc

import (
	"bytes"
	"errors"
	"io"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"
	"time"
)

// delimit is a recursive implementation of the scanner. It returns the length of the
// value at the beginning of b, or an error: errCut if more bytes could complete it.
func delimit(b []byte, depth int, limit int64) (n int64, err error) {
	if len(b) == 0 {
		return 0, errCut
	}
	var skip, values uint64 // bytes after the tag, nested values after these
	length := func(width int) (v uint64) {
		if len(b) < 1+width {
			err = errCut
			return 0
		}
		for _, c := range b[1 : 1+width] {
			v = v<<8 | uint64(c)
		}
		return v
	}
	switch c := b[0]; {
	case c == 0xc1:
		return 0, errors.New("0xc1")
	case c < 0x80, c >= 0xe0, c == 0xc0, c == 0xc2, c == 0xc3:
	case c < 0x90:
		values = 2 * uint64(c&15)
	case c < 0xa0:
		values = uint64(c & 15)
	case c < 0xc0:
		skip = uint64(c & 31)
	case c <= 0xc6:
		skip = 1<<(c-0xc4) + length(1<<(c-0xc4))
	case c <= 0xc9:
		skip = 1<<(c-0xc7) + 1 + length(1<<(c-0xc7))
	case c <= 0xcb:
		skip = 4 << (c - 0xca)
	case c <= 0xcf:
		skip = 1 << (c - 0xcc)
	case c <= 0xd3:
		skip = 1 << (c - 0xd0)
	case c <= 0xd8:
		skip = 1 + 1<<(c-0xd4)
	case c <= 0xdb:
		skip = 1<<(c-0xd9) + length(1<<(c-0xd9))
	case c <= 0xdd:
		skip, values = 2<<(c-0xdc), length(2<<(c-0xdc))
	default:
		skip, values = 2<<(c-0xde), 2*length(2<<(c-0xde))
	}
	if err != nil {
		return 0, err
	}
	n = 1 + int64(skip)
	if n+int64(values) > limit {
		return 0, errors.New("over the limit")
	}
	if n > int64(len(b)) {
		return 0, errCut
	}
	if values > 0 && depth == MaxDepth {
		return 0, errors.New("too deep")
	}
	for range values {
		k, err := delimit(b[n:], depth+1, limit-n)
		if err != nil {
			return 0, err
		}
		n += k
	}
	return n, nil
}

var errCut = errors.New("cut")

func seeds(f *testing.F) {
	stream, _, _ := conversation()
	f.Add(stream)
	f.Add([]byte("\x81\xa4beat" + strings.Repeat("\x91", 300) + "\xc0"))
	f.Add([]byte("\x81\xa7request\xdd\xff\xff\xff\xff"))
	f.Add([]byte("\x81\xa7request\xc9\x00\x00\x00\x01\x00\x00"))
	f.Add([]byte("\x82\xa4beat\x80\xa3end\x80"))
}

// FuzzScan checks that the scanner agrees with delimit, in one call and byte by byte.
func FuzzScan(f *testing.F) {
	seeds(f)
	f.Fuzz(func(t *testing.T, b []byte) {
		const limit = 1000
		want, err := delimit(b, 0, limit)
		var whole, steps scanner
		done, reason := whole.scan(b, limit)
		switch {
		case err == nil && (!done || int64(whole.pos) != want):
			t.Errorf("a value of %d bytes: %v at %d, %s", want, done, whole.pos, reason)
		case err == errCut && int64(len(b)) < limit && (done || reason != ""):
			t.Errorf("a cut value: %v at %d, %s", done, whole.pos, reason)
		case err != nil && err != errCut && reason == "":
			t.Errorf("%v: %v at %d", err, done, whole.pos)
		}
		for i := range b {
			gotDone, gotReason := steps.scan(b[:i+1], limit)
			if gotDone || gotReason != "" {
				if gotDone != done || gotReason != reason || done && steps.pos != whole.pos {
					t.Errorf("byte by byte: %v at %d, %s; in one call %v at %d, %s", gotDone, steps.pos, gotReason, done, whole.pos, reason)
				}
				return
			}
		}
		if done || reason != "" {
			t.Errorf("byte by byte no result; in one call %v, %s", done, reason)
		}
	})
}

// FuzzReader checks that a stream gives the same messages and the same error however
// it is divided into reads, without a panic and without much memory.
func FuzzReader(f *testing.F) {
	seeds(f)
	f.Fuzz(func(t *testing.T, b []byte) {
		want, wantErr := readAll(NewReader(bytes.NewReader(b), 0))
		var fault *Fault
		if wantErr != io.EOF && !errors.As(wantErr, &fault) {
			t.Fatalf("the error is %v", wantErr)
		}
		src := &oddReader{bytes.NewReader(b), rand.New(rand.NewPCG(uint64(len(b)), 7)), 9}
		r := NewReader(src, 0)
		for i := 0; ; i++ {
			if i%2 == 0 {
				r.Buffered()
			}
			m, err := r.Next()
			if err != nil {
				if i != len(want) || err.Error() != wantErr.Error() && !isFault(err, wantErr) {
					t.Errorf("%d messages and %v; in one call %d and %v", i, err, len(want), wantErr)
				}
				break
			}
			parseAny(m.Kind, m.Body)
		}
		if max := firstBuffer + 4*len(b); cap(r.buf) > max {
			t.Errorf("a buffer of %d bytes for %d", cap(r.buf), len(b))
		}
		NewReader(bytes.NewReader(b), 0).Hello()
	})
}

// isFault compares two faults except for their first bytes, of which more or fewer may
// have arrived.
func isFault(a, b error) bool {
	var x, y *Fault
	return errors.As(a, &x) && errors.As(b, &y) && x.Reason == y.Reason && x.Err == y.Err
}

func parseAny(k Kind, body []byte) (v any, err error) {
	switch k {
	case KindRequest:
		return ParseRequest(body)
	case KindOpen:
		return ParseOpen(body)
	case KindHello:
		return ParseHello(body)
	case KindResult:
		return ParseResult(body)
	case KindFail:
		return ParseFail(body)
	case KindBye:
		return ParseBye(body)
	case KindCancel:
		return ParseCancel(body)
	}
	return ParseInterval(body)
}

// answers is a message with the answers to a batch.
func answers(id uint64, values ...string) []byte {
	b, at := AppendAnswers(nil, id)
	for i, v := range values {
		b = append(AppendAnswer(b, float64(i)/4), v...)
	}
	SetAnswers(b, at, len(values))
	return append(b, '\n')
}

// checkAnswers reads answers to their end, or to an error.
func checkAnswers(t *testing.T, b []byte) {
	for len(b) > 0 {
		_, value, rest, err := NextAnswer(b)
		if err != nil {
			return
		}
		if len(value) == 0 || len(rest) >= len(b) {
			t.Fatalf("an answer of %q, and %q of %q is left", value, rest, b)
		}
		b = rest
	}
}

// FuzzParse checks that a body is read or refused without a panic, even if it is
// incomplete, and that what was read survives writing and reading.
func FuzzParse(f *testing.F) {
	stream, _, _ := conversation()
	r := NewReader(bytes.NewReader(stream), 0)
	for m, err := r.Next(); err == nil; m, err = r.Next() {
		f.Add(byte(m.Kind), bytes.Clone(m.Body))
	}
	for _, b := range [][]byte{AppendBye(nil, Bye{GC: &GC{Count{}, 1}}), AppendOpen(nil, Open{1, 1, true}), append(AppendResultHead(nil, Result{Began: 1}), 1),
		AppendCancel(nil, Cancel{7, true}), AppendFail(nil, Fail{1, "e", "s", true, true, []uint64{1}}), append(AppendRequestHeadWith(nil, 1, "t", RequestOptions{1, 2, 3}), 1),
		append(AppendBatchHead(nil, 1, "t", 3, RequestOptions{Index: 2}), 1, 0x91, 2, 3), answers(7, "\x01", "\x92\x01\xa1x", "\xc0")} {
		m, _ := NewReader(bytes.NewReader(b), 0).Next()
		f.Add(byte(m.Kind), bytes.Clone(m.Body))
	}
	f.Add(byte(0), []byte("\x82\xa5start\x00\xa3end\x01"))
	f.Add(byte(0), []byte("\xdf\xff\xff\xff\xff\xa5start\x00"))
	f.Fuzz(func(t *testing.T, k byte, body []byte) {
		v, err := parseAny(Kind(k), body)
		if err != nil {
			return
		}
		var msg []byte
		switch v := v.(type) {
		case Request:
			if v.Batch > 0 {
				msg = append(AppendBatchHead(nil, v.ID, string(v.Task), v.Batch, v.RequestOptions), v.Arg...)
			} else if delimited(v.Arg) {
				msg = append(AppendRequestHeadWith(nil, v.ID, string(v.Task), v.RequestOptions), v.Arg...)
			}
		case Open:
			msg = AppendOpen(nil, v)
		case Hello:
			msg = AppendHello(nil, v)
		case Result:
			if !v.HasInterval {
				v.Interval = Interval{}
			}
			if v.Answers != nil {
				checkAnswers(t, v.Answers)
			} else if v.Seconds == v.Seconds && v.Began == v.Began && delimited(v.Value) { // NaN is not equal to itself
				msg = append(AppendResultHead(nil, v), v.Value...)
			}
		case Fail:
			if len(v.Is) == 0 {
				v.Is = nil
			}
			msg = AppendFail(nil, v)
		case Cancel:
			msg = AppendCancel(nil, v)
		case Bye:
			if v.UserSeconds == v.UserSeconds && v.SystemSeconds == v.SystemSeconds && (v.GC == nil || v.GC.PauseSeconds == v.GC.PauseSeconds) {
				msg = AppendBye(nil, v)
			}
		case Interval:
			msg = append(append([]byte("\x81\xa4beat"), AppendInterval(nil, v)...), '\n')
		}
		if msg == nil {
			return
		}
		m, err := NewReader(bytes.NewReader(msg), MaxLimit).Next()
		if err != nil {
			t.Fatalf("%+v is written as %q: %v", v, msg, err)
		}
		again, err := parseAny(Kind(k), m.Body)
		if r, ok := v.(Result); ok && !r.HasInterval {
			r.Interval = Interval{}
			v = r
		}
		if err != nil || !reflect.DeepEqual(again, v) {
			t.Errorf("%+v is written as %q and read as %+v, %v", v, msg, again, err)
		}
	})
}

// delimited reports whether b is one value within the limits of the protocol.
func delimited(b []byte) bool {
	var s scanner
	done, _ := s.scan(b, DefaultLimit)
	return done && s.pos == len(b)
}

// FuzzValue checks that a value is decoded into a type or refused without a panic,
// and that what was decoded survives encoding and decoding.
func FuzzValue(f *testing.F) {
	for _, v := range []any{1, -1.5, "s", nil, []byte("aaa"), []float64{1}, m{"X": 1, "Y": 2}, m{"V": 1, "Next": m{"V": 2, "Next": nil}},
		m{"a": 1, "b": 0.5, "c": "x"}, m{"N": 1, "M": 2, "F": 0.5}, m{"start": 1, "end": 2}, []int{1, 2}, time.Unix(1, 2), map[int]any{1: 2}} {
		b := pack(f, v)
		for which := range byte(len(valueTypes)) {
			f.Add(which, b)
		}
	}
	f.Fuzz(func(t *testing.T, which byte, b []byte) {
		if !delimited(b) {
			return
		}
		if err := valueTypes[int(which)%len(valueTypes)](b); err != nil {
			t.Error(err)
		}
	})
}

var valueTypes = []func([]byte) error{
	again[float64], again[int64], again[int], again[uint64], again[string], again[[]byte], again[Interval], again[partial], again[spoken],
	again[small], again[float32], again[[]float64], again[[2]int], again[map[string]int8], again[map[int]any], again[any], again[point],
	again[*point], again[tagged], again[embedded], again[list], again[node], again[time.Time], again[everything], again[[]everything],
	again[[]int], again[[]int64],
}

func again[T any](b []byte) error {
	var first, second T
	if DecodeValue(b, &first) != nil {
		return nil
	}
	enc, err := AppendValue(nil, &first)
	if err != nil {
		return err
	}
	if !delimited(enc) && len(enc) < DefaultLimit {
		return errors.New("what was decoded is encoded as something else than one value")
	}
	if err := DecodeValue(enc, &second); err != nil {
		return err
	}
	// For DeepEqual NaN differs from NaN, so compare the encodings.
	if reflect.DeepEqual(first, second) {
		return nil
	}
	if enc2, err := AppendValue(nil, &second); err != nil || !sameBytes(enc, enc2) {
		return errors.New("the value changes when it is encoded again")
	}
	return nil
}

// sameBytes compares encodings regardless of the order of the keys in maps.
func sameBytes(a, b []byte) bool {
	count := func(b []byte) (c [256]int) {
		for _, x := range b {
			c[x]++
		}
		return c
	}
	return count(a) == count(b)
}
