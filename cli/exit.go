package cli

import (
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"syscall"

	"procpool/internal/text"
	"procpool/pool"
)

// The exit codes.
const (
	exitDone     = 0
	exitFailed   = 1
	exitUsage    = 2
	exitDiffer   = 3
	exitExpect   = 4
	exitDeadline = 124
	exitSignal   = 128 // plus the signal's number
)

// exitCodes explains each, for help texts.
func exitCodes() []explained {
	return []explained{
		{"0", "done"},
		{"1", "the work failed"},
		{"2", "usage or bad input"},
		{"3", "results differ between backends"},
		{"4", "an --expect was not met"},
		{"124", "a deadline passed"},
		{"128+n", "ended by signal n"},
	}
}

// An explained name is a row of help or the manual page.
type explained struct{ Name, Meaning string }

// exitLine prints the table as a sentence.
func exitLine() string {
	var parts []string
	for _, c := range exitCodes() {
		parts = append(parts, c.Name+" "+c.Meaning)
	}
	return "exit codes: " + strings.Join(parts, ", ")
}

// A failure is an error with an exit code and perhaps a hint.
type failure struct {
	code int
	err  error
	hint string
}

func (f *failure) Error() string { return f.err.Error() }
func (f *failure) Unwrap() error { return f.err }

// usage returns an error for a mistake of the user, exit code 2.
func usage(format string, args ...any) error {
	return &failure{code: exitUsage, err: fmt.Errorf(format, args...)}
}

// usageHint returns the error of usage with a hint what to do instead.
func usageHint(what, hint string) error {
	return &failure{code: exitUsage, err: errors.New(what), hint: hint}
}

// badInput returns err as a mistake of the user, exit code 2.
func badInput(err error) error { return &failure{code: exitUsage, err: err} }

// exit prints err and returns its exit code: 1 for an error that is no failure and no
// OptionsError, even if it is an exec.ExitError with another code.
func (p *program) exit(err error) int {
	if err == nil {
		return exitDone
	}
	if errors.Is(err, syscall.EPIPE) {
		dieOfPipe() // like any filter without a reader
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
	fmt.Fprintf(p.Stderr, "%s: %s\n", p.Name, text.OneLine(err.Error()))
	if hint != "" {
		fmt.Fprintf(p.Stderr, "hint: %s\n", text.OneLine(hint))
	}
	return code
}

// writing adds to an error what was being written.
func writing(what string, err error) error {
	if err == nil || errors.Is(err, syscall.EPIPE) {
		return err
	}
	return fmt.Errorf("writing %s: %w", what, plainError(err))
}

// plainError returns the system's error without the name of the file.
func plainError(err error) error {
	var path *fs.PathError
	if errors.As(err, &path) {
		return path.Err
	}
	return err
}
