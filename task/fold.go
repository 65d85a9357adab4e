package task

import (
	"context"

	"procpool/ipc"
)

// A Valuer is a partial whose value is another number than its
// representation, such as an exact accumulator: Value is what a reader of the
// result wants to see.
type Valuer interface{ Value() float64 }

// A Fold adds up the partials of one sum. Partials arrive in numbered cells,
// each owned by whoever computes its chunk, and leave them in the order in
// which Add is called. Cells may be filled concurrently; everything else is
// for one goroutine at a time.
type Fold interface {
	// Decode fills a cell with a partial from the wire.
	Decode(cell int, value []byte) error
	// Compute fills a cell by running the task here.
	Compute(ctx context.Context, cell int, iv ipc.Interval) error
	// Append appends the encoding of a cell's partial to dst.
	Append(dst []byte, cell int) ([]byte, error)
	// CellValue is a cell's partial as a reader wants to see it.
	CellValue(cell int) any
	// Add adds a cell's partial to the total.
	Add(cell int)
	// AddEncoded adds a partial that was kept in its encoding.
	AddEncoded(value []byte) error
	// AppendTotal appends the encoding of the total to dst.
	AppendTotal(dst []byte) ([]byte, error)
	// Value is the total as a reader wants to see it: its Value if it is a
	// Valuer, else itself.
	Value() any
	// Total is the total itself, of the task's partial type.
	Total() any
}

type fold[P any] struct {
	sum   SumTask[P]
	cells []P
	total P
	begun bool // total is a partial, not yet the zero value
}

func (f *fold[P]) Decode(cell int, value []byte) error { return ipc.DecodeValue(value, &f.cells[cell]) }

func (f *fold[P]) Compute(ctx context.Context, cell int, iv ipc.Interval) (err error) {
	f.cells[cell], err = f.sum.Call(ctx, iv)
	return err
}

func (f *fold[P]) Append(dst []byte, cell int) ([]byte, error) {
	return ipc.AppendValue(dst, &f.cells[cell])
}

func (f *fold[P]) CellValue(cell int) any { return valueOf(f.cells[cell]) }

func (f *fold[P]) Add(cell int) { f.add(f.cells[cell]) }

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

func valueOf[P any](p P) any {
	if v, ok := any(p).(Valuer); ok {
		return v.Value()
	}
	if v, ok := any(&p).(Valuer); ok {
		return v.Value()
	}
	return p
}
