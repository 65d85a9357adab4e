package task

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"

	"procpool/internal/role"
	"procpool/ipc"
)

// A Spec is a task without its types: what a worker needs to run it and a pool
// to collect its results. It is made by [Define] or [DefineSum] and must not be
// changed.
type Spec struct {
	Name     string
	Version  string
	Grain    int64 // cuts fall on multiples of it; at least 1
	Exact    bool  // partials add up to the same bits in any order
	Computes string
	Stresses string

	err         error // what was wrong with the definition
	carries     func() error
	run         func(ctx context.Context, arg, dst []byte) ([]byte, error)
	runInterval func(ctx context.Context, iv ipc.Interval, dst []byte) ([]byte, error)
	newFold     func(cells int) Fold
}

// Sums reports whether the task works on intervals.
func (s *Spec) Sums() bool { return s.runInterval != nil }

// RoundUp is the least multiple of the task's grain that is not below size, as
// far as ipc.MaxIndex allows.
func (s *Spec) RoundUp(size int64) int64 {
	if size > ipc.MaxIndex-s.Grain {
		return ipc.MaxIndex / s.Grain * s.Grain
	}
	return (size + s.Grain - 1) / s.Grain * s.Grain
}

// Check reports why the task cannot be run, or nil.
func (s *Spec) Check() error {
	if s == nil {
		return errors.New("the task was not made by task.Define or task.DefineSum")
	}
	if s.err != nil {
		return s.err
	}
	if err := s.carries(); err != nil {
		return fmt.Errorf("task %q: %w", s.Name, err)
	}
	return nil
}

// Run computes one request in a worker: it decodes arg, which is the task's
// from then on, and appends the encoded result to dst. It serves tasks over intervals as well. Every error is an
// *[Error], or the context's.
func (s *Spec) Run(ctx context.Context, arg, dst []byte) ([]byte, error) {
	if !s.Sums() {
		return s.run(ctx, arg, dst)
	}
	iv, err := ipc.ParseInterval(arg)
	if err != nil {
		return dst, &Error{Text: err.Error()}
	}
	return s.RunInterval(ctx, iv, dst)
}

// RunInterval is Run for a task over intervals whose arg is known.
func (s *Spec) RunInterval(ctx context.Context, iv ipc.Interval, dst []byte) ([]byte, error) {
	if iv.Start%s.Grain != 0 {
		return dst, &Error{Text: fmt.Sprintf("interval %v does not start on a multiple of the grain of %s, %d", iv, s.Name, s.Grain)}
	}
	return s.runInterval(ctx, iv, dst)
}

// NewFold makes room for cells partials on their way into a sum. The task must
// be one over intervals.
func (s *Spec) NewFold(cells int) Fold { return s.newFold(cells) }

// The registry. Tasks are registered while packages are initialised, which is
// single-threaded, and looked up later; the mutex is for programs that break
// that rule and get an error for it.
var registry struct {
	sync.Mutex
	specs map[string]*Spec
}

func newSpec(name string, opts []Option) *Spec {
	s := &Spec{Name: name, Version: "1", Grain: 1}
	for _, o := range opts {
		o(s)
	}
	return s
}

// register makes the task known by its name. complete says that no function of
// it is nil.
func register(s *Spec, complete bool) {
	registry.Lock()
	defer registry.Unlock()
	switch {
	case s.Name == "":
		s.err = errors.New("a task needs a name")
		return
	case !complete:
		s.err = fmt.Errorf("task %q is defined with a nil function", s.Name)
		return
	case role.MainRan():
		s.err = fmt.Errorf("task %q is defined too late: workers know only tasks that are defined at package level, before pool.Main runs", s.Name)
		return
	case registry.specs[s.Name] != nil:
		s.err = fmt.Errorf("task %q is defined twice", s.Name)
		registry.specs[s.Name].err = s.err
		return
	}
	if registry.specs == nil {
		registry.specs = make(map[string]*Spec)
	}
	registry.specs[s.Name] = s
}

// Lookup finds a task by its name.
func Lookup(name string) (*Spec, bool) {
	registry.Lock()
	defer registry.Unlock()
	s, ok := registry.specs[name]
	return s, ok
}

// Names lists the registered tasks in alphabetical order.
func Names() []string {
	registry.Lock()
	defer registry.Unlock()
	return slices.Sorted(maps.Keys(registry.specs))
}
