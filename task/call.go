package task

import (
	"context"
	"fmt"
	"runtime/debug"

	"procpool/internal/role"
	"procpool/ipc"
)

// An Error is the error of a task, as text. In every backend it replaces the error
// that the task returned, because only text can cross from one process to another.
type Error struct {
	Text  string
	Stack string // stack trace if the task panicked, otherwise ""
}

func (e *Error) Error() string { return e.Text }

// Call runs the task's function in this process. An error that the function returns
// becomes an *[Error], unless it is ctx.Err(). So does a panic, with its stack.
func (t Task[In, Out]) Call(ctx context.Context, in In) (out Out, err error) {
	defer recovered(&err)
	out, err = t.run(ctx, in)
	if err != nil {
		err = asText(ctx, err)
	}
	return out, err
}

// Call runs the task's function in this process. Errors are those of Task.Call.
func (t SumTask[P]) Call(ctx context.Context, iv ipc.Interval) (p P, err error) {
	defer recovered(&err)
	p, err = t.run(ctx, iv)
	if err != nil {
		err = asText(ctx, err)
	}
	return p, err
}

// Add adds two partials. Unless the task is [Exact], a is that of the lower interval.
func (t SumTask[P]) Add(a, b P) P { return t.add(a, b) }

// recovered turns a panic into an *Error. Defer it.
func recovered(err *error) {
	if p := recover(); p != nil {
		*err = &Error{Text: fmt.Sprintf("panic: %v", p), Stack: string(debug.Stack())}
	}
}

// asText replaces an error of a task by an *Error.
func asText(ctx context.Context, err error) error {
	if _, ok := err.(*Error); ok || err == ctx.Err() {
		return err
	}
	return &Error{Text: err.Error()}
}

// Worker returns the index of the worker that runs the task with this ctx, from 0 to
// the size of the pool minus 1. A worker that replaces another one has its index.
// Outside of a pool Worker returns 0.
func Worker(ctx context.Context) int { return role.Index(ctx) }

// OnExit registers f to run when this worker process ends in good order, after its
// last request. It does not run if the process is killed, or in a backend without
// worker processes. The functions run in reverse order of registration. A task that
// opens something once should use a [sync.OnceValue] and register the closing there;
// see the example.
func OnExit(f func()) { role.OnExit(f) }
