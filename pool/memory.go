package pool

import (
	"math"
	"os"
	"runtime/debug"
	"strconv"
)

// memoryLimit is the GOMEMLIMIT setting of each worker process, as an element
// of its environment, or "" for none. A limit that the user set for this
// process is for all that it does: passed on as it is, N workers would take N
// times as much.
func memoryLimit(o Options) string {
	each := o.GOMEMLIMIT
	if each == 0 && os.Getenv("GOMEMLIMIT") != "" {
		// The runtime has read the variable; a negative argument only asks.
		if whole := debug.SetMemoryLimit(-1); whole < math.MaxInt64 {
			each = max(whole/int64(o.Procs), 1)
		}
	}
	if each == 0 {
		return ""
	}
	return "GOMEMLIMIT=" + strconv.FormatInt(each, 10)
}
