package journal

import (
	"errors"
	"fmt"
	"io/fs"
)

// An ExistsError is the refusal to create a journal where a file is already.
// It is fs.ErrExist to errors.Is.
type ExistsError struct{ Path string }

func (e *ExistsError) Error() string { return fmt.Sprintf("journal %s exists already", e.Path) }

// Is makes the error an fs.ErrExist.
func (e *ExistsError) Is(target error) bool { return target == fs.ErrExist }

// Hint says what can be done about it.
func (e *ExistsError) Hint() string {
	return "name another file, or continue the journal of a run with --resume; an existing file is never overwritten"
}

// A LockedError is the refusal to use a journal to which a living process is
// writing.
type LockedError struct{ Path string }

func (e *LockedError) Error() string {
	return fmt.Sprintf("journal %s is in use by another process", e.Path)
}

// Hint says what can be done about it.
func (e *LockedError) Hint() string {
	return "wait until that run has ended; it holds a lock while it lives"
}

// errLocked is what the platform's open returns for a locked file.
var errLocked = errors.New("locked by another process")

// A MismatchError is the refusal to continue a journal of another job, or to
// add it to others.
type MismatchError struct {
	Path  string
	Field string // the name of the first header field that differs, as the journal spells it
	Have  string // what the journal says
	Want  string // what it should say
}

func (e *MismatchError) Error() string {
	return fmt.Sprintf("journal %s belongs to another job: its %s is %s, here it is %s", e.Path, e.Field, e.Have, e.Want)
}

// Hint says what can be done about it.
func (e *MismatchError) Hint() string {
	return "repeat the command that started the journal, or name another file"
}

// A DamageError says where a journal is not what its writer wrote, other than
// by ending early.
type DamageError struct {
	Path   string
	Line   int   // counted from 1, which is the header
	Offset int64 // of the line's first byte; everything before it is good
	Reason string
}

func (e *DamageError) Error() string {
	return fmt.Sprintf("journal %s:%d is damaged: %s", e.Path, e.Line, e.Reason)
}

// Hint says what can be done about it; empty for a damaged header, which
// leaves nothing to continue.
func (e *DamageError) Hint() string {
	if e.Line <= 1 {
		return ""
	}
	return fmt.Sprintf("to keep only the lines before it, cut a copy with: truncate -s %d FILE", e.Offset)
}

// A FormatError is a file that is no journal, or one of a format that this
// build does not know.
type FormatError struct {
	Path   string
	Reason string

	cut bool // the file is empty, or ends within what may be a header
}

func (e *FormatError) Error() string { return fmt.Sprintf("%s is not a journal: %s", e.Path, e.Reason) }
