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

// ErrClosed is what a pool answers after Close.
var ErrClosed = errors.New("the pool is closed")

// ErrStopped ends a run that was asked to stop, ErrDeadline one that took too long.
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

// A TaskError is a task's own failure on one input: it returned an error or
// panicked. It is tried again only if the call has [RetryErrors]. Unwrap gives the
// *task.Error with text and stack.
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

// An InputError is an input that cannot travel: it is a [ValueError], or over
// Options.MaxMessage.
type InputError struct {
	Input Input
	Err   error
}

func (e *InputError) Error() string { return fmt.Sprintf("%v: %v", e.Input, e.Err) }
func (e *InputError) Unwrap() error { return e.Err }

// A ValueError is a value that cannot arrive as it is, such as a cycle; see [Define].
type ValueError = ipc.ValueError

// A TypeError is a type of which no value can be sent. Every call of a task that has
// such a type ends with it.
type TypeError = ipc.TypeError

// An OutputError is an output that its own type refused to decode.
type OutputError struct {
	Input Input
	Err   error
}

func (e *OutputError) Error() string { return fmt.Sprintf("%v: output: %v", e.Input, e.Err) }
func (e *OutputError) Unwrap() error { return e.Err }

// InputOf says which input an error is about. It reports false where the error is
// the run's as a whole: it was cancelled, the pool was closed, no worker can be started.
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

// A LostWorkerError is a worker process that ended before its time. As the
// error of an input it means that every worker that met the input was lost, and
// describes the last.
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

// A SilenceError is a worker that said nothing for longer than the heartbeat,
// or, while it was starting, than the startup timeout.
type SilenceError = parent.SilenceError

// A TimeoutError is an input that took longer than its timeout on every try.
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

// Timeout reports true: the error is one of time, as net.Error has it.
func (e *TimeoutError) Timeout() bool { return true }

// A StartError is a pool whose workers cannot be started: each was given up
// after several tries. Unwrap gives the last try's error.
type StartError struct {
	Tries int // starts that failed in a row
	Err   error
}

func (e *StartError) Error() string {
	return fmt.Sprintf("no worker can be started (%d tries): %v", e.Tries, e.Err)
}
func (e *StartError) Unwrap() error { return e.Err }

// A FailedChunksError is a run that went on when chunks failed, see
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

// A ThreadsError is a pool for whose workers' threads the system has no room. New looks
// before it starts any.
type ThreadsError = placement.ThreadsError

func hostSuffix(host string) string {
	if host == "" {
		return ""
	}
	return " on " + host
}
