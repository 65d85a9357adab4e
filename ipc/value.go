package ipc

import (
	"encoding"
	"errors"
	"fmt"
	"reflect"
	"slices"

	"github.com/vmihailenco/msgpack/v5"
)

// Args and values are Go values of any type. The functions here encode and decode the
// types of numeric tasks, and those that have a binary form, without allocation. The
// msgpack library handles all others. Decoding is strict in both cases, see
// conform.go.

// AppendValue appends the encoding of *v to dst. If *T implements
// encoding.BinaryAppender and encoding.BinaryUnmarshaler, the encoding is msgpack bin
// with that binary form. On error AppendValue returns dst unchanged.
func AppendValue[T any](dst []byte, v *T) (out []byte, err error) {
	switch v := any(v).(type) {
	case *float64:
		return appendFloat(dst, *v), nil
	case *int64:
		return appendInt(dst, *v), nil
	case *int:
		return appendInt(dst, int64(*v)), nil
	case *uint64:
		return appendUint(dst, *v), nil
	case *string:
		return appendString(dst, *v), nil
	case *[]byte:
		if *v != nil {
			return appendBytes(dst, *v), nil
		}
	case *[]float64:
		return appendList(dst, *v, appendFloat), nil
	case *[]int:
		return appendList(dst, *v, func(dst []byte, i int) []byte { return appendInt(dst, int64(i)) }), nil
	case *[]int64:
		return appendList(dst, *v, appendInt), nil
	case *Interval:
		return AppendInterval(dst, *v), nil
	case encoding.BinaryAppender:
		if !speaksMsgpack(v) {
			return appendBinary(dst, v)
		}
	}
	return appendAny(dst, v)
}

// speaksMsgpack reports whether v encodes itself as msgpack. That form takes
// precedence over its binary form.
func speaksMsgpack(v any) bool {
	switch v.(type) {
	case msgpack.CustomEncoder, msgpack.CustomDecoder, msgpack.Marshaler, msgpack.Unmarshaler:
		return true
	}
	return false
}

// appendBinary appends the binary form of v. A panic in its method becomes an error.
func appendBinary(dst []byte, v encoding.BinaryAppender) (out []byte, err error) {
	defer func() {
		if p := recover(); p != nil {
			out, err = dst, fmt.Errorf("value of type %v cannot be encoded: %v", reflect.TypeOf(v).Elem(), p)
		}
	}()
	// Most values are short, so reserve one byte for the length first.
	at := len(dst)
	out, err = v.AppendBinary(append(dst, 0xc4, 0))
	if err != nil {
		return dst, fmt.Errorf("value of type %v cannot be encoded: %w", reflect.TypeOf(v).Elem(), err)
	}
	n := len(out) - at - 2
	if n < 256 {
		out[at+1] = byte(n)
		return out, nil
	}
	var head [5]byte
	return slices.Replace(out, at, at+2, appendHeader(head[:0], n, 0, -1, 0xc5, 0xc6)...), nil
}

// appendAny encodes v with the library. Its encoder panics for some values, such as a
// nil pointer whose method has a value receiver. A panic becomes an error.
func appendAny(dst []byte, v any) (out []byte, err error) {
	defer func() {
		if p := recover(); p != nil {
			out, err = dst, fmt.Errorf("value of type %v cannot be encoded: %v", reflect.TypeOf(v).Elem(), p)
		}
	}()
	w := sliceWriter{dst}
	enc := msgpack.GetEncoder()
	defer msgpack.PutEncoder(enc)
	enc.Reset(&w)
	enc.UseCompactInts(true)
	if err := enc.Encode(v); err != nil {
		return dst, fmt.Errorf("value of type %v cannot be encoded: %w", reflect.TypeOf(v).Elem(), err)
	}
	return w.b, nil
}

type sliceWriter struct{ b []byte }

func (w *sliceWriter) Write(p []byte) (int, error) {
	w.b = append(w.b, p...)
	return len(p), nil
}

func (w *sliceWriter) WriteByte(c byte) error {
	w.b = append(w.b, c)
	return nil
}

// DecodeValue decodes a complete value into *v. It replaces what *v held and never
// writes to the maps and slices in it, which others may still use. *v shares no memory
// with value afterwards.
func DecodeValue[T any](value []byte, v *T) error { return decodeValue(value, v, false) }

// TakeValue is like DecodeValue, but takes over the memory of value: a []byte becomes
// a part of it instead of a copy.
func TakeValue[T any](value []byte, v *T) error { return decodeValue(value, v, true) }

func decodeValue[T any](value []byte, v *T, take bool) error {
	*v = *new(T)
	c := cursor{b: value}
	switch v := any(v).(type) {
	case *float64:
		*v = c.float()
	case *int64:
		*v = c.int()
	case *int:
		*v = c.native()
	case *uint64:
		*v = c.uint()
	case *string:
		*v = string(c.str())
	case *[]byte:
		if !c.null() {
			if *v = slices.Clip(c.bytes()); !take {
				*v = append([]byte{}, *v...)
			}
		}
	case *[]float64:
		*v = listOf(&c, 9, c.float)
	case *[]int:
		*v = listOf(&c, 1, c.native)
	case *[]int64:
		*v = listOf(&c, 1, c.int)
	case *Interval:
		iv, err := ParseInterval(value)
		*v = iv
		return err
	case encoding.BinaryUnmarshaler:
		if speaksMsgpack(v) {
			return decodeAny(value, v)
		}
		if body := c.bin(); c.done() == nil {
			return decodeBinary(body, v)
		}
	default:
		return decodeAny(value, v)
	}
	return c.done()
}

// done returns the first error, or an error if c has more than one value.
func (c *cursor) done() error {
	if c.bad == "" && c.i < len(c.b) {
		c.bad = "more than one value"
	}
	if c.bad != "" {
		return errors.New("value: " + c.bad)
	}
	return nil
}

func decodeBinary(body []byte, v encoding.BinaryUnmarshaler) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("value does not fit %v: %v", reflect.TypeOf(v).Elem(), p)
		}
	}()
	if err := v.UnmarshalBinary(body); err != nil {
		return fmt.Errorf("value does not fit %v: %w", reflect.TypeOf(v).Elem(), err)
	}
	return nil
}

func decodeAny(value []byte, v any) (err error) {
	t := reflect.TypeOf(v).Elem()
	c := cursor{b: value}
	if conform(&c, t); c.bad != "" {
		return fmt.Errorf("value does not fit %v: %s", t, c.bad)
	}
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("value does not fit %v: %v", t, p)
		}
	}()
	if err := msgpack.Unmarshal(value, v); err != nil {
		return fmt.Errorf("value does not fit %v: %w", t, err)
	}
	return nil
}
