package ipc

import (
	"math"
	"reflect"
	"slices"
	"strings"
)

// fields are those of a struct, under the names that they have on the wire, with those
// of embedded structs. A tag says more, in the way of the msgpack library:
//
//	msgpack:"name"       the field's name on the wire
//	msgpack:"-"          the field is not sent
//	,omitempty           it is not sent while it is zero
//	,alias:other         another name that is understood when it is read
//	,noinline            an embedded struct is a field like others
//
// A field _msgpack makes the struct an array, with the option as_array, or gives
// all its fields omitempty.
type fields struct {
	typ      reflect.Type
	list     []field
	byName   map[string]int // place in list
	required int            // number of fields that are not optional
	asArray  bool
}

type field struct {
	name     string
	head     []byte // name as it is encoded
	index    []int  // the way to it through embedded structs
	path     string // the way, for errors
	codec    *codec
	optional bool
}

// structure makes c the codec of a struct.
func (b builder) structure(c *codec) {
	s := &fields{typ: c.typ, byName: make(map[string]int)}
	c.encode, c.decode = s.encode, s.decode
	if reason := s.add(b, c.typ, nil, ""); reason != "" {
		c.refuse(reason)
		return
	}
	for _, f := range s.list {
		c.parts = append(c.parts, part{"." + f.path, f.codec})
		if !f.optional {
			s.required++
		}
	}
}

// add adds the fields of t, which lies at index. It returns why they cannot be sent,
// or "".
func (s *fields) add(b builder, t reflect.Type, index []int, path string) string {
	all := false // fields are optional
	for f := range t.Fields() {
		tag := parseTag(f.Tag.Get("msgpack"))
		at := append(slices.Clip(index), f.Index...)
		switch {
		case f.Name == "_msgpack":
			s.asArray = s.asArray || len(index) == 0 && (tag.has("as_array") || tag.has("asArray"))
			all = tag.has("omitempty")
			continue
		case tag.name == "-" || f.Name == "_": // nobody can read or set a field _
			continue
		case embedsFields(f) && !tag.has("noinline"):
			if reason := s.add(b, f.Type, at, path+f.Name+"."); reason != "" {
				return reason
			}
			continue
		case f.Anonymous && f.Type.Kind() == reflect.Pointer && formOf(f.Type.Elem()) == noForm:
			return "the embedded pointer " + path + f.Name + " would not arrive as nil; give the field a name"
		case !f.IsExported():
			return "field " + path + f.Name + " is not exported, so its value cannot be sent to another process" + half(t)
		}
		if tag.name == "" {
			tag.name = f.Name
		}
		one := field{name: tag.name, head: appendString(nil, tag.name), index: at, path: path + f.Name, codec: b.codec(f.Type), optional: all || tag.has("omitempty")}
		for _, name := range append(tag.aliases, tag.name) {
			if i, taken := s.byName[name]; taken && i < len(s.list) {
				return "fields " + s.list[i].path + " and " + one.path + " both have the name " + name +
					" in a message, so that one would be lost; give one another name by a tag msgpack:\"name\""
			}
			s.byName[name] = len(s.list)
		}
		s.list = append(s.list, one)
	}
	return ""
}

// embedsFields reports whether the fields of f are sent as fields of the struct that
// embeds f.
func embedsFields(f reflect.StructField) bool {
	return f.Anonymous && f.Type.Kind() == reflect.Struct && formOf(f.Type) == noForm
}

type tag struct {
	name    string
	options []string
	aliases []string
}

func parseTag(s string) (t tag) {
	parts := strings.Split(s, ",")
	t.name, t.options = parts[0], parts[1:]
	for _, o := range t.options {
		if alias, ok := strings.CutPrefix(o, "alias:"); ok {
			t.aliases = append(t.aliases, alias)
		}
	}
	return t
}

func (t tag) has(option string) bool { return slices.Contains(t.options, option) }

// of returns the field in a struct.
func (f *field) of(v reflect.Value) reflect.Value {
	for _, i := range f.index {
		v = v.Field(i)
	}
	return v
}

func (s *fields) encode(e *encoder, v reflect.Value) {
	n := len(s.list)
	if s.asArray {
		e.b = appendHeader(e.b, n, 0x90, 15, 0xdc, 0xdd)
	} else {
		if s.required < n {
			n = s.present(v)
		}
		e.b = appendHeader(e.b, n, 0x80, 15, 0xde, 0xdf)
	}
	if !e.enter(n, true) {
		return
	}
	for i := range s.list {
		f := &s.list[i]
		if e.dry && !f.codec.risky {
			continue
		}
		x := f.of(v)
		if !s.asArray {
			if f.optional && isZero(x) {
				continue
			}
			e.b = append(e.b, f.head...)
		}
		if f.codec.encode(e, x); e.failed(func() string { return "." + f.path }) {
			return
		}
	}
	e.depth--
}

// present counts the fields that are sent. A field is left out only if it is the zero
// value bit for bit: an empty list or a -0 would not arrive as they were.
func (s *fields) present(v reflect.Value) (n int) {
	for i := range s.list {
		if f := &s.list[i]; !f.optional || !isZero(f.of(v)) {
			n++
		}
	}
	return n
}

// isZero is v.IsZero, except that -0 is not zero.
func isZero(v reflect.Value) bool {
	switch v.Kind() {
	case reflect.Float32, reflect.Float64:
		return v.Float() == 0 && !math.Signbit(v.Float())
	case reflect.Array:
		for i := range v.Len() {
			if !isZero(v.Index(i)) {
				return false
			}
		}
		return true
	case reflect.Struct:
		for i := range v.NumField() {
			if !isZero(v.Field(i)) {
				return false
			}
		}
		return true
	}
	return v.IsZero()
}

// decode reads a struct. The key of each field must occur once, or may be missing if
// the field is optional.
func (s *fields) decode(c *decoder, v reflect.Value) {
	if s.asArray {
		s.decodeArray(c, v)
		return
	}
	var few [64]bool
	seen := few[:]
	if len(s.list) > len(few) {
		seen = make([]bool, len(s.list))
	}
	missing, next := s.required, 0
	n := c.mapLen()
	c.open()
	for range n {
		key := c.str()
		i, ok := next, next < len(s.list) && s.list[next].name == string(key) // as they are written
		if !ok {
			i, ok = s.byName[string(key)]
		}
		if !ok {
			c.raw()
			continue
		}
		f := &s.list[i]
		if next = i + 1; seen[i] {
			c.fail("occurs twice")
		} else {
			f.codec.decode(c, f.of(v))
		}
		if c.within(func() string { return "field " + string(key) }) {
			return
		}
		if seen[i] = true; !f.optional {
			missing--
		}
	}
	if c.depth--; missing > 0 {
		c.fail("a field of " + s.typ.String() + " is missing")
	}
}

func (s *fields) decodeArray(c *decoder, v reflect.Value) {
	if n := c.arrayLen(); n != len(s.list) {
		c.fail("wrong number of fields for " + s.typ.String())
		return
	}
	c.open()
	for i := range s.list {
		f := &s.list[i]
		if f.codec.decode(c, f.of(v)); c.within(func() string { return "field " + f.name }) {
			return
		}
	}
	c.depth--
}
