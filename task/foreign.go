package task

import (
	"context"
	"errors"
	"fmt"
	"math/big"

	"procpool/ipc"
)

// Foreign returns a sum that only workers of another program compute, see
// pool.Options.Worker. It is not registered, so it may be made at any time.
//
// Its partials are numbers. Integers are added exactly, however large they become; a
// str of digits is an integer too. Floats are added as 64-bit floats, in the order of
// their intervals unless about says exact, and an integer that meets a float becomes
// one. The value is an int64, a *big.Int where that is too small, or a float64.
func Foreign(name string, about ipc.About) *Spec {
	s := newSpec(name, []Option{Version(about.Version), Grain(about.Grain)})
	s.Exact = about.Exact
	s.checkTypes = func() error { return nil }
	s.runInterval = func(_ context.Context, _ ipc.Interval, dst []byte) ([]byte, error) {
		return dst, &Error{Text: notHere}
	}
	s.newFold = func() Fold { return &numberFold{} }
	return s
}

const notHere = "only workers of another program can compute this task"

// A number is an integer, or a float if there is none.
type number struct {
	integer *big.Int
	float   float64
}

func (n number) plus(m number) number {
	if n.integer != nil && m.integer != nil {
		return number{integer: new(big.Int).Add(n.integer, m.integer)}
	}
	return number{float: n.asFloat() + m.asFloat()}
}

func (n number) asFloat() float64 {
	if n.integer == nil {
		return n.float
	}
	f, _ := new(big.Float).SetInt(n.integer).Float64()
	return f
}

// value is n as a reader wants to see it.
func (n number) value() any {
	switch {
	case n.integer == nil:
		return n.float
	case n.integer.IsInt64():
		return n.integer.Int64()
	}
	return n.integer
}

func (n number) append(dst []byte) ([]byte, error) {
	v := n.value()
	if large, ok := v.(*big.Int); ok {
		v = large.String()
	}
	return ipc.AppendValue(dst, &v)
}

func decodeNumber(value []byte) (n number, err error) {
	const float32Tag = 0xca
	if len(value) > 0 && value[0] == float32Tag {
		return n, errors.New("value: a 32-bit float: it must have 64 bits")
	}
	var v any
	if err := ipc.DecodeValue(value, &v); err != nil {
		return n, err
	}
	switch v := v.(type) {
	case float64:
		return number{float: v}, nil
	case int64:
		return number{integer: big.NewInt(v)}, nil
	case uint64:
		return number{integer: new(big.Int).SetUint64(v)}, nil
	case string:
		if integer, ok := new(big.Int).SetString(v, 10); ok {
			return number{integer: integer}, nil
		}
	}
	return n, fmt.Errorf("value: %.40q is no number", fmt.Sprint(v))
}

// A numberFold adds up numbers.
type numberFold struct {
	total number
	begun bool // total has a partial
}

func (f *numberFold) NewPartial() Partial { return &numberPartial{} }

func (f *numberFold) Add(p Partial) { f.add(p.(*numberPartial).number) }

func (f *numberFold) add(n number) {
	if f.begun {
		n = f.total.plus(n)
	}
	f.total, f.begun = n, true
}

func (f *numberFold) AddEncoded(value []byte) error {
	n, err := decodeNumber(value)
	if err == nil {
		f.add(n)
	}
	return err
}

func (f *numberFold) AppendTotal(dst []byte) ([]byte, error) { return f.total.append(dst) }

func (f *numberFold) Value() any { return f.total.value() }

func (f *numberFold) Total() any { return f.total.value() }

// A numberPartial is room for one interval's number.
type numberPartial struct{ number }

func (p *numberPartial) Decode(value []byte) (err error) {
	p.number, err = decodeNumber(value)
	return err
}

func (p *numberPartial) Compute(context.Context, ipc.Interval) error { return &Error{Text: notHere} }

func (p *numberPartial) Append(dst []byte) ([]byte, error) { return p.append(dst) }

func (p *numberPartial) Value() any { return p.value() }

func (p *numberPartial) Total() any { return p.value() }
