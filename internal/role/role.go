// Package role is what a process knows of its role as a worker, actual or
// possible. It is apart from package task, which shows users the half that is
// theirs, so that only this program's own packages can touch the rest.
package role

import (
	"context"
	"slices"
	"sync"
	"sync/atomic"
)

var sealed atomic.Bool

// Seal ends the time in which tasks can be defined and marks the process as
// one whose main gives worker mode its chance. child.Main calls it.
func Seal() { sealed.Store(true) }

// Sealed reports whether child.Main has run in this process: without it a
// worker started from this program would run the whole program again.
func Sealed() bool { return sealed.Load() }

type callKey struct{}

// A Call says for what a task was called.
type Call struct {
	Worker  int   // that runs it
	Index   int64 // of its input in the sequence, from 0
	Attempt int   // how many workers met the input before
}

// WithCall returns ctx for a task that is called for c.
func WithCall(ctx context.Context, c Call) context.Context {
	return context.WithValue(ctx, callKey{}, c)
}

// CallOf is what the context's task was called for; the zero Call outside a pool.
func CallOf(ctx context.Context) Call {
	c, _ := ctx.Value(callKey{}).(Call)
	return c
}

var exit struct {
	sync.Mutex
	hooks []func()
}

// OnExit registers f for RunExitHooks.
func OnExit(f func()) {
	exit.Lock()
	defer exit.Unlock()
	exit.hooks = append(exit.hooks, f)
}

// RunExitHooks runs what OnExit registered, last in, first out, each once.
func RunExitHooks() {
	exit.Lock()
	hooks := exit.hooks
	exit.hooks = nil
	exit.Unlock()
	for _, f := range slices.Backward(hooks) {
		f()
	}
}
