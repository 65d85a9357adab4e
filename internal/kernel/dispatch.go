package kernel

import (
	"fmt"
	"os"
	"sync"
)

// An implementation has one version of the loops. All implementations give the same
// bits. The tests run every one that works on the machine.
type implementation struct {
	name   string
	strict func(acc float64, start, end int64) float64 // see Pi
	block  func(start int64) float64                   // see blockGeneric
}

// A selection is the implementation in use and its description for the user.
type selection struct {
	use         implementation
	description string
}

// current returns the selection. It decides at the first use, because every worker
// process would pay for doing so at package initialization.
var current = sync.OnceValue(func() selection {
	return choose(implementations(), os.Getenv("PROCPOOL_KERNEL"))
})

// Path returns the name of the implementation in use: "avx2" or "generic". The
// environment variable PROCPOOL_KERNEL selects one. If that one is unknown, or not
// available on this CPU or in this build, PROCPOOL_KERNEL is ignored, and Path says so
// after the name, in parentheses.
func Path() string { return current().description }

// choose selects the implementation called want, or the first one.
func choose(all []implementation, want string) selection {
	for _, im := range all {
		if im.name == want {
			return selection{im, im.name}
		}
	}
	best := all[0]
	if want == "" {
		return selection{best, best.name}
	}
	return selection{best, fmt.Sprintf("%s (PROCPOOL_KERNEL=%q is not available here)", best.name, want)}
}
