package cli

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"

	"github.com/urfave/cli/v2"

	"procpool/ipc"
	"procpool/pool"
	"procpool/task"
)

// readForeign reads the workload of a run with --worker. The task is not known before
// a worker has said hello.
func (r *runCommand) readForeign(c *cli.Context, w *workload) error {
	if c.IsSet("gomaxprocs") {
		return usageHint("--gomaxprocs does not work with --worker, whose program need not be written in Go", "set it in the command: --worker 'env GOMAXPROCS=2 CMD'")
	}
	if !c.IsSet("task") {
		w.task = ""
	}
	return r.readOperand(c, w)
}

// meet starts the workers and reads from the first hello what the task is. It returns an
// error for the user's mistakes; if no worker says hello, r.err says why.
func (r *runCommand) meet(c *cli.Context) error {
	r.spec = task.Foreign(r.task, ipc.DefaultAbout)
	r.unmet = &unmet{lost: make(chan error, 1)}
	r.signals.drains()
	ctx, cancel := r.signals.untilAsked()
	defer cancel()
	if !r.until.IsZero() {
		ctx, cancel = context.WithDeadline(ctx, r.until)
		defer cancel()
	}
	if err := r.open(c.Context); err != nil {
		return err
	}
	hello, err := r.unmet.hello(ctx, r.pool)
	var refused *pool.OptionsError
	if errors.As(err, &refused) {
		return err
	}
	if err := r.ended(err); err != nil {
		r.outcome.Status, r.err = pool.Failed, err
	}
	if r.err != nil {
		r.during = "no worker has said hello"
		return nil
	}
	switch {
	case r.task != "":
	case len(hello.Tasks) == 1:
		r.task = hello.Tasks[0]
	case len(hello.Tasks) == 0:
		return badInput(errors.New("the worker has no tasks"))
	default:
		return usageHint("--task is missing", "the worker's tasks are "+strings.Join(hello.Tasks, ", "))
	}
	about, has := hello.About(r.task)
	if !has {
		return usageHint(fmt.Sprintf("the worker has no task %q", r.task), didYouMean(r.task, hello.Tasks, "its tasks are "+strings.Join(hello.Tasks, ", ")))
	}
	r.spec = task.Foreign(r.task, about)
	if err := r.fit(); err != nil {
		return err
	}
	r.options.ChunkSize = r.chunkSize
	switch {
	case hello.Beats:
	case c.IsSet("heartbeat") && r.options.Heartbeat > 0:
		return usageHint("--heartbeat does not work with this worker: it does not say that it beats", "--timeout D replaces a worker whose chunk takes longer than D")
	case r.options.Timeout == 0:
		r.note("the worker does not say that it beats: without --timeout, the run waits for a worker that hangs")
	}
	return nil
}

// unmet ends the wait for the first hello when a worker is lost before it. A program that
// does not speak the protocol fails every time, so starting it again would only hide the
// error. Behind a launcher the start is repeated, because the network may have failed.
type unmet struct {
	over atomic.Bool // the wait
	lost chan error  // holds the first loss
}

// take reports whether err is a worker that was lost before the first hello.
func (u *unmet) take(err error) bool {
	var lost *pool.LostWorkerError
	if u == nil || u.over.Load() || !errors.As(err, &lost) || lost.Launcher != "" {
		return false
	}
	select {
	case u.lost <- err:
	default:
	}
	return true
}

// hello waits for the first hello, or the first loss.
func (u *unmet) hello(ctx context.Context, p *pool.Pool) (ipc.Hello, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	go func() {
		select {
		case err := <-u.lost:
			cancel(err)
		case <-ctx.Done():
		}
	}()
	hello, err := p.Hello(ctx)
	u.over.Store(err == nil)
	var lost *pool.LostWorkerError
	if err != nil && errors.As(context.Cause(ctx), &lost) {
		err = lost
	}
	return hello, err
}
