//go:build !linux

package placement

import (
	"errors"
	"fmt"
	"runtime"
)

// ThreadAffinity returns an error that wraps errors.ErrUnsupported on this system.
func ThreadAffinity() (CPUSet, error) { return CPUSet{}, errUnsupported }

// SetThreadAffinity returns an error that wraps errors.ErrUnsupported on this
// system.
func SetThreadAffinity(CPUSet) error { return errUnsupported }

// CurrentCPU returns an error that wraps errors.ErrUnsupported on this system.
func CurrentCPU() (int, error) { return 0, errUnsupported }

var errUnsupported = fmt.Errorf("CPU affinity on %s: %w", runtime.GOOS, errors.ErrUnsupported)
