// Package leak fails a package's tests if they leave goroutines (found by
// goleak) or open descriptors (where /proc lists them) behind. Only tests import
// it.
//
//	func TestMain(m *testing.M) {
//		child.Main()
//		os.Exit(leak.Watch(m).Run())
//	}
package leak

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"
)

// grace is how long goroutines and descriptors may take to go away after the
// tests.
const grace = 30 * time.Second

// A Watched runs the tests of a package and then checks for leaks.
type Watched struct{ m *testing.M }

// Watch returns a Watched for m. Like *testing.M it has a Run method, so it can
// be passed where one is expected.
func Watch(m *testing.M) Watched { return Watched{m} }

// Run runs the tests and returns their exit code. If they passed but leaked,
// Run lists the leaks on stderr and returns 1.
func (w Watched) Run() int {
	before := descriptors()
	if code := w.m.Run(); code != 0 {
		return code // a failed test may have skipped its cleanup
	}
	if err := wait(func() error { return leaked(before) }); err != nil {
		fmt.Fprintln(os.Stderr, "leak: the tests passed but leaked:", err)
		return 1
	}
	return 0
}

// wait calls check until it returns nil or the grace period is over.
func wait(check func() error) error {
	for begin := time.Now(); ; time.Sleep(10 * time.Millisecond) {
		if err := check(); err == nil || time.Since(begin) > grace {
			return err
		}
	}
}

// leaked returns an error that lists the goroutines other than this one and
// those of the runtime and package testing, and the descriptors that were not
// open before.
func leaked(before map[string]int) error {
	if err := goleak.Find(); err != nil {
		return err
	}
	var more []string
	for target, n := range descriptors() {
		if n > before[target] {
			more = append(more, fmt.Sprintf("%d x %s", n-before[target], target))
		}
	}
	if len(more) > 0 {
		slices.Sort(more)
		return fmt.Errorf("open descriptors: %s", strings.Join(more, ", "))
	}
	return nil
}
