package ipc

import (
	"fmt"
	"reflect"
	"strconv"
)

// A value inside an interface (any) has no type on the wire, so only what arrives as
// itself can be sent: nil, bool, numbers, string, []byte, []any and map[string]any. Of
// numbers the width is lost: integers arrive as int64, or as uint64 where they are above
// its range, and floats as float64.

func encodeInterface(e *encoder, v reflect.Value) {
	if v.IsNil() {
		e.null()
	} else {
		e.any(v.Elem().Interface())
	}
}

func (e *encoder) any(v any) {
	switch v := v.(type) {
	case nil:
		e.null()
	case bool:
		e.bool(v)
	case string:
		e.b = appendString(e.b, v)
	case float64:
		e.b = appendFloat(e.b, v)
	case float32:
		e.float32(v)
	case []byte:
		if e.notNil(v, v == nil) {
			e.b = appendBytes(e.b, v)
		}
	case []any:
		if e.notNil(v, v == nil) {
			e.anyList(v)
		}
	case map[string]any:
		if e.notNil(v, v == nil) {
			e.anyMap(v)
		}
	default:
		e.anyInteger(v)
	}
}

func (e *encoder) anyInteger(v any) {
	var i int64
	switch v := v.(type) {
	case int:
		i = int64(v)
	case int8:
		i = int64(v)
	case int16:
		i = int64(v)
	case int32:
		i = int64(v)
	case int64:
		i = v
	case uint8:
		i = int64(v)
	case uint16:
		i = int64(v)
	case uint32:
		i = int64(v)
	case uint:
		e.b = appendUint(e.b, uint64(v))
		return
	case uint64:
		e.b = appendUint(e.b, v)
		return
	default:
		e.fail(fmt.Sprintf("a %T in an interface would arrive as another type: it can hold nil, bool, numbers, string, []byte, []any and map[string]any", v))
		return
	}
	e.b = appendInt(e.b, i)
}

// notNil refuses a nil slice or map, of which the type would be lost.
func (e *encoder) notNil(v any, isNil bool) bool {
	if isNil {
		e.fail(fmt.Sprintf("a nil %T in an interface would arrive as nil without a type", v))
	}
	return !isNil
}

func (e *encoder) anyList(list []any) {
	e.b = appendHeader(e.b, len(list), 0x90, 15, 0xdc, 0xdd)
	if e.dry && e.again(reflect.ValueOf(list)) || !e.enter(len(list), true) {
		return
	}
	for i, x := range list {
		e.any(x)
		if e.failed(func() string { return "[" + strconv.Itoa(i) + "]" }) {
			return
		}
	}
	e.depth--
}

func (e *encoder) anyMap(m map[string]any) {
	e.b = appendHeader(e.b, len(m), 0x80, 15, 0xde, 0xdf)
	if e.dry && e.again(reflect.ValueOf(m)) || !e.enter(2*len(m), true) {
		return
	}
	for k, x := range m {
		e.b = appendString(e.b, k)
		e.any(x)
		if e.failed(func() string { return "[" + brief(reflect.ValueOf(k)) + "]" }) {
			return
		}
	}
	e.depth--
}

func decodeInterface(c *decoder, v reflect.Value) {
	if x := c.any(); x != nil && c.bad == "" {
		v.Set(reflect.ValueOf(x))
	}
}

// any reads a value that has no type but its own.
func (c *decoder) any() any {
	if c.i >= len(c.b) {
		c.fail("ends early")
		return nil
	}
	switch tag := c.b[c.i]; {
	case c.null():
		return nil
	case tag == 0xc2 || tag == 0xc3:
		return c.bool()
	case tag == 0xca:
		return float64(c.float32())
	case tag == 0xcb:
		return c.float()
	case tag >= 0xa0 && tag < 0xc0 || tag >= 0xd9 && tag <= 0xdb:
		return string(c.str())
	case tag >= 0xc4 && tag <= 0xc6:
		return append([]byte{}, c.bin()...)
	case tag >= 0x90 && tag < 0xa0 || tag == 0xdc || tag == 0xdd:
		return c.anyList()
	case tag >= 0x80 && tag < 0x90 || tag == 0xde || tag == 0xdf:
		return c.anyMap()
	case tag >= 0xc7 && tag <= 0xc9 || tag >= 0xd4 && tag <= 0xd8:
		c.fail("an extension type has no value in an interface")
		return nil
	}
	v, negative := c.integer()
	if !negative && int64(v) < 0 {
		return v
	}
	return int64(v)
}

func (c *decoder) anyList() any {
	list := make([]any, c.arrayLen())
	c.open()
	for i := range list {
		if list[i] = c.any(); c.bad != "" {
			c.within(element(i))
			return nil
		}
	}
	c.depth--
	return list
}

func (c *decoder) anyMap() any {
	n := c.mapLen()
	m := make(map[string]any, min(n, 1<<14))
	c.open()
	for range n {
		key := string(c.str())
		if m[key] = c.any(); c.bad != "" {
			c.within(func() string { return "element " + strconv.Quote(key) })
			return nil
		}
	}
	if c.depth--; len(m) != n {
		c.fail("a key occurs twice")
	}
	return m
}
