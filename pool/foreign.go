package pool

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"procpool/ipc"
	"procpool/task"
)

// Hello waits for the first worker and returns its hello. Its errors are those of
// [Pool.Ready].
func (p *Pool) Hello(ctx context.Context) (ipc.Hello, error) {
	if err := p.Ready(ctx); err != nil {
		return ipc.Hello{}, err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.hello == nil {
		return ipc.Hello{}, &OptionsError{Reason: fmt.Sprintf("backend %s has no worker processes that say hello", p.opts.Backend)}
	}
	return *p.hello, nil
}

// accept returns why a worker of another program cannot be used, by its hello: all
// must have the same tasks. The first one that has not those of the calls fails these.
func (p *Pool) accept(h ipc.Hello) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch first := p.hello; {
	case p.opts.Launcher != "" && !h.Beats:
		err := &OptionsError{Reason: "the worker does not say that it beats: if its launcher lost it, it would be waited for, and would live, for ever",
			Advice: "docs/wire.md says how a worker beats"}
		p.fail(err)
		return err
	case first != nil && !(slices.Equal(first.Tasks, h.Tasks) && maps.Equal(first.Abouts, h.Abouts)):
		return fmt.Errorf("it says of its tasks %s, and the first worker said %s", tasksOf(&h), tasksOf(first))
	case first == nil:
		p.hello = &h
		for c := range p.calls {
			if err := p.unfit(c.spec); err != nil {
				c.fail(err)
			}
		}
	}
	return nil
}

// tasksOf lists the tasks of a worker with their versions.
func tasksOf(h *ipc.Hello) string {
	var list []string
	for _, name := range h.Tasks {
		about, _ := h.About(name)
		list = append(list, fmt.Sprintf("%q version %q", name, about.Version))
	}
	if len(list) == 0 {
		return "that there are none"
	}
	return strings.Join(list, ", ")
}

// unfit returns why workers of another program cannot run a task; nil if they can, or
// if none has said hello. The caller holds the lock.
func (p *Pool) unfit(spec *task.Spec) error {
	if p.opts.Worker == nil || p.hello == nil || spec == readiness {
		return nil
	}
	switch about, has := p.hello.About(spec.Name); {
	case !has:
		return &OptionsError{Reason: fmt.Sprintf("the workers have no task %q", spec.Name), Advice: "they have " + tasksOf(p.hello)}
	case about.Version != spec.Version:
		return &OptionsError{Reason: fmt.Sprintf("task %q has version %q here, and %q in the workers", spec.Name, spec.Version, about.Version)}
	}
	return nil
}
