package ipc

import (
	"fmt"
	"reflect"
	"strconv"
	"sync"
)

// Decoding is strict: every value has the form that its type is encoded in. A wrong
// integer is not narrowed, an integer is no float, a field that is missing is not left as
// it was.

// A decoder reads a value.
type decoder struct {
	cursor
	cause error // of bad, where a method of the value's type returned it
	depth int   // lists, maps and structs that are open
}

var decoders = sync.Pool{New: func() any { return new(decoder) }}

// decodeInto decodes a complete value into what p points to, which is zero.
func decodeInto(value []byte, p any) error {
	v := reflect.ValueOf(p).Elem()
	c := codecOf(v.Type())
	var bad string
	var cause error
	if c.form == binaryForm && !c.nilable() {
		bad, cause = c.decodeBinary(value, p)
	} else {
		bad, cause = c.decodeAll(value, v)
	}
	if bad != "" {
		v.SetZero()
		return &misfit{c.typ, bad, cause}
	}
	return nil
}

// decodeBinary is decodeAll for a value in its binary form. It allocates nothing.
func (c *codec) decodeBinary(value []byte, p any) (bad string, cause error) {
	d := cursor{b: value}
	body := d.bin()
	if d.end(); d.bad != "" {
		return d.bad, nil
	}
	if err := c.parseForm(body, p); err != nil {
		return err.Error(), err
	}
	return "", nil
}

func (c *codec) decodeAll(value []byte, v reflect.Value) (bad string, cause error) {
	defer func() {
		if p := recover(); p != nil {
			bad = fmt.Sprintf("panic: %v", p)
		}
	}()
	d := decoders.Get().(*decoder)
	*d = decoder{cursor: cursor{b: value}}
	c.decode(d, v)
	d.end()
	bad, cause = d.bad, d.cause
	*d = decoder{}
	decoders.Put(d)
	return bad, cause
}

// A misfit is an encoded value that is not one of a type.
type misfit struct {
	t     reflect.Type
	text  string
	cause error
}

func (m *misfit) Error() string { return fmt.Sprintf("value does not fit %v: %s", m.t, m.text) }
func (m *misfit) Unwrap() error { return m.cause }

// open begins to read a list, a map or a struct, which the caller closes by c.depth--.
func (c *decoder) open() {
	if c.depth++; c.depth > MaxDepth {
		c.fail("nested too deep")
	}
}

// within reports an error in a part of a value, and adds where it is.
func (c *decoder) within(step func() string) bool {
	if c.bad == "" {
		return false
	}
	c.bad = step() + ": " + c.bad
	return true
}

func decodeBool(c *decoder, v reflect.Value)    { v.SetBool(c.bool()) }
func decodeFloat64(c *decoder, v reflect.Value) { v.SetFloat(c.float()) }
func decodeString(c *decoder, v reflect.Value)  { v.SetString(string(c.str())) }

// decodeFloat32 keeps a NaN away from float64, as encodeFloat32 does.
func decodeFloat32(c *decoder, v reflect.Value) {
	if f := c.float32(); f == f {
		v.SetFloat(float64(f))
	} else {
		v.Set(reflect.ValueOf(f).Convert(v.Type()))
	}
}

func decodeInt(c *decoder, v reflect.Value) {
	i := c.int()
	if v.OverflowInt(i) {
		c.fail("integer does not fit " + v.Type().String())
		return
	}
	v.SetInt(i)
}

func decodeUint(c *decoder, v reflect.Value) {
	i := c.uint()
	if v.OverflowUint(i) {
		c.fail("integer does not fit " + v.Type().String())
		return
	}
	v.SetUint(i)
}

// decodeBytes decodes a slice of bytes.
func decodeBytes(c *decoder, v reflect.Value) {
	if !c.null() {
		v.SetBytes(append([]byte{}, c.bytes()...))
	}
}

func decodeByteArray(c *decoder, v reflect.Value) {
	if body := c.bytes(); c.bad == "" && len(body) != v.Len() {
		c.fail("wrong length for " + v.Type().String())
	} else {
		copy(v.Bytes(), body)
	}
}

func element(i int) func() string { return func() string { return "element " + strconv.Itoa(i) } }

func decodeArrayOf(elem *codec) func(*decoder, reflect.Value) {
	return func(c *decoder, v reflect.Value) {
		n := c.arrayLen()
		if n != v.Len() {
			c.fail("wrong length for " + v.Type().String())
			return
		}
		c.open()
		for i := range n {
			if elem.decode(c, v.Index(i)); c.bad != "" {
				c.within(element(i))
				return
			}
		}
		c.depth--
	}
}

// decodeSliceOf makes room for as many elements as take no more memory than the bytes
// that came, and for more as they turn out to be what they should be: an element takes a
// byte at least, and may need kilobytes.
func decodeSliceOf(elem *codec) func(*decoder, reflect.Value) {
	size := max(int(elem.typ.Size()), 1)
	return func(c *decoder, v reflect.Value) {
		if c.null() {
			return
		}
		n := c.arrayLen()
		room := min(n, (64<<10+len(c.b)-c.i)/size)
		v.Set(reflect.MakeSlice(v.Type(), 0, room))
		c.open()
		for i := range n {
			if i == v.Cap() {
				v.Grow(1)
			}
			v.SetLen(i + 1)
			if elem.decode(c, v.Index(i)); c.bad != "" {
				c.within(element(i))
				return
			}
		}
		c.depth--
	}
}

func decodeMapOf(key, elem *codec) func(*decoder, reflect.Value) {
	return func(c *decoder, v reflect.Value) {
		if c.null() {
			return
		}
		n := c.mapLen()
		v.Set(reflect.MakeMapWithSize(v.Type(), min(n, 1<<14)))
		k, x := reflect.New(key.typ).Elem(), reflect.New(elem.typ).Elem()
		c.open()
		for range n {
			k.SetZero()
			if key.decode(c, k); c.bad != "" {
				c.within(func() string { return "key" })
				return
			}
			x.SetZero()
			if elem.decode(c, x); c.bad != "" {
				c.within(func() string { return "element " + brief(k) })
				return
			}
			v.SetMapIndex(k, x)
		}
		if c.depth--; v.Len() != n && c.bad == "" {
			c.fail("a key occurs twice") // but a NaN, which is different each time
		}
	}
}

func decodePointerTo(elem *codec) func(*decoder, reflect.Value) {
	return func(c *decoder, v reflect.Value) {
		if !c.null() {
			p := reflect.New(elem.typ)
			elem.decode(c, p.Elem())
			v.Set(p)
		}
	}
}
