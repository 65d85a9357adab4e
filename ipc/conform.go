package ipc

import (
	"encoding"
	"reflect"
	"strings"
	"time"

	"github.com/vmihailenco/msgpack/v5"
)

// The library's decoder is lenient where a wrong number could come of it: it
// narrows integers silently, takes integers for floats and leaves a field
// alone whose key is missing. conform walks a value beside the type that it is
// meant for and notes in c what the library would let pass.

// conform reads one value and notes in c.bad where it does not fit t.
func conform(c *cursor, t reflect.Type) {
	if c.bad != "" {
		return
	}
	if decodesItself(t) || t.Kind() == reflect.Interface {
		c.raw()
		return
	}
	if t.Kind() == reflect.Pointer {
		if c.nilAhead() {
			c.raw()
			return
		}
		conform(c, t.Elem())
		return
	}
	switch t.Kind() {
	case reflect.Float64:
		c.float()
	case reflect.Float32:
		if c.i < len(c.b) && c.b[c.i] != 0xca {
			c.fail("not a 32-bit float")
			return
		}
		c.float()
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		if v := c.int(); t.OverflowInt(v) {
			c.fail("integer does not fit " + t.String())
		}
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64, reflect.Uintptr:
		if v := c.uint(); t.OverflowUint(v) {
			c.fail("integer does not fit " + t.String())
		}
	case reflect.String:
		c.str()
	case reflect.Bool:
		if tag, _, _ := c.next(); tag != 0xc2 && tag != 0xc3 {
			c.fail("not a boolean")
		}
	case reflect.Slice, reflect.Array:
		conformList(c, t)
	case reflect.Map:
		conformMap(c, t)
	case reflect.Struct:
		conformStruct(c, t)
	default:
		c.fail("no value fits " + t.String())
	}
}

func (c *cursor) nilAhead() bool { return c.i < len(c.b) && c.b[c.i] == 0xc0 }

func conformList(c *cursor, t reflect.Type) {
	if c.nilAhead() && t.Kind() == reflect.Slice {
		c.raw()
		return
	}
	if t.Elem().Kind() == reflect.Uint8 {
		tag, body, _ := c.next()
		isBin := tag >= 0xc4 && tag <= 0xc6
		if !isBin && tag&0xe0 != 0xa0 && (tag < 0xd9 || tag > 0xdb) {
			c.fail("not bytes")
		} else if t.Kind() == reflect.Array && len(body) != t.Len() {
			c.fail("wrong length for " + t.String())
		}
		return
	}
	n := c.arrayLen()
	if t.Kind() == reflect.Array && n != t.Len() {
		c.fail("wrong length for " + t.String())
	}
	for range n {
		if conform(c, t.Elem()); c.bad != "" {
			return
		}
	}
}

func conformMap(c *cursor, t reflect.Type) {
	if c.nilAhead() {
		c.raw()
		return
	}
	for range c.mapLen() {
		conform(c, t.Key())
		if conform(c, t.Elem()); c.bad != "" {
			return
		}
	}
}

// conformStruct takes the library's map form: every field's key must be
// there, unless it is marked omitempty. Other forms are the library's own matter.
func conformStruct(c *cursor, t reflect.Type) {
	fields, plain := wireFields(t)
	if !plain || c.nilAhead() {
		c.raw()
		return
	}
	missing := 0
	for _, f := range fields {
		if !f.optional {
			missing++
		}
	}
	for range c.mapLen() {
		key := c.str()
		f, ok := fields[string(key)]
		if !ok {
			c.raw()
			continue
		}
		if !f.optional {
			missing--
		}
		if conform(c, f.typ); c.bad != "" {
			c.bad = "field " + string(key) + ": " + c.bad
			return
		}
	}
	if missing > 0 && c.bad == "" {
		c.fail("a field of " + t.String() + " is missing")
	}
}

type wireField struct {
	typ      reflect.Type
	optional bool
}

// wireFields is what the library makes of a struct: one key a field. plain is
// false for forms that conform does not look into: embedded or inlined structs and structs as arrays.
func wireFields(t reflect.Type) (fields map[string]wireField, plain bool) {
	fields = make(map[string]wireField, t.NumField())
	for f := range t.Fields() {
		tag, _ := f.Tag.Lookup("msgpack")
		name, rest, _ := strings.Cut(tag, ",")
		options := "," + rest + ","
		switch {
		case f.Anonymous || f.Name == "_msgpack" || strings.Contains(options, ",inline,") || strings.Contains(options, ",alias:"):
			return nil, false
		case !f.IsExported() || name == "-":
			continue
		case name == "":
			name = f.Name
		}
		fields[name] = wireField{f.Type, strings.Contains(options, ",omitempty,")}
	}
	return fields, true
}

var selfDecoding = []reflect.Type{
	reflect.TypeFor[msgpack.CustomDecoder](), reflect.TypeFor[msgpack.Unmarshaler](),
	reflect.TypeFor[encoding.BinaryUnmarshaler](), reflect.TypeFor[encoding.TextUnmarshaler](),
}

// decodesItself reports whether the library leaves the decoding of t to t.
func decodesItself(t reflect.Type) bool {
	if t == reflect.TypeFor[time.Time]() {
		return true
	}
	for _, i := range selfDecoding {
		if t.Implements(i) || reflect.PointerTo(t).Implements(i) {
			return true
		}
	}
	return false
}
