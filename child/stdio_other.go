//go:build !unix

package child

import (
	"errors"
	"io"
	"os"
	"os/signal"
	"syscall"
)

// claimStdio keeps the standard streams for the worker. What Go code prints goes
// to stderr. Code that writes to the stdout handle itself still reaches it.
func claimStdio(bool) (in, out *os.File, err error) {
	in, out = os.Stdin, os.Stdout
	os.Stdout = os.Stderr
	os.Stdin, err = os.Open(os.DevNull)
	return in, out, err
}

// readerGone always returns false: only a write can tell here.
func readerGone(io.Writer) bool { return false }

func isBrokenPipe(err error) bool {
	return errors.Is(err, syscall.EPIPE) || errors.Is(err, io.ErrClosedPipe)
}

// ignoreSignals ignores Ctrl-C: the parent decides what it means.
func ignoreSignals() { signal.Ignore(os.Interrupt) }
