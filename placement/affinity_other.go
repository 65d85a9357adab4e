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

// CurrentCPU returns false: this system does not tell.
func CurrentCPU() (cpu int, ok bool) { return 0, false }

var errUnsupported = fmt.Errorf("CPU affinity on %s: %w", runtime.GOOS, errors.ErrUnsupported)
