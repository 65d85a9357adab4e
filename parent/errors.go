package parent

import (
	"errors"
	"fmt"
	"time"
)

// A SilenceError says that a worker sent nothing for longer than the heartbeat or, while
// it was starting, for longer than the startup timeout.
type SilenceError struct {
	Limit    time.Duration
	Starting bool
}

func (e *SilenceError) Error() string {
	if e.Starting {
		return fmt.Sprintf("no hello within %v", e.Limit)
	}
	return fmt.Sprintf("silent for longer than %v", e.Limit)
}

// A BuildError says that a worker runs another build than this process.
type BuildError struct{ Theirs, Ours string }

func (e *BuildError) Error() string {
	return fmt.Sprintf("it is another build, %q; this is %q", e.Theirs, e.Ours)
}

// A StartFailure says that a worker's own start failed, such as a function registered
// with OnStart. Text is the worker's error.
type StartFailure struct{ Text string }

func (e *StartFailure) Error() string { return "its start failed: " + e.Text }

var (
	// ErrNoHello says that a worker's output ended before its hello.
	ErrNoHello = errors.New("it ended before it said hello")
	// ErrHeldBack says that a worker's hello arrived only after its input was closed.
	ErrHeldBack = errors.New("its hello came only after its input was closed: the launcher buffers its output")
	// ErrTerminal says that a worker's standard input is a terminal.
	ErrTerminal = errors.New("its standard input is a terminal, which changes bytes")

	errStopped     = errors.New("no more processes are started")
	errUnwanted    = errors.New("its work is wanted no more")
	errTimeout     = errors.New("a request took too long")
	errInputClosed = errors.New("it closed its input")
)
