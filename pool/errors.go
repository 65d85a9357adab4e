package pool

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"procpool/internal/text"
	"procpool/ipc"
	"procpool/parent"
	"procpool/placement"
	"procpool/task"
)

// ErrClosed is the error of calls to a pool that is closed or shut down, and of calls that
// Close ended.
var ErrClosed = errors.New("the pool is closed")

// Run returns ErrStopped when [Workload.Stop] ended it, and ErrDeadline when its deadline
// passed.
var (
	ErrStopped  = errors.New("stopped before all was done")
	ErrDeadline = errors.New("the deadline has passed")
)

// An Input says which piece of work an error is about: an interval of a sum,
// or an input of a map by its place in the sequence, counted from 0.
type Input struct {
	Task     string
	Index    int64
	Interval ipc.Interval
	IsSum    bool
}

func (in Input) String() string {
	if in.IsSum {
		return fmt.Sprintf("%s over %v", in.Task, in.Interval)
	}
	return fmt.Sprintf("%s of input %d", in.Task, in.Index)
}

// A TaskError says that a task returned an error or panicked for one input. The input is
// run again only if the call has [RetryErrors]. Unwrap returns the *task.Error, which has
// the text and the stack.
type TaskError struct {
	Input    Input
	Err      *task.Error
	Attempts int // how often it failed in this way; 0 = once
}

func (e *TaskError) Error() string {
	if e.Attempts > 1 {
		return fmt.Sprintf("%v, %d times: %v", e.Input, e.Attempts, e.Err)
	}
	return fmt.Sprintf("%v: %v", e.Input, e.Err)
}
func (e *TaskError) Unwrap() error { return e.Err }

// An InputError says that an input cannot be sent to a worker: it has a [ValueError], or is
// longer than Options.MaxMessage.
type InputError struct {
	Input Input
	Err   error
}

func (e *InputError) Error() string { return fmt.Sprintf("%v: %v", e.Input, e.Err) }
func (e *InputError) Unwrap() error { return e.Err }

// A ValueError says that a value, such as a cycle, would not arrive as it was sent; see
// [Define].
type ValueError = ipc.ValueError

// A TypeError says that no value of a type can be sent. Every call of a task with such a
// type returns it.
type TypeError = ipc.TypeError

// An OutputError says that the methods of an output's own type failed to decode it.
type OutputError struct {
	Input Input
	Err   error
}

func (e *OutputError) Error() string { return fmt.Sprintf("%v: output: %v", e.Input, e.Err) }
func (e *OutputError) Unwrap() error { return e.Err }

// InputOf returns the input that an error is about. It returns false for an error of the
// whole call: it was cancelled, the pool was closed, or no worker can be started.
func InputOf(err error) (Input, bool) {
	var failed *TaskError
	var in *InputError
	var out *OutputError
	var lost *LostWorkerError
	var late *TimeoutError
	switch {
	case errors.As(err, &failed):
		return failed.Input, true
	case errors.As(err, &in):
		return in.Input, true
	case errors.As(err, &out):
		return out.Input, true
	case errors.As(err, &late):
		return late.Input, true
	case errors.As(err, &lost) && lost.Attempts > 0:
		return lost.Input, true
	}
	return Input{}, false
}

// A LostWorkerError says that a worker process ended before its work was done. As the error
// of an input it means that every worker that computed the input was lost; it describes the
// last of them.
type LostWorkerError struct {
	Input    Input // zero where no single input is to blame
	Worker   int   // index of the worker
	PID      int
	Host     string   // "" for this one; before its hello, the one that it was to run on
	Launcher string   // that did not bring it to its hello; "" if it said hello or was started without one
	Signal   string   // that ended it, such as "killed"; "" if it exited
	ExitCode int      // -1 if a signal ended it or it is unknown
	Stderr   []string // the last lines of its standard error; before them, of a Go crash, the first
	CPULimit int64    // the limit of CPU time, in seconds, for which the system ended it; 0 if it did not
	OOM      string   // evidence that the system was out of memory; "" if there is none
	Attempts int      // how many workers met the input
	Err      error    // what the parent saw first, such as an *ipc.Fault; may be nil

	// MayHaveRun is set where an input is sent to a worker once at most (see
	// [Retries]): whether it was computed, in part or whole, is not known.
	MayHaveRun bool
}

