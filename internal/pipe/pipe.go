// Package pipe has what both ends of a worker's pipes use: a reader that
// reports that the other end is alive, and a way to enlarge a pipe.
package pipe

import (
	"io"
	"sync/atomic"
)

// A WatchedReader reads from R and sets GotBytes whenever bytes arrive. The
// goroutine that watches for silence owns GotBytes and clears it. It counts
// bytes rather than messages because a long message may take longer to arrive
// than the heartbeat allows.
type WatchedReader struct {
	R        io.Reader
	GotBytes *atomic.Bool
}

// Read reads from R.
func (w *WatchedReader) Read(b []byte) (int, error) {
	n, err := w.R.Read(b)
	if n > 0 {
		w.GotBytes.Store(true)
	}
	return n, err
}
