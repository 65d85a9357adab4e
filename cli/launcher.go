package cli

import (
	"errors"

	"procpool/internal/text"
	"procpool/pool"
)

// notedUnstarted limits how many workers that did not start are reported one by
// one. Where one does not start, hundreds may not.
const notedUnstarted = 3

// notStarted reports whether err is a worker that could not be started, here or by its
// launcher, and prints it.
func (r *runCommand) notStarted(err error) bool {
	var lost *pool.LostWorkerError
	if errors.As(err, &lost) && lost.Launcher == "" {
		return false
	}
	if r.unstarted++; r.unstarted <= notedUnstarted || r.verbose {
		r.progress.note("%s; it is tried again", text.OneLine(err.Error()))
	}
	return true
}
