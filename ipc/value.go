package ipc

import (
	"encoding"
	"errors"
	"fmt"
	"math"
	"reflect"

	"github.com/vmihailenco/msgpack/v5"
)

// Payloads are typed Go values. The types that numeric tasks use, and those
// that know their own binary form, are written and read here without
// allocating; everything else goes through the msgpack library. Reading is
// strict in both cases, see conform.go.

// A Binary partial is one that brings its own binary form: it travels as
// msgpack bin. P must implement encoding.BinaryAppender, *P encoding.BinaryUnmarshaler.

// AppendValue appends the encoding of *v to dst. On error dst is returned as
// it was.
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
	case *Interval:
		return AppendInterval(dst, *v), nil
	case encoding.BinaryAppender:
		if _, custom := v.(msgpack.CustomEncoder); !custom {
			return appendBinary(dst, v)
		}
	}
	return appendAny(dst, v)
}

func appendBinary(dst []byte, v encoding.BinaryAppender) ([]byte, error) {
	// Most partials are short: try the one-byte length first.
	out, err := v.AppendBinary(append(dst, 0xc4, 0))
	if err != nil {
		return dst, err
	}
	n := len(out) - len(dst) - 2
	if n < 256 {
		out[len(dst)+1] = byte(n)
		return out, nil
	}
	return appendBytes(dst, append([]byte(nil), out[len(dst)+2:]...)), nil
}

// appendAny hands v to the library. Its encoder panics on some values (a nil
// pointer with a value receiver's method, say): that is an error of the value.
func appendAny(dst []byte, v any) (out []byte, err error) {
	defer func() {
		if p := recover(); p != nil {
			out, err = dst, fmt.Errorf("value of type %T cannot be encoded: %v", v, p)
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

// DecodeValue reads a delimited value into *v. It keeps nothing of value: what
// must outlive it is copied.
func DecodeValue[T any](value []byte, v *T) error {
	c := cursor{b: value}
	switch v := any(v).(type) {
	case *float64:
		*v = c.float()
	case *int64:
		*v = c.int()
	case *int:
		i := c.int()
		if i < math.MinInt || i > math.MaxInt {
			c.fail("integer does not fit")
		}
		*v = int(i)
	case *uint64:
		*v = c.uint()
	case *string:
		*v = string(c.str())
	case *Interval:
		iv, err := ParseInterval(value)
		*v = iv
		return err
	case encoding.BinaryUnmarshaler:
		if _, custom := v.(msgpack.CustomDecoder); custom {
			return decodeAny(value, v)
		}
		tag, body, _ := c.next()
		if tag < 0xc4 || tag > 0xc6 {
			return errors.New("value is not bin")
		}
		return v.UnmarshalBinary(body)
	default:
		return decodeAny(value, v)
	}
	return c.done()
}

// done reports what was wrong with a single value that should fill c.
func (c *cursor) done() error {
	if c.bad == "" && c.i < len(c.b) {
		c.bad = "more than one value"
	}
	if c.bad != "" {
		return errors.New("value: " + c.bad)
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
