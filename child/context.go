package child

import (
	"context"
	"sync"
	"time"

	"procpool/internal/proctree"
	"procpool/internal/role"
)

// A taskContext is the context of one request's task. It is done when the request
// is cancelled, has taken longer than its timeout, or the worker ends. Most tasks
// never look at theirs, so everything is made when it is asked for.
type taskContext struct {
	worker context.Context // values that the call does not have
	call   role.Call

	mu       sync.Mutex
	used     bool // the task has looked at it
	deadline time.Time
	timer    *time.Timer
	done     chan struct{}
	err      error
	started  proctree.Started // by the task through others, when err was set
}

// begin sets the timeout; 0 is none.
func (c *taskContext) begin(timeout time.Duration) {
	if timeout <= 0 {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.deadline = time.Now().Add(timeout)
	c.timer = time.AfterFunc(timeout, func() { c.cancel(context.DeadlineExceeded) })
}

// end frees what begin took. It reports whether the context was used, so that it can
// serve no other request, and whether the time was over. A task that was cancelled
// has killed what it started, as os/exec does, but not what that had started: end does.
func (c *taskContext) end() (used, late bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.started.KillOrphans()
	if c.timer != nil {
		c.timer.Stop()
	}
	return c.used || c.timer != nil || c.err != nil, c.err == context.DeadlineExceeded
}

func (c *taskContext) cancel(why error) {
	started := proctree.Grandchildren() // before the task hears of it
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.err != nil {
		return
	}
	c.err, c.started = why, started
	if c.done != nil {
		close(c.done)
	}
}

// Deadline implements context.Context.
func (c *taskContext) Deadline() (time.Time, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.used = true
	return c.deadline, !c.deadline.IsZero()
}

// Done implements context.Context.
func (c *taskContext) Done() <-chan struct{} {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.used = true
	if c.done == nil {
		c.done = make(chan struct{})
		if c.err != nil {
			close(c.done)
		}
	}
	return c.done
}

// Err implements context.Context.
func (c *taskContext) Err() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.used = true
	return c.err
}

// Value implements context.Context.
func (c *taskContext) Value(key any) any {
	c.mu.Lock()
	c.used = true
	c.mu.Unlock()
	if key == (role.CallKey{}) {
		return c.call
	}
	return c.worker.Value(key)
}
