package task

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"

	"procpool/internal/role"
	"procpool/ipc"
)

// An Error is the error or panic of a task, the same in every backend. It has the text,
// the stack, and which of the errors that [Errors] names it is: nothing else can be sent
// from one process to another.
type Error struct {
	Text  string
	Stack string // of a panic; else empty

	is []error
}

func (e *Error) Error() string { return e.Text }

// Unwrap returns those errors named by [Errors] that this one is.
func (e *Error) Unwrap() []error { return e.is }

// Failure returns the error of a task from what a worker sent: is lists the places, among
// the errors that the task names, of those that it is.
func (s *Spec) Failure(text, stack string, is []uint64) *Error {
	e := &Error{Text: text, Stack: stack}
	for _, i := range is {
		if i < uint64(len(s.sentinels)) {
			e.is = append(e.is, s.sentinels[i])
		}
	}
	return e
}

// Is lists the places of the errors that e is among those that the task names.
func (s *Spec) Is(e *Error) (places []uint64) {
	for i, sentinel := range s.sentinels {
		if errors.Is(e, sentinel) {
			places = append(places, uint64(i))
		}
	}
	return places
}

// Call runs the task's function here, in this process. A panic is an *[Error]
// with its stack, and so is every error but the context's own.
func (t Task[In, Out]) Call(ctx context.Context, in In) (out Out, err error) {
	defer recovered(&err)
	out, err = t.run(ctx, in)
	if err != nil {
		err = t.spec.plain(ctx, err)
	}
	return out, err
}

// Call runs the task's function in this process. Errors are those of Task.Call.
func (t SumTask[P]) Call(ctx context.Context, iv ipc.Interval) (p P, err error) {
	defer recovered(&err)
	p, err = t.run(ctx, iv)
	if err != nil {
		err = t.spec.plain(ctx, err)
	}
	return p, err
}

// Compute is Call for a backend that sends nothing: a result that a worker could not
// send is an error here too.
func (t Task[In, Out]) Compute(ctx context.Context, in In) (out Out, err error) {
	if out, err = t.Call(ctx, in); err == nil && t.spec.mustCheck() {
		if err := check(out); err != nil {
			return *new(Out), err
		}
	}
	return out, err
}

// check returns why a result cannot be sent. It takes a copy, so that results that
// need no check are not allocated for it.
func check[T any](v T) error {
	if err := ipc.CheckValue(&v); err != nil {
		return unsent(err)
	}
	return nil
}

// Add adds two partials. Unless the task is [Exact], a is that of the lower interval.
func (t SumTask[P]) Add(a, b P) P { return t.add(a, b) }

// recovered turns a panic into an *Error. Defer it.
func recovered(err *error) {
	if p := recover(); p != nil {
		*err = &Error{Text: fmt.Sprintf("panic: %v", p), Stack: string(debug.Stack())}
	}
}

// plain reduces a task's error to what can cross to another process.
func (s *Spec) plain(ctx context.Context, err error) error {
	if _, ok := err.(*Error); ok || err == ctx.Err() {
		return err
	}
	e := &Error{Text: err.Error()}
	for _, sentinel := range s.sentinels {
		if errors.Is(err, sentinel) {
			e.is = append(e.is, sentinel)
		}
	}
	return e
}

// Worker returns the index of the worker that runs this task, from 0 to the number of
// workers less one. A process that replaces a lost one keeps its index. Worker returns 0
// outside a pool.
func Worker(ctx context.Context) int { return role.CallOf(ctx).Worker }

// Index returns the place of the task's input in its sequence, or of its chunk in the
// sum, counted from 0. It returns 0 outside a pool.
func Index(ctx context.Context) int64 { return role.CallOf(ctx).Index }

// Attempt returns how many times this input was run before, in workers that it lost or in
// which its time ran out: 0 the first time.
func Attempt(ctx context.Context) int { return role.CallOf(ctx).Attempt }

// OnStart registers f to run once in each worker process before it takes work: to load a
// model, or to open a connection. f must return within the pool's StartupTimeout. If it
// returns an error, the worker cannot be started. The functions run in the order of
// registration, and not at all in backends without worker processes.
func OnStart(f func(ctx context.Context) error) { role.OnStart(f) }

// OnExit registers f to run when this worker process ends in good order, after its
// last request. It does not run if the process is killed, or in a backend without
// worker processes. The functions run in reverse order of registration. A task that
// opens something once should use a [sync.OnceValue] and register the closing there;
// see the example.
func OnExit(f func()) { role.OnExit(f) }
