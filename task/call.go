package task

import (
	"context"
	"fmt"
	"runtime/debug"

	"procpool/internal/role"
	"procpool/ipc"
)

// An Error is what a task returned or panicked with: text and stack only, in
// every backend alike, since nothing else can cross from one process to another.
type Error struct {
	Text  string
	Stack string // of a panic; else empty
}

func (e *Error) Error() string { return e.Text }

// Call runs the task's function here, in this process. A panic is an *[Error]
// with its stack, and so is every error but the context's own.
func (t Task[In, Out]) Call(ctx context.Context, in In) (out Out, err error) {
	defer recovered(&err)
	out, err = t.run(ctx, in)
	if err != nil {
		err = plain(ctx, err)
	}
	return out, err
}

// Call runs the task's function here, in this process, under the rules of
// Task.Call.
func (t SumTask[P]) Call(ctx context.Context, iv ipc.Interval) (p P, err error) {
	defer recovered(&err)
	p, err = t.run(ctx, iv)
	if err != nil {
		err = plain(ctx, err)
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
func plain(ctx context.Context, err error) error {
	if _, ok := err.(*Error); ok || err == ctx.Err() {
		return err
	}
	return &Error{Text: err.Error()}
}

// Worker is the stable index of the worker that runs this, from 0 to the
// pool's size less one. A replaced worker's successor has its index. It is 0
// outside a pool.
func Worker(ctx context.Context) int { return role.Index(ctx) }

// OnExit registers a teardown for this worker process: f runs once, after its
// last request, on the orderly way out only: a worker that is killed runs
// nothing. Hooks run last in, first out. In backends without worker processes
// they do not run. What a task opens once is best opened by a [sync.OnceValue],
// which registers the closing; see the example.
func OnExit(f func()) { role.OnExit(f) }
