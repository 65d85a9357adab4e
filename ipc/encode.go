package ipc

import (
	"encoding/binary"
	"fmt"
	"math"
	"reflect"
	"strconv"
	"sync"
)

// maxNesting is how deep a value can be nested: a message takes two levels of its own.
const maxNesting = MaxDepth - 2

// An encoder appends a value to b. The first error ends it. A dry one encodes only
// parts that may be refused, and throws away what it writes: it finds the same errors.
type encoder struct {
	b     []byte
	start int64 // length of b before
	limit int64 // most bytes that it may append
	err   *ValueError
	depth int // lists, maps and structs that are open
	dry   bool

	visits int // of a dry one: how many lists, maps and pointers it has met
	met    map[place]int
}

// A place is where a list, a map, or what a pointer points to lies in memory.
type place struct {
	t   reflect.Type
	p   uintptr
	len int
}

var encoders = sync.Pool{New: func() any { return new(encoder) }}

// encodeValue appends the encoding of v, of at most limit bytes. v can be addressed.
func encodeValue(dst []byte, v reflect.Value, limit int64) (out []byte, err error) {
	defer recovered(&err, v.Type())
	e := encoders.Get().(*encoder)
	*e = encoder{b: dst, start: int64(len(dst)), limit: limit}
	codecOf(v.Type()).encode(e, v)
	out, failed := e.b, e.err
	*e = encoder{}
	encoders.Put(e)
	if failed != nil {
		failed.Type = v.Type()
		return dst, failed
	}
	return out, nil
}

// check returns the error of encodeValue, but for one about the length.
func check(v reflect.Value) (err error) {
	c := codecOf(v.Type())
	if !c.risky {
		return nil
	}
	defer recovered(&err, v.Type())
	e := encoders.Get().(*encoder)
	e.dry = true
	c.encode(e, v)
	failed, scratch := e.err, e.b[:0]
	if cap(scratch) > 1<<16 {
		scratch = nil
	}
	*e = encoder{b: scratch}
	encoders.Put(e)
	if failed != nil {
		failed.Type = v.Type()
		return failed
	}
	return nil
}

// recovered turns a panic into an error. Defer it.
func recovered(err *error, t reflect.Type) {
	if p := recover(); p != nil {
		*err = &ValueError{Type: t, Reason: fmt.Sprint("panic: ", p)}
	}
}

func (e *encoder) fail(reason string) { e.err = &ValueError{Reason: reason} }

// failed reports an error in a part of a value, and adds where it is.
func (e *encoder) failed(step func() string) bool {
	switch {
	case e.err != nil:
	case e.dry:
		e.b = e.b[:0]
		return false
	case e.has(0):
		return false
	}
	e.err.Path = step() + e.err.Path
	return true
}

// enter opens a list, a map or a struct of n parts, unless there is nothing to do in
// it: it is empty, or too deep, or dry and not risky. The caller closes it.
func (e *encoder) enter(n int, risky bool) bool {
	if n == 0 || e.dry && !risky {
		return false
	}
	if e.depth == maxNesting {
		e.fail(fmt.Sprintf("nested deeper than %d levels, or in a cycle", maxNesting))
		return false
	}
	if !e.dry && !e.has(n) { // each part takes a byte
		return false
	}
	e.depth++
	return true
}

// has fails if n bytes more than there are are over the limit.
func (e *encoder) has(n int) bool {
	if int64(len(e.b))-e.start+int64(n) <= e.limit {
		return true
	}
	e.fail(fmt.Sprintf("it takes more than the %d bytes that a message can have", e.limit))
	return false
}

// again reports whether a dry encoder met v before, with as many levels above it. A
// value of few parts that occur many times would take for ever otherwise. For others it
// is not worth the memory.
func (e *encoder) again(v reflect.Value) bool {
	if !e.dry {
		return false
	}
	if e.visits++; e.visits < 1<<20 {
		return false
	}
	at := place{t: v.Type(), p: v.Pointer()}
	if v.Kind() == reflect.Slice {
		at.len = v.Len()
	}
	if depth, ok := e.met[at]; ok && depth >= e.depth {
		return true
	}
	if e.met == nil {
		e.met = make(map[place]int)
	}
	e.met[at] = e.depth
	return false
}

func (e *encoder) null() { e.b = append(e.b, 0xc0) }

func (e *encoder) bool(v bool) {
	if v {
		e.b = append(e.b, 0xc3)
	} else {
		e.b = append(e.b, 0xc2)
	}
}

func (e *encoder) float32(v float32) {
	e.b = binary.BigEndian.AppendUint32(append(e.b, 0xca), math.Float32bits(v))
}

func encodeBool(e *encoder, v reflect.Value)    { e.bool(v.Bool()) }
func encodeInt(e *encoder, v reflect.Value)     { e.b = appendInt(e.b, v.Int()) }
func encodeUint(e *encoder, v reflect.Value)    { e.b = appendUint(e.b, v.Uint()) }
func encodeFloat64(e *encoder, v reflect.Value) { e.b = appendFloat(e.b, v.Float()) }
func encodeString(e *encoder, v reflect.Value)  { e.b = appendString(e.b, v.String()) }

