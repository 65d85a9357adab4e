package cli

import (
	"errors"

	"procpool/internal/text"
	"procpool/pool"
)

// notStarted reports whether err is a worker that could not be started, here or by its
// launcher, and prints it.
func (r *runCommand) notStarted(err error) bool {
	var lost *pool.LostWorkerError
	if errors.As(err, &lost) && lost.Launcher == "" {
		return false
	}
	r.progress.note("%s; it is tried again", text.OneLine(err.Error()))
	return true
}
