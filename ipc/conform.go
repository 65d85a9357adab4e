package ipc

import (
	"encoding"
	"reflect"
	"strings"
	"sync"
	"time"

	"github.com/vmihailenco/msgpack/v5"
)

// The msgpack library decodes some wrong values without an error: it narrows integers
// silently, accepts integers as floats, and leaves a field unchanged if its key is
// missing. conform finds these errors before the library decodes a value.

// conform reads a value and sets c.bad if the value does not fit type t.
func conform(c *cursor, t reflect.Type) {
	if c.bad != "" {
		return
	}
	if decodesItself(t) || t.Kind() == reflect.Interface {
		c.raw()
		return
	}
	if t.Kind() == reflect.Pointer {
		if !c.null() {
			conform(c, t.Elem())
		}
		return
	}
	switch t.Kind() {
	case reflect.Float64:
		c.float()
	case reflect.Float32:
		c.float32()
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
		c.bool()
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

func conformList(c *cursor, t reflect.Type) {
	if t.Kind() == reflect.Slice && c.null() {
		return
	}
	if t.Elem().Kind() == reflect.Uint8 {
		if body := c.bytes(); t.Kind() == reflect.Array && len(body) != t.Len() {
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
	if c.null() {
		return
	}
	for range c.mapLen() {
		conform(c, t.Key())
		if conform(c, t.Elem()); c.bad != "" {
			return
		}
	}
}

// conformStruct reads a struct in the form of a map. The key of each field must occur
// once, or may be missing if the field has omitempty. Other forms are not checked.
func conformStruct(c *cursor, t reflect.Type) {
	s := shapeOf(t)
	if !s.plain {
		c.raw()
		return
	}
	var few [64]bool
	seen := few[:]
	if len(s.fields) > len(few) {
		seen = make([]bool, len(s.fields))
	}
	missing := s.required
	for range c.mapLen() {
		key := c.str()
		f, ok := s.fields[string(key)]
		if !ok {
			c.raw()
			continue
		}
		if seen[f.index] {
			c.fail("occurs twice")
		}
		seen[f.index] = true
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

// A shape has the keys under which the library encodes the fields of a struct,
// including those of embedded structs. It is plain unless the struct is encoded as
// an array, has aliases, or has fields that the library inlines by rules of its own.
// conform does not check structs that are not plain.
type shape struct {
	plain    bool
	fields   map[string]wireField
	required int // number of fields that are not optional
}

type wireField struct {
	index    int // from 0, in no particular order
	typ      reflect.Type
	optional bool
}

var shapes sync.Map // maps a reflect.Type to its *shape

func shapeOf(t reflect.Type) *shape {
	if s, ok := shapes.Load(t); ok {
		return s.(*shape)
	}
	s := &shape{plain: true, fields: make(map[string]wireField, t.NumField())}
	s.add(t)
	shapes.Store(t, s)
	return s
}

// add adds the fields of t to s.
func (s *shape) add(t reflect.Type) {
	for f := range t.Fields() {
		name, options, _ := strings.Cut(f.Tag.Get("msgpack"), ",")
		options = "," + options + ","
		has := func(option string) bool { return strings.Contains(options, ","+option+",") }
		switch {
		case name == "-":
			continue
		case f.Name == "_msgpack" || has("inline") || has("noinline") || strings.Contains(options, ",alias:"):
			s.plain = false
			return
		case embedsFields(f):
			s.add(f.Type)
			continue
		case f.Anonymous && f.Type.Kind() == reflect.Pointer:
			s.plain = false
			return
		case !f.IsExported():
			continue
		case name == "":
			name = f.Name
		}
		if _, twice := s.fields[name]; twice {
			s.plain = false
			return
		}
		optional := has("omitempty")
		s.fields[name] = wireField{len(s.fields), f.Type, optional}
		if !optional {
			s.required++
		}
	}
}

// embedsFields reports whether the library encodes the fields of f as fields of the
// struct that embeds f.
func embedsFields(f reflect.StructField) bool {
	return f.Anonymous && f.Type.Kind() == reflect.Struct && !decodesItself(f.Type)
}

// decodesItself reports whether t has methods that decode it.
func decodesItself(t reflect.Type) bool {
	if t.PkgPath() == "" && (t.Kind() < reflect.Array || t.Kind() == reflect.String) {
		return false // predeclared types have no methods
	}
	if t == reflect.TypeFor[time.Time]() {
		return true
	}
	for _, i := range [...]reflect.Type{
		reflect.TypeFor[msgpack.CustomDecoder](), reflect.TypeFor[msgpack.Unmarshaler](),
		reflect.TypeFor[encoding.BinaryUnmarshaler](), reflect.TypeFor[encoding.TextUnmarshaler](),
	} {
		if t.Implements(i) || reflect.PointerTo(t).Implements(i) {
			return true
		}
	}
	return false
}
