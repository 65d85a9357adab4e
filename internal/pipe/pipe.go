// Package pipe is what both ends of a worker's pipes need: to notice that the
// other end lives, and to make a pipe wider for large messages.
package pipe

import (
	"io"
	"sync/atomic"
)

// A HeardReader reads R and notes in Heard that bytes came, which whoever
// watches for silence takes back. Messages would not do: a long one may take
// longer than a heartbeat. Heard belongs to the watcher.
type HeardReader struct {
	R     io.Reader
	Heard *atomic.Bool
}

// Read reads R.
func (h *HeardReader) Read(b []byte) (int, error) {
	n, err := h.R.Read(b)
	if n > 0 {
		h.Heard.Store(true)
	}
	return n, err
}
