package ipc

import (
	"encoding"
	"errors"
	"fmt"
	"reflect"
	"slices"
)

// Args and values are Go values of any type. A value arrives as it was sent, or it is
// refused: CheckType refuses types, and AppendValue refuses values of other types. Some
// things have a meaning in one process only, and do not arrive:
//   - which pointers, slices and maps share memory: a pointer that occurs twice arrives as
//     two;
//   - the name of a time's zone and its rules, but not its offset, and the reading of the
//     monotonic clock;
//   - the width of numbers inside interfaces.
//
// Types that encode themselves arrive as their methods make them.
//
// The types of numeric tasks, and those with a binary form, are encoded and decoded here,
// without allocation. codec.go has the way of all others.

// AppendValue appends the encoding of *v to dst. On error, a *[ValueError], it returns
// dst unchanged.
func AppendValue[T any](dst []byte, v *T) (out []byte, err error) {
	return AppendValueWithin(dst, v, MaxLimit)
}

// AppendValueWithin is AppendValue, and gives up a value of lists, maps and structs
// when it takes more than limit bytes: shared parts are written as often as they
// occur, so that a small value can be a long message.
func AppendValueWithin[T any](dst []byte, v *T, limit int64) (out []byte, err error) {
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
		if *v == nil {
			return append(dst, 0xc0), nil
		}
		return appendBytes(dst, *v), nil
	case *[]float64:
		return appendList(dst, *v, appendFloat), nil
	case *[]int:
		return appendList(dst, *v, appendNative), nil
	case *[]int64:
		return appendList(dst, *v, appendInt), nil
	case *Interval:
		return AppendInterval(dst, *v), nil
	case encoding.BinaryAppender:
		if c := codecOf(reflect.TypeFor[T]()); c.form == binaryForm && !c.nilable() {
			if out, err = c.appendForm(dst, v); err != nil {
				return dst, &ValueError{Type: c.typ, Reason: err.Error(), Err: err}
			}
			return out, nil
		}
	}
	return encodeValue(dst, reflect.ValueOf(v).Elem(), limit)
}

func appendNative(dst []byte, v int) []byte { return appendInt(dst, int64(v)) }

// CheckValue returns the error that AppendValue would return, in less time: it looks only
// at parts that may be refused. Parts that encode themselves are asked to. Backends that
// send nothing refuse by it what worker processes would not get.
func CheckValue[T any](v *T) error { return check(reflect.ValueOf(v).Elem()) }

// MustCheck reports whether there are values of type t that cannot be sent, though
// the type can, so that [CheckValue] is called for.
func MustCheck(t reflect.Type) bool { return codecOf(t).risky }

// A ValueError is a value that cannot be sent, although its type can: it is
// nested too deep or in a cycle, an interface in it holds what would arrive as another
// type, a pointer in it points to nil, or a method of its own type failed.
type ValueError struct {
	Type   reflect.Type // of the whole value
	Path   string       // to the part that is refused, such as ".Next[3]"; "" is the whole
	Reason string
	Err    error // that a method of the value's own type returned, or nil
}

func (e *ValueError) Error() string {
	path := e.Path
	if len(path) > 100 {
		path = path[:60] + "..." + path[len(path)-30:]
	}
	if path != "" {
		path += ": "
	}
	return fmt.Sprintf("value of type %v cannot be encoded: %s%s", e.Type, path, e.Reason)
}

// Unwrap returns what a method of the value's own type returned.
func (e *ValueError) Unwrap() error { return e.Err }

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
		iv, _, err := readInterval(value)
		*v = iv
		return err
	default:
		return decodeInto(value, v)
	}
	return c.done()
}

// end fails if there is more than one value.
func (c *cursor) end() {
	if c.bad == "" && c.i < len(c.b) {
		c.bad = "more than one value"
	}
}

// done returns the first error, or an error if c has more than one value.
func (c *cursor) done() error {
	if c.end(); c.bad != "" {
		return errors.New("value: " + c.bad)
	}
	return nil
}
