//go:build !linux

package placement

import (
	"errors"
	"fmt"
	"runtime"
)

// ThreadAffinity is not supported on this system: the error wraps
// errors.ErrUnsupported.
func ThreadAffinity() (CPUSet, error) { return CPUSet{}, unsupported() }

// SetThreadAffinity is not supported on this system: the error wraps
// errors.ErrUnsupported.
func SetThreadAffinity(CPUSet) error { return unsupported() }

func unsupported() error {
	return fmt.Errorf("binding to CPUs on %s: %w", runtime.GOOS, errors.ErrUnsupported)
}
