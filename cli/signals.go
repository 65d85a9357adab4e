package cli

import (
	"context"
	"errors"
	"os"
	"os/signal"
	"slices"
	"sync"
	"time"

	"procpool/pool"
)

// A watch turns signals into a run's end. After the first, nothing more is handed
// out, and chunks in flight may finish. The second cuts the run off.
type watch struct {
	ctx    context.Context // ends with the second signal
	stop   chan struct{}   // is closed by the first
	cancel context.CancelFunc
	came   chan os.Signal
	done   chan struct{} // is closed by release

	mu   sync.Mutex
	seen os.Signal // the first
}

// newWatch listens from now on, until release. A signal that was ignored when this
// process started (nohup, & in a script) stays ignored; Go's runtime tells that
// of SIGHUP and SIGINT alone.
func newWatch(ctx context.Context) *watch {
	ctx, cancel := context.WithCancel(ctx)
	w := &watch{ctx: ctx, cancel: cancel, stop: make(chan struct{}), came: make(chan os.Signal, 2), done: make(chan struct{})}
	for _, s := range endingSignals {
		if !signal.Ignored(s) {
			signal.Notify(w.came, s)
		}
	}
	go w.run()
	return w
}

func (w *watch) run() {
	for {
		select {
		case s := <-w.came:
			w.mu.Lock()
			first := w.seen == nil
			if first {
				w.seen = s
			}
			w.mu.Unlock()
			if !first {
				w.cancel()
				return
			}
			close(w.stop)
		case <-w.done:
			return
		}
	}
}

// first returns the signal that asked for the end, or nil.
func (w *watch) first() os.Signal {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.seen
}

// explains reports whether a worker was lost because the run as a whole is asked
// to end. A signal to the process group, as of Ctrl-C or a batch system, also
// kills workers that do not ignore it yet, and may do so a moment before it is
// seen here.
func (w *watch) explains(err error) bool {
	if w.first() != nil {
		return true
	}
	var lost *pool.LostWorkerError
	if !errors.As(err, &lost) || !slices.ContainsFunc(endingSignals, func(s os.Signal) bool { return s.String() == lost.Signal }) {
		return false
	}
	select {
	case <-w.stop:
		return true
	case <-time.After(200 * time.Millisecond):
		return false
	}
}

// release gives signals their former meaning.
func (w *watch) release() {
	signal.Stop(w.came)
	close(w.done)
	w.cancel()
}
