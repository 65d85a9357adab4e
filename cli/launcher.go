package cli

import (
	"errors"

	"procpool/internal/text"
	"procpool/pool"
)

// notStarted reports whether err says that a worker or its launcher did not start, and if
// so prints a note.
func (r *runCommand) notStarted(err error) bool {
	var lost *pool.LostWorkerError
	if errors.As(err, &lost) && lost.Launcher == "" {
		return false
	}
	r.progress.note("%s; it is tried again", text.OneLine(err.Error()))
	return true
}
