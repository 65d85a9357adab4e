package cli

import (
	"fmt"
	"os"
	"sync"
	"time"
)

// A stderrWriter writes to standard error without ever stopping the run. If the reader is
// slow it keeps up to keptBytes, and drops and counts messages beyond. If the reader is
// gone it drops everything.
type stderrWriter struct {
	name string // of the program
	fd   uintptr

	mu      sync.Mutex
	kept    []byte
	taken   chan struct{} // closed when kept has been written
	writing bool          // a goroutine is writing
	stuck   bool          // the reader did not read within patience
	lost    int           // writes
}

const (
	keptBytes = 1 << 20
	// patience is how long a write waits for the reader, so that in a terminal lines of
	// both streams are in order.
	patience = 100 * time.Millisecond
)

func newStderr(name string) *stderrWriter {
	return &stderrWriter{name: name, fd: os.Stderr.Fd(), taken: make(chan struct{})}
}

// Fd lets package terminal find out whether standard error is a terminal.
func (w *stderrWriter) Fd() uintptr { return w.fd }

func (w *stderrWriter) Write(b []byte) (int, error) {
	w.mu.Lock()
	if len(w.kept)+len(b) > keptBytes {
		w.lost++
		w.mu.Unlock()
		return len(b), nil
	}
	w.kept = append(w.kept, b...)
	taken, stuck := w.taken, w.stuck
	if !w.writing {
		w.writing = true
		go w.drain()
	}
	w.mu.Unlock()
	if !stuck && !within(patience, taken) {
		w.mu.Lock()
		w.stuck = true
		w.mu.Unlock()
	}
	return len(b), nil
}

// drain writes until nothing is kept. It drops errors, having nowhere to report them.
func (w *stderrWriter) drain() {
	w.mu.Lock()
	defer w.mu.Unlock()
	for len(w.kept) > 0 {
		batch, taken := w.kept, w.taken
		w.kept, w.taken = nil, make(chan struct{})
		if w.lost > 0 {
			batch = fmt.Appendf(batch, "%s: %d messages are not shown: nobody was reading\n", w.name, w.lost)
			w.lost = 0
		}
		w.mu.Unlock()
		writeWithoutSIGPIPE(w.fd, batch)
		w.mu.Lock()
		w.stuck = false
		close(taken)
	}
	w.writing = false
}

// flush waits for a slow reader, at the end of the program.
func (w *stderrWriter) flush() {
	for begin := time.Now(); time.Since(begin) < endsWithin/2; time.Sleep(time.Millisecond) {
		w.mu.Lock()
		done := !w.writing
		w.mu.Unlock()
		if done {
			return
		}
	}
}

// within waits for c to be closed, and reports whether it was in time.
func within(d time.Duration, c <-chan struct{}) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-c:
		return true
	case <-timer.C:
		return false
	}
}
