//go:build !unix

package child

import (
	"errors"
	"io"
	"os"
	"os/signal"
	"syscall"
)

// claimStdio keeps the streams for the worker. What Go code prints goes to
// stderr; code that writes to the handle itself is not kept from it here.
func claimStdio() (in, out *os.File, err error) {
	in, out = os.Stdin, os.Stdout
	os.Stdout = os.Stderr
	os.Stdin, err = os.Open(os.DevNull)
	return in, out, err
}

// nobodyReads cannot be told here without writing; the next write tells.
func nobodyReads(io.Writer) bool { return false }

func isBrokenPipe(err error) bool {
	return errors.Is(err, syscall.EPIPE) || errors.Is(err, io.ErrClosedPipe)
}

// ignoreSignals leaves it to the parent what becomes of Ctrl-C.
func ignoreSignals() { signal.Ignore(os.Interrupt) }
