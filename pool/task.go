package pool

import (
	"context"

	"procpool/child"
	"procpool/ipc"
	"procpool/task"
)

// Main must be the first statement of main, and of TestMain in packages whose
// tests use worker processes. In a worker process it does the work and never
// returns; anywhere else it returns at once. aliases are further first
// arguments, each standing alone, that make the process a worker.
func Main(aliases ...string) { child.Main(aliases...) }

// A Task maps In to Out. It is made by [Define]; the zero value cannot be used.
type Task[In, Out any] = task.Task[In, Out]

// A SumTask maps an interval to a partial result of type P, and adds partials
// up. It is made by [DefineSum]; the zero value cannot be used.
type SumTask[P any] = task.SumTask[P]

// A TaskOption says more about a task.
type TaskOption = task.Option

// An Interval is a range of indices, half-open: [Start, End), 0 <= Start <= End <= 2^62.
type Interval = ipc.Interval

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
func Define[In, Out any](name string, run func(ctx context.Context, in In) (Out, error), opts ...TaskOption) Task[In, Out] {
	return task.Define(name, run, opts...)
}

// DefineSum defines a task over intervals, under the rules of [Define]. run
// computes the partial of one interval; add combines two, the left one being
// of the lower interval unless the task is [Exact]. Both may be called on an
// empty interval's partial, and the sum over nothing is P's zero value.
func DefineSum[P any](name string, run func(ctx context.Context, iv Interval) (P, error), add func(P, P) P, opts ...TaskOption) SumTask[P] {
	return task.DefineSum(name, run, add, opts...)
}

// Grain makes cuts fall only on multiples of g indices, counted from index 0:
// for tasks whose function works in blocks. g below 1 means 1, the default.
func Grain(g int64) TaskOption { return task.Grain(g) }

// Exact promises that partials can be added in any order and grouping with the
// same result, bit for bit: integers, or an exact accumulator.
func Exact() TaskOption { return task.Exact() }

// Version names what the function computes: change it whenever results change,
// so that a journal written by another version is refused. The default is "1".
func Version(v string) TaskOption { return task.Version(v) }

// About describes the task for a list of tasks: what it computes and what it stresses,
// one line each.
func About(computes, stresses string) TaskOption { return task.About(computes, stresses) }

// Causes says in a few words why the task may be slower on one side of a comparison:
// shared names what goroutines compete for, repeated what each process does again. The
// comparison shows one of them if that side used more CPU time. Either may be empty.
func Causes(shared, repeated string) TaskOption { return task.Causes(shared, repeated) }

// Worker returns the index of the worker that runs this task, from 0 to the number of
// workers less one. A process that replaces a lost one keeps its index. Worker returns 0
// outside a pool.
func Worker(ctx context.Context) int { return task.Worker(ctx) }

// Index returns the place of the task's input in its sequence, or of its chunk in the
// sum, counted from 0. It returns 0 outside a pool.
func Index(ctx context.Context) int64 { return task.Index(ctx) }

// Attempt returns how many times this input was run before, in workers that it lost or in
// which its time ran out: 0 the first time.
func Attempt(ctx context.Context) int { return task.Attempt(ctx) }

// Errors names errors that keep their identity on the way to the caller: if the task
// returns one of them, or an error that wraps one, errors.Is finds it in the caller's
// error. The list must be the same, in the same order, wherever the task is defined.
func Errors(sentinels ...error) TaskOption { return task.Errors(sentinels...) }

// OnStart registers f to run once in each worker process before it takes work: to load a
// model, or to open a connection. Call OnStart where tasks are defined. f must return
// within Options.StartupTimeout. If it returns an error, the worker cannot be started,
// and calls fail with a [StartError]. The functions run in the order of registration, and
// not at all in backends without worker processes.
func OnStart(f func(ctx context.Context) error) { task.OnStart(f) }

// OnExit registers f to run once in this worker process, after its last request, when the
// worker ends in order. A worker that is killed runs nothing. Functions run last in,
// first out. They do not run in backends without worker processes. Open what a task opens
// once in a [sync.OnceValue] that also registers its closing; see the example.
func OnExit(f func()) { task.OnExit(f) }
