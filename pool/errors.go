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

// ErrClosed is returned by calls of a pool that was closed or shut down.
var ErrClosed = errors.New("the pool is closed")

// [Pool.Run] returns ErrStopped if Workload.Stop was closed before all was done, and
// ErrDeadline if Workload.Deadline passed.
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

// A TaskError reports that a task returned an error or panicked on one input. The input
// is run again only if the call has [RetryErrors]. Unwrap returns the *task.Error, which
// has the text and the stack.
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

// An InputError reports an input that was not sent, because it cannot be encoded
// without loss (Err is a [ValueError]) or is larger than Options.MaxMessage.
type InputError struct {
	Input Input
	Err   error
}

func (e *InputError) Error() string { return fmt.Sprintf("%v: %v", e.Input, e.Err) }
func (e *InputError) Unwrap() error { return e.Err }

// A ValueError reports a value that cannot be encoded without loss, such as one that
// contains itself; see [Define].
type ValueError = ipc.ValueError

// A TypeError reports a type whose values cannot be sent, such as a channel. Every call
// of a task with such a type returns it.
type TypeError = ipc.TypeError

// An OutputError reports an output whose own decoding method returned an error or
// panicked.
type OutputError struct {
	Input Input
	Err   error
}

func (e *OutputError) Error() string { return fmt.Sprintf("%v: output: %v", e.Input, e.Err) }
func (e *OutputError) Unwrap() error { return e.Err }

// InputOf returns the input that err is about. It reports false if err is about the run
// as a whole: the run was cancelled, the pool was closed, no worker can be started.
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

// A LostWorkerError reports that a worker process ended while it was still needed. As
// the error of an input it means that every worker which was sent the input was lost; it
// describes the last of them.
type LostWorkerError struct {
	Input    Input // zero if no single input is to blame
	Worker   int   // index of the worker
	PID      int
	Host     string   // "" for this machine; before the worker's hello, the host that it was meant for
	Launcher string   // the launcher, if the worker ended before its hello; else ""
	Signal   string   // the signal that ended it, such as "killed"; "" if it exited
	ExitCode int      // -1 if a signal ended it or the code is unknown
	Stderr   []string // the last lines of its standard error; after a Go crash, preceded by the crash's first line
	CPULimit int64    // the limit of CPU time in seconds, if the system ended the worker for it; else 0
	OOM      string   // evidence that the system was out of memory; "" if there is none
	Attempts int      // how many workers were sent the input
	Err      error    // what the parent saw first, such as an *ipc.Fault; may be nil

	// MayHaveRun is set for an input that is sent at most once (see [Retries]). The
	// input may have been computed, in part or as a whole.
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

// lastWords returns the first line of a Go crash, or else the last line.
func lastWords(lines []string) string {
	if parent.IsCrash(lines[0]) {
		return lines[0]
	}
	return lines[len(lines)-1]
}

// how describes how the worker ended, and adds Err where the signal or the exit code
// does not say why.
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
	case e.Signal == "killed": // the parent killed it because of Err
		return fmt.Sprintf("was killed: %v", e.Err)
	}
	return fmt.Sprintf("%s: %v", ended, e.Err)
}

// Unwrap returns what the parent saw first: an *ipc.Fault, a [SilenceError], or nil.
func (e *LostWorkerError) Unwrap() error { return e.Err }

// A SilenceError reports a worker that sent nothing for longer than Options.Heartbeat,
// or no hello within Options.StartupTimeout.
type SilenceError = parent.SilenceError

// A TimeoutError reports an input that took longer than its timeout on every attempt.
type TimeoutError struct {
	Input    Input
	Limit    time.Duration
	Attempts int
	PID      int // of the last worker, if it was killed because the task did not heed its context; else 0
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

// Timeout returns true, as for a net.Error.
func (e *TimeoutError) Timeout() bool { return true }

// A StartError reports that no worker of a pool could be started, after several tries.
// Unwrap returns the error of the last try.
type StartError struct {
	Tries int // starts that failed in a row
	Err   error
}

func (e *StartError) Error() string {
	return fmt.Sprintf("no worker can be started (%d tries): %v", e.Tries, e.Err)
}
func (e *StartError) Unwrap() error { return e.Err }

// A FailedChunksError reports a run that went on when chunks failed, see
// [Workload.OnFailed]. Unwrap returns the error of the chunk that failed first.
type FailedChunksError struct {
	Chunks int64      // number of chunks that failed
	Failed []Interval // the intervals that they cover, merged, in order
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

// A ThreadsError reports that the system's limits leave no room for the threads of the
// workers. New checks this before it starts any.
type ThreadsError = placement.ThreadsError

func hostSuffix(host string) string {
	if host == "" {
		return ""
	}
	return " on " + host
}
