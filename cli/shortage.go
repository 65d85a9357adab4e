package cli

import (
	"errors"
	"fmt"
	"syscall"

	"procpool/placement"
	"procpool/pool"
)

// shortageHint returns which limit to raise if err says that one was reached, or "".
func shortageHint(err error) string {
	var lost *pool.LostWorkerError
	switch {
	case errors.As(err, &lost) && lost.CPULimit > 0:
		return "a chunk needs more CPU time than a process may have: raise the limit (ulimit -t), or use smaller chunks (--chunk-size)"
	case errors.Is(err, syscall.EMFILE):
		return "raise the limit of open files (ulimit -n), of which each worker takes five, or use fewer --procs"
	case errors.Is(err, syscall.EAGAIN):
		return "raise the limit of processes (ulimit -u, or the cgroup's pids.max), or use fewer --procs"
	}
	return ""
}

// fewestFiles is the lowest limit of open files with which a run is tried. One
// worker and this process need 17, as measured on Linux. Below about 9 Go's runtime
// cannot even wait for a pipe, and would end this program with a stack trace.
const fewestFiles = 16

// From manyWorkers on, a run is refused if the limit does not allow filesOfWorker for each.
// A smaller run starts as many workers as the limit allows.
const (
	filesOfWorker = 5
	manyWorkers   = 1000
)

// enoughFiles returns an error if the limit of open files allows no worker, or too few of
// many.
func enoughFiles(procs int) error {
	limit, ok := fileLimit()
	need := uint64(filesOfWorker*procs + fewestFiles)
	switch {
	case !ok:
		return nil
	case limit >= fewestFiles && procs >= manyWorkers && limit < need:
		return &failure{code: exitFailed, err: fmt.Errorf("%d workers take %d open files, and the limit is %d", procs, need, limit), hint: shortageHint(syscall.EMFILE)}
	case limit >= fewestFiles:
		return nil
	}
	return &failure{code: exitFailed, err: fmt.Errorf("no worker can be started: the limit of open files is %d", limit), hint: shortageHint(syscall.EMFILE)}
}

// enoughThreads returns an error if the limit of threads does not allow all workers, as
// pool.New does later.
func enoughThreads(o pool.Options) error {
	if o.Backend != pool.Processes || o.Launcher != "" {
		return nil
	}
	return placement.System{}.CheckThreads(o.Procs, max(o.GOMAXPROCS, 1))
}
