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

// About describes the task for a list of tasks: what it computes and what it
// stresses, a line each.
func About(computes, stresses string) TaskOption { return task.About(computes, stresses) }

// Causes says in a few words why the task might be slower on one side: shared is what
// goroutines compete for, repeated is what each process does again. A comparison shows
// one of them where the CPU time of that side bears it out. Either may be empty.
func Causes(shared, repeated string) TaskOption { return task.Causes(shared, repeated) }

// Worker returns the stable index of the worker that runs this, from 0 to the
// pool's size less one. A worker that replaces a lost one has its index. It is 0
// outside a pool.
func Worker(ctx context.Context) int { return task.Worker(ctx) }

// Index returns the place of the input that a task was called for in its sequence,
// or of the chunk in its sum, from 0. It is 0 outside a pool.
func Index(ctx context.Context) int64 { return task.Index(ctx) }

// Attempt returns how many workers met this input before and were lost to it, or ran
// out of time: 0 the first time.
func Attempt(ctx context.Context) int { return task.Attempt(ctx) }

// Errors names errors whose identity crosses to the caller: where the task returns
// one of them, or an error that wraps one, errors.Is finds it in what the caller
// gets. They must be the same, in the same order, wherever the task is defined.
func Errors(sentinels ...error) TaskOption { return task.Errors(sentinels...) }

// OnStart registers f to run once in each worker process, before the process says
// hello and takes work: to load a model, or to open a connection. Call it where tasks
// are defined. Its time is that of Options.StartupTimeout, and its error is a reason
// why the worker cannot be started: a [StartError] of the pool. The functions run in
// order of registration. They do not run in a backend without worker processes.
func OnStart(f func(ctx context.Context) error) { task.OnStart(f) }

// OnExit registers a teardown for this worker process: f runs once, after its
// last request, on the orderly way out only; a worker that is killed runs
// nothing. Hooks run last in, first out. In backends without worker processes
// they do not run. What a task opens once is best opened by a [sync.OnceValue],
// which registers the closing; see the example.
func OnExit(f func()) { task.OnExit(f) }
