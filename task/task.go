// Package task says what can be computed: a task is defined once, at package
// level, and runs unchanged on a goroutine, serially, or in a worker process,
// which finds it by its name.
//
//	var Double = task.Define("double", func(ctx context.Context, n int) (int, error) {
//		return 2 * n, nil
//	})
//
// A task maps an input to an output ([Define]), or an interval of indices to a
// partial result that can be added up ([DefineSum]). Its function may be called
// many times in one process, never twice at once in a worker process, and must
// not depend on what it was called with before: after a crash the same work is
// done again by another worker.
//
// task.go has what users write, spec.go the type-erased view that workers and
// pools work with, call.go how a task's function is run.
package task

import (
	"context"
	"reflect"
	"sync"
	"sync/atomic"

	"procpool/ipc"
)

// A Task maps In to Out. It is made by [Define]; the zero value cannot be used.
type Task[In, Out any] struct {
	spec *Spec
	run  func(context.Context, In) (Out, error)
}

// A SumTask maps an interval to a partial result of type P, and adds partials up.
// It is made by [DefineSum]; the zero value cannot be used.
type SumTask[P any] struct {
	spec *Spec
	run  func(context.Context, ipc.Interval) (P, error)
	add  func(P, P) P
}

// An Option says more about a task.
type Option func(*Spec)

// Grain makes cuts fall only on multiples of g indices, counted from index 0:
// for tasks whose function works in blocks. g below 1 means 1, the default.
func Grain(g int64) Option { return func(s *Spec) { s.Grain = max(g, 1) } }

// Exact promises that partials can be added in any order and grouping with the
// same result, bit for bit: integers, or an exact accumulator.
func Exact() Option { return func(s *Spec) { s.Exact = true } }

// Version names what the function computes: change it whenever results change,
// so that a journal written by another version is refused. The default is "1".
func Version(v string) Option { return func(s *Spec) { s.Version = v } }

// About describes the task for a list of tasks: what it computes and what it
// stresses, a line each.
func About(computes, stresses string) Option {
	return func(s *Spec) { s.Computes, s.Stresses = computes, stresses }
}

// Define defines a task. It must be called at package level (or in an init
// function), so that a worker process, which runs the same program, has it
// too. Names are global to the program. What is wrong with a definition is
// reported by the pool that is asked to run it.
func Define[In, Out any](name string, run func(ctx context.Context, in In) (Out, error), opts ...Option) Task[In, Out] {
	t := Task[In, Out]{run: run}
	t.spec = newSpec(name, opts)
	t.spec.carries = sync.OnceValue(func() error { return carries(reflect.TypeFor[In](), reflect.TypeFor[Out]()) })
	t.spec.run = func(ctx context.Context, arg, dst []byte) ([]byte, error) {
		var in In
		if err := ipc.TakeValue(arg, &in); err != nil {
			return dst, &Error{Text: "input: " + err.Error()}
		}
		out, err := t.Call(ctx, in)
		if err != nil {
			return dst, err
		}
		return appendResult(dst, &out)
	}
	register(t.spec, run != nil)
	return t
}

// DefineSum defines a task over intervals, under the rules of [Define]. run
// computes the partial of one interval; add combines two, the left one being
// of the lower interval unless the task is [Exact]. Both may be called on an
// empty interval's partial, and the sum over nothing is P's zero value.
func DefineSum[P any](name string, run func(ctx context.Context, iv ipc.Interval) (P, error), add func(P, P) P, opts ...Option) SumTask[P] {
	t := SumTask[P]{run: run, add: add}
	t.spec = newSpec(name, opts)
	t.spec.carries = sync.OnceValue(func() error { return carries(reflect.TypeFor[P]()) })
	var last atomic.Pointer[P] // room for a partial, which would else be allocated for each chunk
	t.spec.runInterval = func(ctx context.Context, iv ipc.Interval, dst []byte) ([]byte, error) {
		p := last.Swap(nil)
		if p == nil {
			p = new(P)
		}
		var err error
		if *p, err = t.Call(ctx, iv); err == nil {
			dst, err = appendResult(dst, p)
		}
		*p = *new(P) // what it held is not kept
		last.Store(p)
		return dst, err
	}
	t.spec.newFold = func(cells int) Fold { return &fold[P]{sum: t, cells: make([]P, cells)} }
	register(t.spec, run != nil && add != nil)
	return t
}

// Spec is the task's type-erased view.
func (t Task[In, Out]) Spec() *Spec { return t.spec }

// Spec is the task's type-erased view.
func (t SumTask[P]) Spec() *Spec { return t.spec }

func carries(types ...reflect.Type) error {
	for _, t := range types {
		if err := ipc.CheckType(t); err != nil {
			return err
		}
	}
	return nil
}

func appendResult[T any](dst []byte, v *T) ([]byte, error) {
	out, err := ipc.AppendValue(dst, v)
	if err != nil {
		return dst, &Error{Text: "result: " + err.Error()}
	}
	return out, nil
}
