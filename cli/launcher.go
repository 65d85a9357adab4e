package cli

import (
	"errors"

	"procpool/internal/text"
	"procpool/pool"
)

// notLaunched reports whether err is a worker that its launcher did not start, and
// prints it.
func (r *runCommand) notLaunched(err error) bool {
	var lost *pool.LostWorkerError
	if !errors.As(err, &lost) || lost.Launcher == "" {
		return false
	}
	r.progress.note("%s; it is tried again", text.OneLine(err.Error()))
	return true
}
