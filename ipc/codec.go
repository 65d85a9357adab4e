package ipc

import (
	"reflect"
	"sync"
)

// A codec encodes and decodes the values of one type. It is made once for a type and
// kept. The codecs of a type and of what its values consist of form a graph, which
// has cycles where types do.
type codec struct {
	typ    reflect.Type
	encode func(e *encoder, v reflect.Value)
	decode func(c *decoder, v reflect.Value) // v can be set, and is zero

	parts  []part
	form   form   // methods of the type that encode and decode it
	reason string // why values of the type cannot be sent; "" if they can
	risky  bool   // a value may be refused, though its type is not
}

// A part is a type within another one. The label is for errors.
type part struct {
	label string
	*codec
}

var codecs sync.Map // maps a reflect.Type to its *codec

func codecOf(t reflect.Type) *codec {
	if c, ok := codecs.Load(t); ok {
		return c.(*codec)
	}
	made := make(builder)
	c := made.codec(t)
	for _, c := range made {
		c.risky = c.reaches(func(p *codec) bool { return p.refusesValues() || p.recursive() })
	}
	for t, c := range made { // not before all are complete
		codecs.Store(t, c)
	}
	return c
}

// A builder holds the codecs that are being made. They refer to each other before
// they are complete.
type builder map[reflect.Type]*codec

func (b builder) codec(t reflect.Type) *codec {
	if c, ok := codecs.Load(t); ok {
		return c.(*codec)
	}
	if c := b[t]; c != nil {
		return c
	}
	c := &codec{typ: t, form: formOf(t)}
	b[t] = c
	if c.form != noForm {
		c.encode, c.decode = c.encodeForm, c.decodeForm
		return c
	}
	switch t.Kind() {
	case reflect.Bool:
		c.encode, c.decode = encodeBool, decodeBool
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		c.encode, c.decode = encodeInt, decodeInt
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		c.encode, c.decode = encodeUint, decodeUint
	case reflect.Float32:
		c.encode, c.decode = encodeFloat32, decodeFloat32
	case reflect.Float64:
		c.encode, c.decode = encodeFloat64, decodeFloat64
	case reflect.String:
		c.encode, c.decode = encodeString, decodeString
	case reflect.Slice, reflect.Array:
		b.list(c)
	case reflect.Map:
		b.mapping(c)
	case reflect.Pointer:
		b.pointer(c)
	case reflect.Struct:
		b.structure(c)
	case reflect.Interface:
		if t.NumMethod() > 0 {
			c.refuse("an interface with methods cannot be decoded in another process")
		} else {
			c.encode, c.decode = encodeInterface, decodeInterface
		}
	default: // uintptr is a place in the memory of one process
		c.refuse("a " + t.Kind().String() + " cannot be sent to another process")
	}
	return c
}

// refuse makes c the codec of a type whose values cannot be sent.
func (c *codec) refuse(reason string) {
	c.reason = reason
	c.encode = func(e *encoder, _ reflect.Value) { e.fail(reason) }
	c.decode = func(d *decoder, _ reflect.Value) { d.fail("no value fits " + c.typ.String()) }
}

// reaches reports whether f is true for c or for a part of it, at any depth.
func (c *codec) reaches(f func(*codec) bool) bool {
	seen := make(map[*codec]bool)
	var visit func(*codec) bool
	visit = func(c *codec) bool {
		if seen[c] {
			return false
		}
		seen[c] = true
		if f(c) {
			return true
		}
		for _, p := range c.parts {
			if visit(p.codec) {
				return true
			}
		}
		return false
	}
	return visit(c)
}

// recursive reports whether a value of the type can contain another one, so that it
// can be a cycle, or be nested too deep.
func (c *codec) recursive() bool {
	for _, p := range c.parts {
		if p.reaches(func(q *codec) bool { return q == c }) {
			return true
		}
	}
	return false
}

// refusesValues reports whether the codec itself, without its parts, refuses some
// values.
func (c *codec) refusesValues() bool {
	switch {
	case c.form != noForm:
		return c.form != floatForm && c.form != numberForm
	case c.typ.Kind() == reflect.Pointer:
		return len(c.parts) > 0 && c.parts[0].nilable()
	}
	return c.reason != "" || c.typ.Kind() == reflect.Interface
}

// nilable reports whether a value of the type may be encoded as nil.
func (c *codec) nilable() bool {
	switch c.typ.Kind() {
	case reflect.Pointer, reflect.Slice, reflect.Map, reflect.Interface:
		return true
	}
	return c.form == msgpackForm
}
