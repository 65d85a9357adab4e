package cli

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"syscall"

	"procpool/pool"
)

// The exit codes, all of them.
const (
	exitDone     = 0
	exitFailed   = 1
	exitUsage    = 2
	exitDiffer   = 3
	exitExpect   = 4
	exitDeadline = 124
	exitSignal   = 128 // plus the signal's number
)

// exitCodes says what each means, for help texts.
func exitCodes() []exitCode {
	return []exitCode{
		{"0", "done"},
		{"1", "the work failed"},
		{"2", "usage or bad input"},
		{"3", "results differ between backends"},
		{"4", "an --expect was not met"},
		{"124", "a deadline passed"},
		{"128+n", "ended by signal n"},
	}
}

type exitCode struct{ code, meaning string }

// A failure is an error with an exit code and perhaps a hint.
type failure struct {
	code int
	err  error
	hint string
}

func (f *failure) Error() string { return f.err.Error() }
func (f *failure) Unwrap() error { return f.err }

// usage is the user's mistake.
func usage(format string, args ...any) error {
	return &failure{code: exitUsage, err: fmt.Errorf(format, args...)}
}

// usageHint is the user's mistake and what to do about it.
func usageHint(what, hint string) error {
	return &failure{code: exitUsage, err: errors.New(what), hint: hint}
}

// badInput makes err the user's mistake: something that was asked for cannot be had.
func badInput(err error) error { return &failure{code: exitUsage, err: err} }

// exit reports err and returns the exit code that stands for it.
func (e *env) exit(err error) int {
	if err == nil {
		return exitDone
	}
	if errors.Is(err, syscall.EPIPE) {
		dieOfPipe() // as any filter does whose reader has gone
		return exitFailed
	}
	code, hint := exitFailed, ""
	var f *failure
	var options *pool.OptionsError
	var hinted interface{ Hint() string }
	if errors.As(err, &options) {
		code = exitUsage
	}
	if errors.As(err, &hinted) {
		hint = hinted.Hint()
	}
	if errors.As(err, &f) {
		code = f.code
		if f.hint != "" {
			hint = f.hint
		}
	}
	fmt.Fprintf(e.stderr, "procpool: %s\n", oneLine(err.Error()))
	if hint != "" {
		fmt.Fprintf(e.stderr, "hint: %s\n", oneLine(hint))
	}
	return code
}

// oneLine keeps a message, which may quote anything, on a line of its own.
func oneLine(s string) string {
	s = strings.ReplaceAll(strings.TrimSpace(s), "\n", "; ")
	return strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return ' '
		}
		return r
	}, s)
}

// writing names the failure of an output.
func writing(what string, err error) error {
	if err == nil || errors.Is(err, syscall.EPIPE) {
		return err
	}
	var path *os.PathError
	if errors.As(err, &path) {
		err = path.Err
	}
	return fmt.Errorf("writing %s: %w", what, err)
}
