package kernel

import (
	"fmt"
	"os"
	"sync"
)

// An implementation is one way to run the loops. All of them give the same
// bits; the tests run every one that the machine has.
type implementation struct {
	name   string
	strict func(acc float64, start, end int64) float64 // see Pi
	block  func(start int64) float64                   // see blockGeneric
}

// A selection is the implementation in use and what to tell people about it.
type selection struct {
	use  implementation
	told string
}

// current decides at the first use, not at package initialization, which every
// worker process would pay.
var current = sync.OnceValue(func() selection {
	return choose(implementations(), os.Getenv("PROCPOOL_KERNEL"))
})

// Path names the implementation in use: "avx2" or "generic". The environment
// variable PROCPOOL_KERNEL asks for one of them; if it asks for one that is
// unknown or that this CPU or build has not, the automatic choice stands and
// Path says so behind the name, in parentheses.
func Path() string { return current().told }

// choose picks the implementation called want, or the first one.
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
