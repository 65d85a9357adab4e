package parent

import (
	"io"
	"time"

	"procpool/placement"
)

// A System starts and observes processes. [OS] returns the real one; tests use the fake in
// package parenttest.
type System struct {
	// Start starts a worker's process. It is called on a thread that lives as
	// long as any process that it started.
	Start func(Command) (OSProcess, error)
	// ResidentSet returns a process's resident set in bytes; 0 if unknown.
	ResidentSet func(pid int) int64
	// OOMKills counts the processes that the system killed in this process's
	// control group for lack of memory; 0 if unknown.
	OOMKills func() int64
	// CheckThreads returns an error if the system's limits leave no room for procs worker
	// processes with GOMAXPROCS=threads. It may be nil: then nothing is checked.
	CheckThreads func(procs, threads int) error
}

// A Command says how to start a worker's process.
type Command struct {
	Worker  int              // its index
	Env     []string         // the whole environment
	Dir     string           // the working directory; "" = this process's
	CPUs    placement.CPUSet // CPUs to bind it to; empty = those of this process
	Program []string         // command line of a worker of another program; nil = this program
	Words   []string         // command line of the launcher; nil = none

	EndsOwn bool // see SpawnerConfig
}

// An OSProcess is a process of the operating system. The [Process] made of it owns its
// three pipes and closes them.
type OSProcess interface {
	Pid() int
	Stdin() io.WriteCloser
	Stdout() io.ReadCloser
	Stderr() io.ReadCloser
	Kill()            // kills it and returns at once; does nothing if it is gone
	Wait() ExitStatus // waits until it is gone; called once
}

// An ExitStatus says how a process ended and what it used.
type ExitStatus struct {
	Code         int    // -1 if a signal ended it or the code is unknown
	Signal       string // such as "killed"; "" if it exited
	User, System time.Duration
}
