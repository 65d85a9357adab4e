// Package leak ends a package's tests with a look at what they left behind:
// goroutines, by goleak, and descriptors where /proc lists them. Only tests
// import it.
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

// patience is how long after the tests something may still be on its way out.
// Only what never ends waits for it.
const patience = 30 * time.Second

// A Watched runs a package's tests and then looks for what they left.
type Watched struct{ m *testing.M }

// Watch is m with that look. It is a value with Run, as *testing.M is, for those
// who want to be given one.
func Watch(m *testing.M) Watched { return Watched{m} }

// Run runs the tests and returns the exit code: that of the tests, or 1 where
// they passed but left goroutines or descriptors behind, which it says on stderr.
func (w Watched) Run() int {
	before := descriptors()
	if code := w.m.Run(); code != 0 {
		return code // a test that was cut short need not have tidied up
	}
	if err := wait(func() error { return left(before) }); err != nil {
		fmt.Fprintln(os.Stderr, "leak: the tests passed, but left something behind:", err)
		return 1
	}
	return 0
}

// wait calls look until it finds nothing any more, or patience is at its end.
func wait(look func() error) error {
	for begin := time.Now(); ; time.Sleep(10 * time.Millisecond) {
		if err := look(); err == nil || time.Since(begin) > patience {
			return err
		}
	}
}

// left says what is there beyond this goroutine, the runtime's and the testing
// package's own, and the descriptors open before.
func left(before map[string]int) error {
	if err := goleak.Find(); err != nil {
		return err
	}
	var more []string
	for what, n := range descriptors() {
		if n > before[what] {
			more = append(more, fmt.Sprintf("%d x %s", n-before[what], what))
		}
	}
	if len(more) > 0 {
		slices.Sort(more)
		return fmt.Errorf("open descriptors: %s", strings.Join(more, ", "))
	}
	return nil
}
