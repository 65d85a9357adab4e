package parent

import (
	"math"
	"os"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
)

// MaxDepth is how deep pools may be nested: a pool in a worker of another pool has depth 2.
const MaxDepth = 3

// depthEnv is the variable with a process's [Depth], siblingsEnv that with its [Siblings].
const (
	depthEnv    = "PROCPOOL_DEPTH"
	siblingsEnv = "PROCPOOL_SIBLINGS"
)

// workerEnv is the variable with the index of a worker of another program.
const workerEnv = "PROCPOOL_WORKER"

// Depth returns how deep this process is nested in workers: 0 for a program that no pool
// started.
func Depth() int {
	d, _ := strconv.Atoi(os.Getenv(depthEnv))
	return d
}

// Siblings returns how many workers share the CPUs that this process may use, itself
// included. A pool within a worker uses its part of them. Siblings returns 1 outside a
// pool, and if each worker is bound to CPUs of its own.
func Siblings() int {
	n, _ := strconv.Atoi(os.Getenv(siblingsEnv))
	return max(n, 1)
}

// WorkerEnv says how the environment of workers differs from this process's.
type WorkerEnv struct {
	Workers    int      // number of workers that share this process's GOMEMLIMIT and its CPUs
	Bound      bool     // each worker is bound to CPUs of its own
	GOMAXPROCS int      // of each worker
	GOMEMLIMIT int64    // of each worker, in bytes; 0 = this process's, if its environment sets one, divided by Workers
	Extra      []string // "key=value"; overrides environ and the settings above
}

// Of returns the environment of workers, made from environ. The last of a key counts. It
// sets GOMAXPROCS and GOMEMLIMIT, because inherited values would give each worker all
// the CPUs and all the memory.
func (w WorkerEnv) Of(environ []string) []string {
	environ = append(slices.Clone(environ), "GOMAXPROCS="+strconv.Itoa(w.GOMAXPROCS))
	if limit := w.memoryLimit(); limit > 0 {
		environ = append(environ, "GOMEMLIMIT="+strconv.FormatInt(limit, 10))
	}
	environ = append(environ, w.Extra...)
	siblings := w.Workers * Siblings()
	if w.Bound {
		siblings = 1
	}
	environ = append(environ, depthEnv+"="+strconv.Itoa(Depth()+1), siblingsEnv+"="+strconv.Itoa(siblings))
	last := make(map[string]int, len(environ))
	for i, kv := range environ {
		key, _, _ := strings.Cut(kv, "=")
		last[key] = i
	}
	out := environ[:0]
	for i, kv := range environ {
		key, value, _ := strings.Cut(kv, "=")
		if key == "GODEBUG" {
			kv = key + "=" + preemptible(value)
		}
		if last[key] == i {
			out = append(out, kv)
		}
	}
	return out
}

// preemptible returns a value of GODEBUG without asyncpreemptoff. With that setting a
// task in a tight loop would keep its worker from sending beats.
func preemptible(godebug string) string {
	settings := slices.DeleteFunc(strings.Split(godebug, ","), func(s string) bool { return strings.HasPrefix(s, "asyncpreemptoff=") })
	return strings.Join(settings, ",")
}

// memoryLimit returns the memory limit of each worker in bytes; 0 means none. It divides
// a limit that the user set for this process among the workers: passed on as it is, N
// workers would use N times as much.
func (w WorkerEnv) memoryLimit() int64 {
	if w.GOMEMLIMIT != 0 || os.Getenv("GOMEMLIMIT") == "" {
		return w.GOMEMLIMIT
	}
	// The runtime has parsed the variable; a negative argument only returns the limit.
	whole := debug.SetMemoryLimit(-1)
	if whole == math.MaxInt64 {
		return 0
	}
	return max(whole/int64(w.Workers), 1)
}
