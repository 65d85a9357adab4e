package compare

import (
	"context"
	"encoding/hex"
	"fmt"
	"hash"
	"hash/fnv"
	"iter"

	"procpool/ipc"
	"procpool/pool"
)

// inputs holds the functions that run a task over its inputs, by the task's name.
var inputs = map[string]func(context.Context, *pool.Pool, ipc.Interval) (func() (Value, error), error){}

// Inputs makes a task with inputs comparable: input(i) is its i-th input, from 0. It
// must return the same every time, in every process. Call Inputs where the task is
// defined, at package level, so that every process of the program has both:
//
//	var resize = pool.Define("resize", ...)
//	var _ = compare.Inputs(resize, func(i int64) Image { return samples[i%10] })
//
// An experiment then runs pool.Map over as many inputs as it needs; the time includes
// sending them. Outputs of all backends must agree to the bit in wire encoding.
func Inputs[In, Out any](t pool.Task[In, Out], input func(i int64) In) Subject {
	subject := SubjectOf(t.Spec())
	inputs[subject.Name] = func(ctx context.Context, p *pool.Pool, iv ipc.Interval) (func() (Value, error), error) {
		outs, err := pool.Collect(pool.Map(ctx, p, t, each(iv, input)))
		return func() (Value, error) { return digest(outs) }, err
	}
	return subject
}

func each[In any](iv ipc.Interval, input func(int64) In) iter.Seq[In] {
	return func(yield func(In) bool) {
		for i := iv.Start; i < iv.End && yield(input(i)); i++ {
		}
	}
}

// digest returns a value that differs when any output differs.
func digest[Out any](outs []Out) (Value, error) {
	sum := fnv.New128a()
	var buffer []byte
	for i := range outs {
		var err error
		if buffer, err = ipc.AppendValue(buffer[:0], &outs[i]); err != nil {
			return Value{}, err
		}
		sum.Write(buffer)
	}
	return digestValue(fmt.Sprintf("%d outputs", len(outs)), sum), nil
}

func digestValue(of string, sum hash.Hash) Value {
	bits := hex.EncodeToString(sum.Sum(nil))
	return Value{of + ", digest " + bits[:8], bits}
}

// Comparable reports whether [Inputs] has inputs for the task of that name. Tasks over
// intervals need none.
func Comparable(name string) bool { return inputs[name] != nil }
