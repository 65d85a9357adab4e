package placement

import (
	"fmt"
	"io/fs"
	"math"
	"path"
	"strconv"
	"strings"

	"procpool/internal/procfs"
)

// Where a limit on threads comes from, see [ThreadLimit].
const (
	ByPids  = "pids"  // pids.max of a cgroup: containers, systemd's TasksMax
	ByNproc = "nproc" // RLIMIT_NPROC: ulimit -u
)

// A ThreadLimit is a limit on the number of threads. Linux limits processes that way, too:
// each counts with all its threads.
type ThreadLimit struct {
	By     string `json:"by"`     // ByPids, of all processes in a cgroup, or ByNproc, of all that this user has
	Source string `json:"source"` // where it was read
	Max    int64  `json:"max"`
	Used   int64  `json:"used"` // now
}

func (l ThreadLimit) free() int64 { return max(l.Max-l.Used, 0) }

// fit returns how many workers with so many threads that run Go code there is room for.
func (l ThreadLimit) fit(threads int) int {
	return int(min(max(l.free()-ownThreads, 0)/int64(workerThreads+threads), MaxProcs))
}

// Threads that a run needs, as measured. A Go program cannot go on without a thread that
// it wants to start, and ends with a stack trace.
const (
	workerThreads = 6 // of a worker process, beside its GOMAXPROCS
	ownThreads    = 3 // that this process has more when it has workers
)

// threadsOf returns how many threads workers need, and this process with them.
func threadsOf(procs, threads int) int64 {
	return ownThreads + int64(workerThreads+threads)*int64(procs)
}

// A ThreadsError says that there is no room for the threads of all workers.
type ThreadsError struct {
	Limit ThreadLimit
	Procs int // workers wanted
	Fit   int // how many there is room for
}

func (e *ThreadsError) Error() string {
	what := "no worker can be started"
	if e.Fit > 0 {
		what = fmt.Sprintf("only %d of %d workers can be started", e.Fit, e.Procs)
	}
	return fmt.Sprintf("%s: of the %d processes and threads that %s allows, %d are in use", what, e.Limit.Max, e.Limit.Source, e.Limit.Used)
}

// Hint says what the user can do.
func (e *ThreadsError) Hint() string {
	hint := fmt.Sprintf("a worker takes about %d processes and threads; raise the limit", workerThreads+1)
	if e.Fit > 0 {
		hint += fmt.Sprintf(", or use --procs %d", e.Fit)
	}
	return hint
}

// CheckThreads returns a *ThreadsError if the system has no room for so many worker
// processes with so many threads that run Go code (GOMAXPROCS). It is called before
// any is started: a Go program that gets no thread cannot say so, nor can this one.
func (s System) CheckThreads(procs, threads int) error {
	need := threadsOf(procs, threads)
	for _, l := range s.threadLimits(need) {
		if l.free() < need {
			return &ThreadsError{Limit: l, Procs: procs, Fit: l.fit(threads)}
		}
	}
	return nil
}

// ThreadLimits returns the limits on threads that apply to this process: of its cgroup and
// those above it, nearest first, and of its user.
func (s System) ThreadLimits() []ThreadLimit { return s.threadLimits(math.MaxInt64) }

// threadLimits leaves out limits that are certainly no obstacle to need more threads.
func (s System) threadLimits(need int64) []ThreadLimit {
	limits := []ThreadLimit{}
	for _, dir := range s.threadCgroups() {
		text, err := s.read(dir, "pids.max")
		most, convErr := strconv.ParseInt(text, 10, 64) // "max" is none
		if err != nil || convErr != nil {
			continue
		}
		text, _ = s.read(dir, "pids.current")
		used, _ := strconv.ParseInt(text, 10, 64)
		limits = append(limits, ThreadLimit{ByPids, path.Join(dir, "pids.max"), most, used})
	}
	text, _ := s.read("/proc/self/limits")
	// It takes a look at every process to know how many threads a user has.
	const others = 2000
	if most := procfs.Int(text, "Max processes"); most != nil && *most-others < need && !s.exempt() {
		limits = append(limits, ThreadLimit{ByNproc, "RLIMIT_NPROC (ulimit -u)", *most, s.userThreads()})
	}
	return limits
}

// threadCgroups returns the directories in which limits on threads may be, where systems
// mount cgroups. Unlike [System.cgroups] it does not look for other places: the kernel
// takes ten times as long to list the mounts as for all else that CheckThreads reads.
func (s System) threadCgroups() (dirs []string) {
	membership, _ := s.read("/proc/self/cgroup")
	for line := range strings.Lines(membership) {
		parts := strings.SplitN(strings.TrimRight(line, "\n"), ":", 3)
		root := "/sys/fs/cgroup"
		switch {
		case len(parts) != 3:
			continue
		case parts[1] == "pids":
			root += "/pids"
		case parts[0] != "0" || parts[1] != "":
			continue
		}
		// What is above the root of this process's namespace is seen at the root.
		for at := path.Join("/", parts[2]); ; at = path.Dir(at) {
			dirs = append(dirs, path.Join(root, at))
			if at == "/" {
				break
			}
		}
	}
	return dirs
}

// Capabilities by which RLIMIT_NPROC does not apply, as bits.
const capSysAdmin, capSysResource = 1 << 21, 1 << 24

// exempt reports whether RLIMIT_NPROC does not apply to this process. In a namespace of
// users, capabilities do not help.
func (s System) exempt() bool {
	users, _ := s.read("/proc/self/uid_map")
	if strings.Join(strings.Fields(users), " ") != "0 0 4294967295" {
		return false
	}
	status, _ := s.read("/proc/self/status")
	_, caps, _ := strings.Cut(status, "\nCapEff:\t")
	caps, _, _ = strings.Cut(caps, "\n")
	bits, _ := strconv.ParseUint(caps, 16, 64)
	return bits&(capSysAdmin|capSysResource) != 0 || uid(status) == 0
}

// userThreads counts the threads of this process's user.
func (s System) userThreads() (threads int64) {
	self, _ := s.read("/proc/self/status")
	entries, _ := fs.ReadDir(s.root(), "proc")
	for _, e := range entries {
		if name := e.Name(); name[0] < '1' || name[0] > '9' {
			continue
		}
		status, err := s.read("/proc", e.Name(), "status")
		if n := procfs.Int(status, "Threads"); err == nil && n != nil && uid(status) == uid(self) {
			threads += *n
		}
	}
	return threads
}

// uid returns the real user id in a /proc/PID/status, or -1.
func uid(status string) int64 {
	if n := procfs.Int(status, "Uid"); n != nil {
		return *n
	}
	return -1
}
