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

// inputs has what runs a task over inputs, by the name of the task.
var inputs = map[string]func(context.Context, *pool.Pool, ipc.Interval) (func() (Value, error), error){}

// Inputs makes a task with inputs comparable: input(i) is its i-th input, from 0. It
// must return the same every time, in every process. Call Inputs where the task is
// defined, at package level, so that every process of the program has both:
//
//	var resize = pool.Define("resize", ...)
//	var _ = compare.Inputs(resize, func(i int64) Image { return samples[i%10] })
//
// An experiment then runs pool.Map over as many inputs as it needs, including what it
// costs to send them. Their outputs must agree to the bit between the backends, as they
// travel.
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

// digest is a value that differs when any output does.
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

// Comparable reports whether a task can be compared: it works on intervals, or [Inputs]
// has inputs for it.
func Comparable(name string) bool { return inputs[name] != nil }