// encodeFloat32 keeps a NaN away from float64, on the way through which its bits may
// change.
func encodeFloat32(e *encoder, v reflect.Value) {
	if f := v.Float(); f == f {
		e.float32(float32(f))
	} else {
		e.float32(v.Convert(reflect.TypeFor[float32]()).Interface().(float32))
	}
}

// list makes c the codec of a slice or an array.
func (b builder) list(c *codec) {
	if c.typ.Elem().Kind() == reflect.Uint8 {
		c.encode, c.decode = encodeBytes, decodeBytes
		if c.typ.Kind() == reflect.Array {
			c.decode = decodeByteArray
		}
		return
	}
	elem := b.codec(c.typ.Elem())
	c.parts = []part{{"", elem}}
	c.decode = decodeSliceOf(elem)
	if c.typ.Kind() == reflect.Array {
		c.decode = decodeArrayOf(elem)
	}
	isSlice := c.typ.Kind() == reflect.Slice
	c.encode = func(e *encoder, v reflect.Value) {
		if isSlice && v.IsNil() {
			e.null()
			return
		}
		n := v.Len()
		e.b = appendHeader(e.b, n, 0x90, 15, 0xdc, 0xdd)
		if isSlice && e.again(v) || !e.enter(n, elem.risky) {
			return
		}
		for i := range n {
			elem.encode(e, v.Index(i))
			if e.failed(func() string { return "[" + strconv.Itoa(i) + "]" }) {
				return
			}
		}
		e.depth--
	}
}

// encodeBytes encodes a slice or an array of bytes.
func encodeBytes(e *encoder, v reflect.Value) {
	if v.Kind() == reflect.Slice && v.IsNil() {
		e.null()
		return
	}
	e.b = appendBytes(e.b, addressable(v).Bytes())
}

// addressable returns v, or a copy of it that can be addressed.
func addressable(v reflect.Value) reflect.Value {
	if v.CanAddr() {
		return v
	}
	x := reflect.New(v.Type()).Elem()
	x.Set(v)
	return x
}

// mapping makes c the codec of a map.
func (b builder) mapping(c *codec) {
	key, elem := b.codec(c.typ.Key()), b.codec(c.typ.Elem())
	c.parts = []part{{" key", key}, {" element", elem}}
	if key.reaches(func(p *codec) bool {
		return p.form == noForm && (p.typ.Kind() == reflect.Pointer || p.typ.Kind() == reflect.Interface)
	}) {
		c.refuse("map keys of type " + c.typ.Key().String() + " would arrive as other keys, since it has pointers or interfaces in it")
		return
	}
	c.decode = decodeMapOf(key, elem)
	c.encode = func(e *encoder, v reflect.Value) {
		if v.IsNil() {
			e.null()
			return
		}
		e.b = appendHeader(e.b, v.Len(), 0x80, 15, 0xde, 0xdf)
		if e.again(v) || !e.enter(2*v.Len(), key.risky || elem.risky) {
			return
		}
		k, x := reflect.New(c.typ.Key()).Elem(), reflect.New(c.typ.Elem()).Elem()
		for i := v.MapRange(); i.Next(); {
			k.SetIterKey(i)
			key.encode(e, k)
			if e.failed(func() string { return " key " + brief(k) }) {
				return
			}
			x.SetIterValue(i)
			elem.encode(e, x)
			if e.failed(func() string { return "[" + brief(k) + "]" }) {
				return
			}
		}
		e.depth--
	}
}

// brief returns a map key for an error.
func brief(k reflect.Value) string {
	s := fmt.Sprintf("%v", k)
	if k.Kind() == reflect.String {
		s = strconv.Quote(s)
	}
	if len(s) > 40 {
		s = s[:37] + "..."
	}
	return s
}

// pointer makes c the codec of a pointer. A pointer travels as what it points to, so
// one to nil would arrive as a nil pointer.
func (b builder) pointer(c *codec) {
	seen := make(map[reflect.Type]bool)
	for t := c.typ; t.Kind() == reflect.Pointer; t = t.Elem() {
		if seen[t] {
			c.refuse("a type of pointers to pointers without end cannot be sent to another process")
			return
		}
		seen[t] = true
	}
	elem := b.codec(c.typ.Elem())
	c.parts = []part{{"", elem}}
	c.decode = decodePointerTo(elem)
	toNil := "a pointer to a nil " + elem.typ.String() + " would arrive as a nil pointer"
	c.encode = func(e *encoder, v reflect.Value) {
		if v.IsNil() {
			e.null()
			return
		}
		if e.dry && !elem.risky && !elem.nilable() || e.again(v) {
			return
		}
		x, at := v.Elem(), len(e.b)
		if elem.form == noForm && elem.nilable() && x.IsNil() {
			e.fail(toNil)
			return
		}
		elem.encode(e, x)
		if elem.form != noForm && e.err == nil && len(e.b) == at+1 && e.b[at] == 0xc0 {
			e.fail(toNil)
		}
	}
}
