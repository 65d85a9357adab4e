package task

import (
	"context"

	"procpool/ipc"
)

// A Valuer is a partial that represents a number in a form of its own, such as an
// exact accumulator. Value returns the number, for printing.
type Valuer interface{ Value() float64 }

// A Fold adds up the partials of a sum. It has numbered cells that hold a partial
// each. Different goroutines may fill different cells at the same time; the other
// methods are for one goroutine at a time.
type Fold interface {
	// Decode decodes a partial into a cell.
	Decode(cell int, value []byte) error
	// Compute runs the task in this process and puts its partial into a cell.
	Compute(ctx context.Context, cell int, iv ipc.Interval) error
	// Append appends the encoded partial of a cell to dst.
	Append(dst []byte, cell int) ([]byte, error)
	// CellValue returns the partial of a cell for printing, as Value does.
	CellValue(cell int) any
	// Add adds the partial of a cell to the total. Unless the task is exact, call it
	// in the order of the intervals.
	Add(cell int)
	// AddEncoded adds an encoded partial to the total.
	AddEncoded(value []byte) error
	// AppendTotal appends the encoded total to dst.
	AppendTotal(dst []byte) ([]byte, error)
	// Value returns the total for printing: the result of its method Value if it is a
	// Valuer, otherwise the total itself.
	Value() any
	// Total returns the total, which has the type of the task's partials.
	Total() any
}

type fold[P any] struct {
	sum   SumTask[P]
	cells []P
	total P
	begun bool // whether total has a partial
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
