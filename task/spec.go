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

// A Spec is a task without its types. Workers and pools use it to run the task and to
// collect its results. [Define] and [DefineSum] create it. Do not change it.
type Spec struct {
	Name     string
	Version  string // see the option Version
	Grain    int64  // intervals are cut at multiples of it only; at least 1
	Exact    bool   // partials add up to the same bits in any order
	Computes string // see About
	Stresses string // see About
	Shared   string // see Causes
	Repeated string // see Causes

	sentinels   []error // whose identity errors keep
	err         error   // what was wrong with the definition
	checkTypes  func() error
	custom      func() bool
	mustCheck   func() bool // results may be such as cannot be sent
	run         func(ctx context.Context, arg, dst []byte) ([]byte, error)
	runInterval func(ctx context.Context, iv ipc.Interval, dst []byte) ([]byte, error)
	newFold     func() Fold
}

// Sums reports whether the task was defined by [DefineSum], so that it works on
// intervals.
func (s *Spec) Sums() bool { return s.runInterval != nil }

// DecodesItself reports whether results are decoded by methods of their own type,
// which may do anything, and not by the wire's rules alone.
func (s *Spec) DecodesItself() bool { return s.custom != nil && s.custom() }

// RoundUp is the least multiple of the task's grain that is not below size, as
// far as ipc.MaxIndex allows.
func (s *Spec) RoundUp(size int64) int64 {
	if size > ipc.MaxIndex-s.Grain {
		return ipc.MaxIndex / s.Grain * s.Grain
	}
	return (size + s.Grain - 1) / s.Grain * s.Grain
}

// Check returns an error if the task cannot be run, because its definition is wrong
// or values of its types cannot be sent. s may be nil.
func (s *Spec) Check() error {
	if s == nil {
		return errors.New("the task was not made by task.Define or task.DefineSum")
	}
	if s.err != nil {
		return s.err
	}
	if err := s.checkTypes(); err != nil {
		return fmt.Errorf("task %q: %w", s.Name, err)
	}
	return nil
}

// Run runs the task for a request: it decodes arg, which it takes over, and appends
// the encoded result to dst. It serves tasks over intervals too. The error is an
// *[Error] or ctx.Err().
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

// RunInterval is Run for a task over intervals whose arg has been decoded.
func (s *Spec) RunInterval(ctx context.Context, iv ipc.Interval, dst []byte) ([]byte, error) {
	if iv.Start%s.Grain != 0 {
		return dst, &Error{Text: fmt.Sprintf("interval %v does not start on a multiple of the grain of %s, %d", iv, s.Name, s.Grain)}
	}
	return s.runInterval(ctx, iv, dst)
}

// NewFold begins a sum. The task must be one over intervals.
func (s *Spec) NewFold() Fold { return s.newFold() }

// The registry has the tasks of the program. They are registered by one goroutine,
// while packages are initialised, and looked up later. The mutex serves programs that
// register a task too late; they get an error.
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

// register adds a task to the registry. complete is false if a function of the task
// is nil. An error is kept in the task, for Check.
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

// Lookup returns the task with this name, if the program defines it.
func Lookup(name string) (*Spec, bool) {
	registry.Lock()
	defer registry.Unlock()
	s, ok := registry.specs[name]
	return s, ok
}

// About returns what a worker's hello says about the task.
func (s *Spec) About() ipc.About {
	return ipc.About{Version: s.Version, Grain: s.Grain, Exact: s.Exact}
}

// Abouts returns what a worker's hello says about the program's tasks, without those that
// have [ipc.DefaultAbout].
func Abouts() map[string]ipc.About {
	registry.Lock()
	defer registry.Unlock()
	abouts := make(map[string]ipc.About)
	for name, s := range registry.specs {
		if about := s.About(); about != ipc.DefaultAbout {
			abouts[name] = about
		}
	}
	return abouts
}

// Names returns the names of all tasks of the program in alphabetical order.
func Names() []string {
	registry.Lock()
	defer registry.Unlock()
	return slices.Sorted(maps.Keys(registry.specs))
}
