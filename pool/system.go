package pool

import (
	"io"
	"time"

	"procpool/placement"
)

// A system is what a pool needs of the operating system: the one seam at which
// tests put a fake.
type system struct {
	// start starts worker i's process. It is called on a thread that lives as
	// long as any process that it started.
	start func(c command) (process, error)
	// residentSet is a process's resident set in bytes; 0 if unknown.
	residentSet func(pid int) int64
	// oomKills counts the processes that were killed in this process's control
	// group for lack of memory; 0 if unknown.
	oomKills func() int64
}

// A command is how a worker is to be started.
type command struct {
	worker int
	env    []string         // whole
	cpus   placement.CPUSet // to be bound to; empty = wherever this process may run
	words  []string         // of the launcher that starts it; nil = none
}

// A process is a worker process as its parent sees it. Its three pipes belong
// to the life that it is for.
type process interface {
	Pid() int
	Stdin() io.WriteCloser
	Stdout() io.ReadCloser
	Stderr() io.ReadCloser
	Kill()      // at once, not to be refused; nothing happens to one that is gone
	Wait() exit // until it is gone; called once
}

// An exit is how a process ended and what it had used.
type exit struct {
	code         int    // -1 if a signal ended it, or unknown
	signal       string // "" if it exited
	user, system time.Duration
}