func (e *LostWorkerError) Error() string {
	var b strings.Builder
	if e.Attempts > 0 {
		fmt.Fprintf(&b, "%v: ", e.Input)
	}
	if e.Launcher != "" {
		fmt.Fprintf(&b, "worker %d%s does not start by %q: %s", e.Worker, hostSuffix(e.Host), e.Launcher, e.how())
	} else {
		fmt.Fprintf(&b, "worker %d (pid %d%s) %s", e.Worker, e.PID, hostSuffix(e.Host), e.how())
	}
	if e.CPULimit > 0 {
		fmt.Fprintf(&b, ", at its limit of CPU time, %d s (ulimit -t)", e.CPULimit)
	}
	if e.OOM != "" {
		fmt.Fprintf(&b, ", %s", e.OOM)
	}
	if e.Attempts > 1 {
		fmt.Fprintf(&b, "; %d workers were lost with it", e.Attempts)
	}
	if e.MayHaveRun {
		b.WriteString("; the input may have been computed, and is sent once at most")
	}
	if len(e.Stderr) > 0 {
		fmt.Fprintf(&b, "; its last words: %s", lastWords(e.Stderr))
	}
	return b.String()
}

// lastWords picks the most telling line: what a Go crash begins with, else the last.
func lastWords(lines []string) string {
	if parent.IsCrash(lines[0]) {
		return lines[0]
	}
	return lines[len(lines)-1]
}

// how says how the worker ended, and why as far as the signal or the exit code do not.
func (e *LostWorkerError) how() string {
	ended := fmt.Sprintf("exited with code %d", e.ExitCode)
	switch {
	case e.Signal != "":
		ended = "was ended by signal: " + e.Signal
	case e.ExitCode < 0:
		ended = "ended in an unknown way"
	}
	switch {
	case e.Launcher != "":
		return fmt.Sprintf("%v (the launcher %s)", e.Err, ended)
	case e.Err == nil && e.Signal == "" && e.ExitCode >= 0:
		return ended + " before its work was done"
	case e.Err == nil:
		return ended
	case e.Err == parent.ErrNoHello:
		return ended + " before it said hello"
	case e.Err == errEnded:
		return "had to be ended"
	case e.Signal == "killed": // for that
		return fmt.Sprintf("was killed: %v", e.Err)
	}
	return fmt.Sprintf("%s: %v", ended, e.Err)
}

// Unwrap gives what the parent saw first: an *ipc.Fault, a [SilenceError], or nil.
func (e *LostWorkerError) Unwrap() error { return e.Err }

// A SilenceError says that a worker sent nothing for longer than the heartbeat or, while it
// was starting, for longer than the startup timeout.
type SilenceError = parent.SilenceError

// A TimeoutError says that an input took longer than its timeout in every attempt.
type TimeoutError struct {
	Input    Input
	Limit    time.Duration
	Attempts int
	PID      int // of the last worker, if it was killed since the task did not heed its context; else 0
}

func (e *TimeoutError) Error() string {
	times := ""
	if e.Attempts > 1 {
		times = fmt.Sprintf(", %d times", e.Attempts)
	}
	end := ""
	if e.PID > 0 {
		end = fmt.Sprintf("; worker killed (pid %d)", e.PID)
	}
	return fmt.Sprintf("%v: took longer than %v%s%s", e.Input, e.Limit, times, end)
}

// Timeout returns true, as for a net.Error that is a timeout.
func (e *TimeoutError) Timeout() bool { return true }

// A StartError says that the pool's workers cannot be started. Unwrap returns the error
// of the last attempt.
type StartError struct {
	Tries int // starts that failed in a row
	Err   error
}

func (e *StartError) Error() string {
	return fmt.Sprintf("no worker can be started (%d tries): %v", e.Tries, e.Err)
}
func (e *StartError) Unwrap() error { return e.Err }

// A FailedChunksError says that a run went on when chunks failed; see
// [Workload.OnFailed]. Unwrap gives the error of the one that failed first.
type FailedChunksError struct {
	Chunks int64      // that failed
	Failed []Interval // what they cover, merged, in order
	First  error
}

func (e *FailedChunksError) Error() string {
	const most = 8
	list := fmt.Sprint(e.Failed[:min(len(e.Failed), most)])
	list = list[1 : len(list)-1]
	if n := len(e.Failed) - most; n > 0 {
		list = fmt.Sprintf("%s and %d more", list, n)
	}
	return fmt.Sprintf("%s failed: %s; the first: %v", text.Plural(e.Chunks, "chunk"), list, e.First)
}
func (e *FailedChunksError) Unwrap() error { return e.First }

// A ThreadsError says that the system has no room for the threads of the workers. New
// checks this before it starts any.
type ThreadsError = placement.ThreadsError

func hostSuffix(host string) string {
	if host == "" {
		return ""
	}
	return " on " + host
}
