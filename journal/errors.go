package journal

import (
	"errors"
	"fmt"
	"io/fs"
	"syscall"
)

// An ExistsError is returned if the file to create exists already. For errors.Is it
// is fs.ErrExist.
type ExistsError struct{ Path string }

func (e *ExistsError) Error() string { return fmt.Sprintf("journal %s exists already", e.Path) }

// Is reports whether target is fs.ErrExist.
func (e *ExistsError) Is(target error) bool { return target == fs.ErrExist }

// Hint says what the user can do.
func (e *ExistsError) Hint() string {
	return "name another file, or continue the journal of a run with --resume; an existing file is never overwritten"
}

// A LockedError is returned if another process is writing to the journal.
type LockedError struct {
	Path   string
	Holder string // the process and its host, where a file takes the place of a lock
	File   string // that file
}

func (e *LockedError) Error() string {
	by := "another process"
	if e.Holder != "" {
		by = e.Holder
	}
	return fmt.Sprintf("journal %s is in use by %s", e.Path, by)
}

// Hint says what the user can do.
func (e *LockedError) Hint() string {
	if e.File != "" {
		return "wait until that run has ended; if it has, remove " + e.File + ", which says that it goes on"
	}
	return "wait until that run has ended; it holds a lock while it lives"
}

// errLocked is returned by openExclusive and openShared for a locked file.
var errLocked = errors.New("locked by another process")

// A MismatchError is returned for a journal of another job, which cannot be continued
// or added to others.
type MismatchError struct {
	Path  string
	Field string // first part of the header that differs, in words
	Have  string // what the journal has
	Want  string // what it should have
}

func (e *MismatchError) Error() string {
	return fmt.Sprintf("journal %s belongs to another job: its %s is %s, here it is %s", e.Path, e.Field, e.Have, e.Want)
}

// Hint says what the user can do.
func (e *MismatchError) Hint() string {
	return "repeat the command that started the journal, or name another file"
}

// A DamageError says what is wrong with a line that was changed after it was written. It
// costs the chunk of that line, and the journal only if it is the header.
type DamageError struct {
	Path   string
	Line   int   // its number; the header is line 1
	Offset int64 // of its first byte
	Reason string
}

func (e *DamageError) Error() string {
	return fmt.Sprintf("journal %s:%d is damaged: %s", e.Path, e.Line, e.Reason)
}

// A SharedError is returned if another process writes to the journal although this one
// has locked it: on another machine, whose locks are its own. Lines of both are kept.
type SharedError struct{ Path string }

func (e *SharedError) Error() string {
	return fmt.Sprintf("journal %s is written by another process, too", e.Path)
}

// Hint says what the user can do.
func (e *SharedError) Hint() string {
	return "end both, and continue with one of them and --resume: what either has finished is kept"
}

// A SyncError is returned if the system reports that it could not bring the journal to
// the disk. Lines that were written before, and can still be read, may be lost too.
type SyncError struct {
	Path      string
	Err       error
	Discarded bool // the journal was new, and is removed
}

func (e *SyncError) Error() string {
	return fmt.Sprintf("journal %s could not be brought to the disk: %v", e.Path, e.Err)
}

func (e *SyncError) Unwrap() error { return e.Err }

// Hint says what the user can do.
func (e *SyncError) Hint() string {
	if e.Discarded {
		what := "mend the disk"
		if errors.Is(e.Err, syscall.ENOSPC) || errors.Is(e.Err, syscall.EDQUOT) {
			what = "make room"
		}
		return "the new journal is removed: " + what + ", then repeat the command"
	}
	return "what it holds is uncertain, also where it can be read now: mend the disk first, then see whether --resume still accepts it"
}

// discarded says of a new journal, which is removed because of err, that it is.
func discarded(err error) error {
	var unsynced *SyncError
	if errors.As(err, &unsynced) {
		unsynced.Discarded = true
	}
	return err
}

// withoutPath returns the system's error without the name of a file.
func withoutPath(err error) error {
	var path *fs.PathError
	if errors.As(err, &path) {
		return path.Err
	}
	return err
}

// A FormatError is returned for a file that is not a journal, or that has a format
// which this build does not know.
type FormatError struct {
	Path   string
	Reason string
}

func (e *FormatError) Error() string { return fmt.Sprintf("%s is not a journal: %s", e.Path, e.Reason) }
