package task

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"

	"procpool/internal/role"
	"procpool/ipc"
)

// An Error is what a task returned or panicked with, in every backend alike: text
// and stack, and which of the errors that [Errors] names it is, since nothing else
// can cross from one process to another.
type Error struct {
	Text  string
	Stack string // of a panic; else empty

	is []error
}

func (e *Error) Error() string { return e.Text }

// Unwrap gives the errors that the task names by [Errors] and that this one is.
func (e *Error) Unwrap() []error { return e.is }

// Failure is an error of the task as it came from a worker: is are the places of
// the errors that it is among those that the task names.
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

// Call runs the task's function here, in this process, under the rules of
// Task.Call.
func (t SumTask[P]) Call(ctx context.Context, iv ipc.Interval) (p P, err error) {
	defer recovered(&err)
	p, err = t.run(ctx, iv)
	if err != nil {
		err = t.spec.plain(ctx, err)
	}
	return p, err
}

// Add adds two partials, a being of the lower interval.
func (t SumTask[P]) Add(a, b P) P { return t.add(a, b) }

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

// Worker is the stable index of the worker that runs this, from 0 to the
// pool's size less one. A replaced worker's successor has its index. It is 0
// outside a pool.
func Worker(ctx context.Context) int { return role.CallOf(ctx).Worker }

// Index is the place of the input that this call is for in its sequence, or of the
// chunk in its sum, from 0. It is 0 outside a pool.
func Index(ctx context.Context) int64 { return role.CallOf(ctx).Index }

// Attempt is how many workers met this input before and were lost to it, or ran
// out of time: 0 the first time.
func Attempt(ctx context.Context) int { return role.CallOf(ctx).Attempt }

// OnExit registers a teardown for this worker process: f runs once, after its
// last request, on the orderly way out only: a worker that is killed runs
// nothing. Hooks run last in, first out. In backends without worker processes
// they do not run. What a task opens once is best opened by a [sync.OnceValue],
// which registers the closing; see the example.
func OnExit(f func()) { role.OnExit(f) }
