package parent

import (
	"io"
	"time"

	"procpool/placement"
)

// A System starts and observes processes. It is the one seam at which tests put
// a fake; [OS] is the real one.
type System struct {
	// Start starts a worker's process. It is called on a thread that lives as
	// long as any process that it started.
	Start func(Command) (OSProcess, error)
	// ResidentSet is a process's resident set in bytes; 0 if unknown.
	ResidentSet func(pid int) int64
	// OOMKills counts the processes that the system killed in this process's
	// control group for lack of memory; 0 if unknown.
	OOMKills func() int64
	// CheckThreads returns an error if there is no room for so many worker processes,
	// with GOMAXPROCS threads each; nil never does.
	CheckThreads func(procs, threads int) error
}

// A Command says how to start a worker's process.
type Command struct {
	Worker  int              // its index
	Env     []string         // the whole environment
	Dir     string           // the working directory; "" = this process's
	CPUs    placement.CPUSet // to be bound to; empty = wherever this process may run
	Program []string         // its command line; nil = that of a worker of this program
	Words   []string         // of the launcher that starts it; nil = none

	EndsOwn bool // see SpawnerConfig
}

// An OSProcess is a process as the operating system offers it. Its three pipes
// belong to the [Process] that it is for.
type OSProcess interface {
	Pid() int
	Stdin() io.WriteCloser
	Stdout() io.ReadCloser
	Stderr() io.ReadCloser
	Kill()            // at once, not to be refused; nothing happens to one that is gone
	Wait() ExitStatus // until it is gone; called once
}

// An ExitStatus says how a process ended and what it used.
type ExitStatus struct {
	Code         int    // -1 if a signal ended it, or unknown
	Signal       string // such as "killed"; "" if it exited
	User, System time.Duration
}
