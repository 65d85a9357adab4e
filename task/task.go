// Package task defines what can be computed. A task is defined once, at package
// level, and runs unchanged in a goroutine, serially, or in a worker process, which
// finds it by its name.
//
//	var Double = task.Define("double", func(ctx context.Context, n int) (int, error) {
//		return 2 * n, nil
//	})
//
// A task maps an input to an output ([Define]), or an interval of indices to a partial
// result, and these can be added up ([DefineSum]). A worker process calls its function
// many times, one call at a time; goroutines of a pool call it at the same time. The
// result must not depend on earlier calls: after a crash another worker does the
// same work again.
//
// Package pool re-exports what programs need of this package.
//
// task.go has what users call, call.go runs a task's function, spec.go has the view
// without types and the registry, and fold.go adds up partials.
package task

import (
	"context"
	"reflect"
	"sync"
	"sync/atomic"

	"procpool/ipc"
)

// A Task maps In to Out. [Define] creates it. Pools refuse the zero value.
type Task[In, Out any] struct {
	spec *Spec
	run  func(context.Context, In) (Out, error)
}

// A SumTask maps an interval to a partial result of type P, and adds partials up.
// [DefineSum] creates it. Pools refuse the zero value.
type SumTask[P any] struct {
	spec *Spec
	run  func(context.Context, ipc.Interval) (P, error)
	add  func(P, P) P
}

// An Option is an option of [Define] and [DefineSum].
type Option func(*Spec)

// Grain makes pools cut intervals only at multiples of g, for tasks that work in
// blocks of indices. A g below 1 means 1, which is the default.
func Grain(g int64) Option { return func(s *Spec) { s.Grain = max(g, 1) } }

// Exact promises that partials can be added in any order and grouping with the same
// result, bit for bit, as is true of integers and exact accumulators.
func Exact() Option { return func(s *Spec) { s.Exact = true } }

// Version sets the version of the task. Change it whenever results change, so that
// a journal of another version is refused. The default is "1".
func Version(v string) Option { return func(s *Spec) { s.Version = v } }

// About describes the task for a list of tasks, in a line each: what it computes, and
// which part of the machine it stresses.
func About(computes, stresses string) Option {
	return func(s *Spec) { s.Computes, s.Stresses = computes, stresses }
}

// Causes says in a few words why the task may be slower on one side of a comparison:
// shared names what goroutines compete for ("one cache line for all threads"), repeated
// what each process does again ("each process builds its own table"). Package compare
// shows one of them if that side used more CPU time. Either may be empty.
func Causes(shared, repeated string) Option {
	return func(s *Spec) { s.Shared, s.Repeated = shared, repeated }
}

// Errors names errors that keep their identity on the way to the caller: if the task
// returns one of them, or an error that wraps one, errors.Is finds it in the caller's
// error. The list must be the same, in the same order, wherever the task is defined.
func Errors(sentinels ...error) Option {
	return func(s *Spec) { s.sentinels = append(s.sentinels, sentinels...) }
}

// Define defines a task. It must be called at package level (or in an init
// function), so that a worker process, which runs the same program, has it
// too. Names are global to the program. What is wrong with a definition is
// reported by the pool that is asked to run it.
//
// In and Out can be all types but channels, functions, uintptr, complex numbers,
// interfaces with methods, maps with pointers or interfaces in their keys, and structs
// with fields that are not exported, have the same name as another one, or are embedded
// pointers, unless the type encodes itself (msgpack, encoding.BinaryMarshaler or
// TextMarshaler, and the opposite). A value arrives as it was sent, or is refused in
// every backend alike: if it is nested deeper than 254 levels or in a cycle, has a
// pointer to a nil pointer, slice, map or interface, or holds in an interface what could
// not be told from other types. An any can hold nil, bool, string, []byte, []any,
// map[string]any and numbers. In another process these numbers are int64 (or uint64
// above its range) and float64, a pointer that was sent twice points to two values, and
// a time has its offset but not its zone's name. Within one process nothing is copied.
func Define[In, Out any](name string, run func(ctx context.Context, in In) (Out, error), opts ...Option) Task[In, Out] {
	t := Task[In, Out]{run: run}
	t.spec = newSpec(name, opts)
	t.spec.checkTypes = sync.OnceValue(func() error { return checkTypes(reflect.TypeFor[In](), reflect.TypeFor[Out]()) })
	t.spec.custom = sync.OnceValue(func() bool { return ipc.DecodesItself(reflect.TypeFor[Out]()) })
	t.spec.mustCheck = sync.OnceValue(func() bool { return ipc.MustCheck(reflect.TypeFor[Out]()) })
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

// DefineSum defines a task over intervals. The rules of [Define] apply. run computes
// the partial of an interval, which may be empty. add adds two partials; unless the
// task is [Exact], the left one is that of the lower interval. A sum without partials
// is the zero value of P.
func DefineSum[P any](name string, run func(ctx context.Context, iv ipc.Interval) (P, error), add func(P, P) P, opts ...Option) SumTask[P] {
	t := SumTask[P]{run: run, add: add}
	t.spec = newSpec(name, opts)
	t.spec.checkTypes = sync.OnceValue(func() error { return checkTypes(reflect.TypeFor[P]()) })
	t.spec.custom = sync.OnceValue(func() bool { return ipc.DecodesItself(reflect.TypeFor[P]()) })
	t.spec.mustCheck = sync.OnceValue(func() bool { return ipc.MustCheck(reflect.TypeFor[P]()) })
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
		*p = *new(P) // so that what it refers to can be freed
		last.Store(p)
		return dst, err
	}
	t.spec.newFold = func() Fold { return &fold[P]{sum: t} }
	register(t.spec, run != nil && add != nil)
	return t
}

// Spec returns the view of the task without its types.
func (t Task[In, Out]) Spec() *Spec { return t.spec }

// Spec returns the view of the task without its types.
func (t SumTask[P]) Spec() *Spec { return t.spec }

func checkTypes(types ...reflect.Type) error {
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
		return dst, unsent(err)
	}
	return out, nil
}

// unsent is the error of a result that cannot be sent.
func unsent(err error) *Error { return &Error{Text: "result: " + err.Error()} }
