// Package samples makes random Go types and values of them, for tests of what
// arrives in another process. It knows, by rules of its own, which of them must be
// refused (refused.go), and when a value that arrived is the one that was sent (same.go).
package samples

import (
	"errors"
	"fmt"
	"math/big"
	"net/netip"
	"reflect"
	"strconv"
	"time"

	"github.com/vmihailenco/msgpack/v5"
)

// Types with names. Some encode themselves, in each way that there is.
type (
	Celsius float64
	Half    float32
	Small   int8
	Flags   uint16
	Name    string
	Letter  byte
	Raw     []byte
	Letters []Letter
	Vector  []float64
	Sparse  map[int16]Celsius
	Ref     *Point

	Point  struct{ X, Y int }
	Tagged struct {
		A int64   `msgpack:"a"`
		B float64 `msgpack:"b,omitempty"`
		C []int   `msgpack:",omitempty"`
		D Point   `msgpack:"Z,alias:Old,omitempty"`
		_ [4]byte
	}
	Listed struct {
		//lint:ignore U1000 its tag says that the struct is an array
		_msgpack struct{} `msgpack:",as_array"`
		A        string
		B        *Point
	}
	inner struct{ N int8 }
	Outer struct {
		inner
		Point `msgpack:",noinline"`
		X     float32
	}
	Node struct {
		V    int
		Next *Node
	}
	Tree struct {
		Kids map[string]*Tree
		Any  any
	}
	Nest []Nest

	Bin  struct{ s string }   // AppendBinary
	Bins struct{ b []byte }   // MarshalBinary and its opposite, by pointers
	Text struct{ n int }      // MarshalText
	Word string               // MarshalText, and a map key
	Said struct{ v []string } // MarshalMsgpack
	Opt  struct{ v *int }     // EncodeMsgpack, which may write nil
	Show int                  // MarshalText without its opposite
	Odd  struct{ N int }      // MarshalBinary, which fails below zero and panics at 99
	Log  struct {
		time.Time
		N int
	} // has the methods of one field
	Date struct{ time.Time } // and no other one
)

func (b Bin) AppendBinary(dst []byte) ([]byte, error) { return append(dst, b.s...), nil }
func (b *Bin) UnmarshalBinary(p []byte) error         { b.s = string(p); return nil }
func (b *Bins) MarshalBinary() ([]byte, error)        { return b.b, nil }
func (b *Bins) UnmarshalBinary(p []byte) error        { b.b = append([]byte(nil), p...); return nil }
func (t Text) MarshalText() ([]byte, error)           { return strconv.AppendInt(nil, int64(t.n), 10), nil }
func (t *Text) UnmarshalText(p []byte) (err error)    { t.n, err = strconv.Atoi(string(p)); return err }
func (w Word) MarshalText() ([]byte, error)           { return []byte("word " + w), nil }
func (w *Word) UnmarshalText(p []byte) error          { *w = Word(p[len("word "):]); return nil }
func (s Said) MarshalMsgpack() ([]byte, error)        { return msgpack.Marshal(s.v) }
func (s *Said) UnmarshalMsgpack(p []byte) error       { return msgpack.Unmarshal(p, &s.v) }
func (s Show) MarshalText() ([]byte, error)           { return fmt.Appendf(nil, "about %d", s/10*10), nil }
func (o *Odd) UnmarshalBinary(p []byte) error         { o.N = int(p[0]); return nil }

func (o *Opt) EncodeMsgpack(e *msgpack.Encoder) error {
	if o.v == nil {
		return e.EncodeNil()
	}
	return e.EncodeInt(int64(*o.v))
}

func (o *Opt) DecodeMsgpack(d *msgpack.Decoder) error {
	v, err := d.DecodeInt()
	o.v = &v
	return err
}

func (o Odd) MarshalBinary() ([]byte, error) {
	switch {
	case o.N < 0:
		return nil, errOdd
	case o.N == 99:
		panic("ninety-nine")
	}
	return []byte{byte(o.N)}, nil
}

var errOdd = errors.New("below zero")

// named are types that random types are made of.
var named = []reflect.Type{
	reflect.TypeFor[Celsius](), reflect.TypeFor[Half](), reflect.TypeFor[Small](), reflect.TypeFor[Flags](), reflect.TypeFor[Name](),
	reflect.TypeFor[Raw](), reflect.TypeFor[Letters](), reflect.TypeFor[[3]Letter](), reflect.TypeFor[Vector](), reflect.TypeFor[Sparse](),
	reflect.TypeFor[Ref](), reflect.TypeFor[Point](), reflect.TypeFor[Tagged](), reflect.TypeFor[Listed](), reflect.TypeFor[Outer](),
	reflect.TypeFor[Node](), reflect.TypeFor[Tree](), reflect.TypeFor[Nest](), reflect.TypeFor[Bin](), reflect.TypeFor[Bins](),
	reflect.TypeFor[Text](), reflect.TypeFor[Word](), reflect.TypeFor[Said](), reflect.TypeFor[Opt](), reflect.TypeFor[Show](),
	reflect.TypeFor[Odd](), reflect.TypeFor[Log](), reflect.TypeFor[Date](),
	reflect.TypeFor[time.Time](), reflect.TypeFor[time.Duration](), reflect.TypeFor[big.Int](), reflect.TypeFor[*big.Rat](),
	reflect.TypeFor[big.Float](), reflect.TypeFor[*big.Float](), reflect.TypeFor[netip.Addr](),
}
