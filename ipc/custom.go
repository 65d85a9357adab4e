package ipc

import (
	"bytes"
	"encoding"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"time"

	"github.com/vmihailenco/msgpack/v5"
)

// gobber is what big.Float has. Its gob form keeps precision and rounding mode too.
type gobber interface {
	GobEncode() ([]byte, error)
	GobDecode([]byte) error
}

// encodeForm encodes a value by methods of its own.
func (c *codec) encodeForm(e *encoder, v reflect.Value) {
	if e.dry && c.form == numberForm {
		return
	}
	switch c.typ.Kind() {
	case reflect.Slice, reflect.Map, reflect.Func, reflect.Chan:
		if v.IsNil() {
			e.null()
			return
		}
	}
	at := len(e.b)
	b, err := c.appendForm(e.b, addressable(v).Addr().Interface())
	if err != nil {
		e.err = &ValueError{Reason: err.Error(), Err: err}
		return
	}
	e.b = b
	if c.form == msgpackForm {
		e.checkForm(at)
	}
}

// appendForm appends what a method makes of *v. Its panic is an error.
func (c *codec) appendForm(dst []byte, v any) (out []byte, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v", p)
		}
	}()
	switch c.form {
	case msgpackForm:
		return appendMsgpack(dst, v)
	case textForm, numberForm:
		b, err := v.(encoding.TextMarshaler).MarshalText()
		return appendBytes(dst, b), err
	case floatForm:
		b, err := v.(gobber).GobEncode()
		return appendBytes(dst, b), err
	}
	if v, ok := v.(encoding.BinaryAppender); ok {
		return appendBin(dst, v)
	}
	b, err := v.(encoding.BinaryMarshaler).MarshalBinary()
	return appendBytes(dst, b), err
}

func appendMsgpack(dst []byte, v any) ([]byte, error) {
	if v, ok := v.(msgpack.CustomEncoder); ok {
		w := sliceWriter{dst}
		enc := msgpack.GetEncoder()
		defer msgpack.PutEncoder(enc)
		enc.Reset(&w)
		enc.UseCompactInts(true)
		err := v.EncodeMsgpack(enc)
		return w.b, err
	}
	b, err := v.(msgpack.Marshaler).MarshalMsgpack()
	return append(dst, b...), err
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

// appendBin appends the binary form of v.
func appendBin(dst []byte, v encoding.BinaryAppender) ([]byte, error) {
	// Most values are short, so reserve one byte for the length first.
	at := len(dst)
	out, err := v.AppendBinary(append(dst, 0xc4, 0))
	if err != nil {
		return dst, err
	}
	n := len(out) - at - 2
	if n < 256 {
		out[at+1] = byte(n)
		return out, nil
	}
	var head [5]byte
	return slices.Replace(out, at, at+2, appendHeader(head[:0], n, 0, -1, 0xc5, 0xc6)...), nil
}

// checkForm checks what a method has written since at: it would break the message
// if it were not one value, or be nested too deep.
func (e *encoder) checkForm(at int) {
	c := cursor{b: e.b[at:]}
	c.skip(maxNesting - e.depth)
	if c.end(); c.bad != "" {
		e.fail("what its method wrote is no msgpack value that can be sent: " + c.bad)
	}
}

// skip reads a value of any type with at most so many levels of nesting.
func (c *cursor) skip(levels int) {
	_, _, values := c.next()
	if values > 0 && levels == 0 {
		c.fail("nested too deep")
	}
	for ; values > 0 && c.bad == ""; values-- {
		c.skip(levels - 1)
	}
}

// decodeForm decodes a value by methods of its own. A nil is the zero value of types
// that can be nil, or that may encode themselves as nil.
func (c *codec) decodeForm(d *decoder, v reflect.Value) {
	if c.nilable() && d.null() {
		return
	}
	var body []byte
	switch c.form {
	case msgpackForm, timeForm:
		body = d.raw()
	case textForm, numberForm:
		body = d.bytes()
	default:
		body = d.bin()
	}
	if d.bad != "" {
		return
	}
	if err := c.parseForm(body, v.Addr().Interface()); err != nil {
		d.fail(err.Error())
		d.cause = err
	}
}

// parseForm has a method of v read what one of its methods made. Its panic is an error.
func (c *codec) parseForm(body []byte, v any) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v", p)
		}
	}()
	switch c.form {
	case msgpackForm:
		return parseMsgpack(body, v)
	case textForm, numberForm:
		return v.(encoding.TextUnmarshaler).UnmarshalText(body)
	case floatForm:
		return v.(gobber).GobDecode(body)
	case timeForm:
		return parseTime(body, v.(*time.Time))
	}
	return v.(encoding.BinaryUnmarshaler).UnmarshalBinary(body)
}

func parseMsgpack(body []byte, v any) error {
	custom, ok := v.(msgpack.CustomDecoder)
	if !ok {
		return v.(msgpack.Unmarshaler).UnmarshalMsgpack(bytes.Clone(body)) // which may keep it
	}
	r := bytes.NewReader(body)
	dec := msgpack.GetDecoder()
	defer msgpack.PutDecoder(dec)
	dec.Reset(r)
	if err := custom.DecodeMsgpack(dec); err != nil {
		return err
	}
	if r.Len() > 0 {
		return errors.New("its method DecodeMsgpack leaves a part of the value unread")
	}
	return nil
}

// parseTime reads a time in its binary form, or as programs in other languages send
// it: as a msgpack timestamp, or as text.
func parseTime(body []byte, t *time.Time) (err error) {
	if c := (cursor{b: body}); c.atBin() {
		body := c.bin()
		if err := t.UnmarshalBinary(body); err != nil {
			return err
		}
		// UnmarshalBinary of Go 1.26 takes the seconds of an offset to the west, as
		// zones had before there were minutes, for 256 more than they are.
		if _, offset := t.Zone(); len(body) == 16 {
			if want := 60*int(int16(body[13])<<8|int16(body[14])) + int(int8(body[15])); offset != want {
				*t = t.In(time.FixedZone("", want))
			}
		}
		return nil
	}
	*t, err = msgpack.NewDecoder(bytes.NewReader(body)).DecodeTime()
	return err
}
