package task

import (
	"context"

	"procpool/ipc"
)

// A Valuer is a partial that is read as another number than it is kept, such as
// an exact accumulator: Value is the number for a reader of the result.
type Valuer interface{ Value() float64 }

// A Fold adds up the partials of one sum, in the order in which Add is called. It
// is for one goroutine at a time.
type Fold interface {
	// NewPartial makes room for a partial of this sum.
	NewPartial() Partial
	// Add adds a partial, which must come from NewPartial, to the total.
	Add(Partial)
	// AddEncoded adds a partial that was kept in its encoding.
	AddEncoded(value []byte) error
	// AppendTotal appends the encoded total to dst.
	AppendTotal(dst []byte) ([]byte, error)
	// Value returns the total for printing: the result of its method Value if it is a
	// Valuer, otherwise the total itself.
	Value() any
	// Total returns the total, which has the type of the task's partials.
	Total() any
}

// A Partial is room for one interval's partial. It can be used again once it has
// been added.
type Partial interface {
	// Decode reads a partial from the wire.
	Decode(value []byte) error
	// Compute runs the task here.
	Compute(ctx context.Context, iv ipc.Interval) error
	// Append appends the partial's encoding to dst.
	Append(dst []byte) ([]byte, error)
	// Value is the partial as a reader wants to see it.
	Value() any
	// Total returns the partial itself.
	Total() any
}

type fold[P any] struct {
	sum   SumTask[P]
	total P
	begun bool // whether total has a partial
}

func (f *fold[P]) NewPartial() Partial { return &partial[P]{sum: f.sum} }

func (f *fold[P]) Add(p Partial) { f.add(p.(*partial[P]).value) }

func (f *fold[P]) add(p P) {
	if !f.begun {
		f.total, f.begun = p, true
		return
	}
	f.total = f.sum.Add(f.total, p)
}

func (f *fold[P]) AddEncoded(value []byte) error {
	var p P
	if err := ipc.DecodeValue(value, &p); err != nil {
		return err
	}
	f.add(p)
	return nil
}

func (f *fold[P]) AppendTotal(dst []byte) ([]byte, error) { return ipc.AppendValue(dst, &f.total) }

func (f *fold[P]) Value() any { return valueOf(f.total) }

func (f *fold[P]) Total() any { return f.total }

type partial[P any] struct {
	sum   SumTask[P]
	value P
}

func (p *partial[P]) Decode(value []byte) error { return ipc.DecodeValue(value, &p.value) }

func (p *partial[P]) Compute(ctx context.Context, iv ipc.Interval) (err error) {
	p.value, err = p.sum.Call(ctx, iv)
	if err == nil && p.sum.spec.mustCheck() {
		err = check(p.value)
	}
	return err
}

func (p *partial[P]) Append(dst []byte) ([]byte, error) { return ipc.AppendValue(dst, &p.value) }

func (p *partial[P]) Total() any { return p.value }

func (p *partial[P]) Value() any { return valueOf(p.value) }

func valueOf[P any](p P) any {
	if v, ok := any(p).(Valuer); ok {
		return v.Value()
	}
	if v, ok := any(&p).(Valuer); ok {
		return v.Value()
	}
	return p
}
