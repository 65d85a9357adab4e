// Package role holds the worker state that packages task, child and pool share:
// whether child.Main ran, the index of the worker, and the exit hooks. It is
// internal, so users of package task can read this state but not set it.
package role

import (
	"context"
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

type indexKey struct{}

// WithIndex returns a copy of ctx that carries the index of a worker.
func WithIndex(ctx context.Context, i int) context.Context {
	return context.WithValue(ctx, indexKey{}, i)
}

// Index returns the worker index that ctx carries, or 0 without one.
func Index(ctx context.Context) int {
	i, _ := ctx.Value(indexKey{}).(int)
	return i
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
