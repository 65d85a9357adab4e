// Package role holds the worker state that packages task, child and pool share:
// whether child.Main ran, the index of the worker, and the exit hooks. It is
// internal, so users of package task can read this state but not set it.
package role

import (
	"context"
	"fmt"
	"runtime/debug"
	"slices"
	"sync"
	"sync/atomic"
)

var mainRan atomic.Bool

// SetMainRan records that child.Main ran. No task can be defined afterwards.
func SetMainRan() { mainRan.Store(true) }

// MainRan reports whether child.Main ran in this process. A program that never
// calls it cannot have workers: each would run the whole program again.
func MainRan() bool { return mainRan.Load() }

type CallKey struct{}

// A Call says for what a task was called.
type Call struct {
	Worker  int    // that runs it
	Index   int64  // of its input in the sequence, from 0
	Attempt int    // how many workers met the input before
	With    []byte // what the request of an interval carries besides, encoded; nil if nothing
}

// WithCall returns ctx for a task that is called for c.
func WithCall(ctx context.Context, c Call) context.Context {
	return context.WithValue(ctx, CallKey{}, c)
}

// CallOf is what the context's task was called for; the zero Call outside a pool.
func CallOf(ctx context.Context) Call {
	c, _ := ctx.Value(CallKey{}).(Call)
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

var start struct {
	sync.Mutex
	hooks []func(context.Context) error
}

// OnStart registers f for RunStartHooks.
func OnStart(f func(context.Context) error) {
	start.Lock()
	defer start.Unlock()
	start.hooks = append(start.hooks, f)
}

// RunStartHooks runs every registered hook in order, to the first error. A panic is
// an error.
func RunStartHooks(ctx context.Context) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v\n%s", p, debug.Stack())
		}
	}()
	start.Lock()
	hooks := start.hooks
	start.hooks = nil
	start.Unlock()
	for _, f := range hooks {
		if err := f(ctx); err != nil {
			return err
		}
	}
	return nil
}

// RunExitHooks runs every registered hook once, the last one first.
func RunExitHooks() {
	exit.Lock()
	hooks := exit.hooks
	exit.hooks = nil
	exit.Unlock()
	for _, f := range slices.Backward(hooks) {
		f()
	}
}
