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

// A watch turns signals into a run's end: the first asks for it (nothing more
// is handed out, what is in hand may finish), the second cuts it off.
type watch struct {
	ctx    context.Context // ends with the second signal
	stop   chan struct{}   // is closed by the first
	cancel context.CancelFunc
	came   chan os.Signal

	timer    *time.Timer // until it listens
	mu       sync.Mutex
	seen     os.Signal // the first
	released bool
	done     chan struct{}
}

func newWatch(ctx context.Context) *watch {
	ctx, cancel := context.WithCancel(ctx)
	return &watch{ctx: ctx, cancel: cancel, stop: make(chan struct{}), came: make(chan os.Signal, 2), done: make(chan struct{})}
}

// tooShort is how long a run must last before signals ask it to end in order.
// To listen takes threads, which in the first moment are in the way of the
// workers' start: a tenth of a run that has nothing to do. Until then a signal ends this
// process, and with it its workers, as it does by default; a journal bears that.
const tooShort = 10 * time.Millisecond

// listen watches for the signals that ask a job to end, from the moment on that
// the run is not too short. release must follow.
func (w *watch) listen() { w.timer = time.AfterFunc(tooShort, w.begin) }

// begin listens. A signal that was ignored when this process started (nohup, &
// in a script) stays ignored; Go's runtime tells that of SIGHUP and SIGINT alone.
func (w *watch) begin() {
	w.mu.Lock()
	if w.released {
		w.mu.Unlock()
		return
	}
	for _, s := range endingSignals {
		if !signal.Ignored(s) {
			signal.Notify(w.came, s)
		}
	}
	w.mu.Unlock()
	w.run()
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

// first is the signal that asked for the end, or nil.
func (w *watch) first() os.Signal {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.seen
}

// explains reports whether a worker was lost because the job as a whole is told
// to end. A signal to the process group, as of Ctrl-C or a batch system, also
// meets workers that are too young to ignore it, and may do so a moment before
// it is seen here.
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
	if w.timer != nil {
		w.timer.Stop()
	}
	w.mu.Lock()
	w.released = true
	w.mu.Unlock()
	signal.Stop(w.came)
	close(w.done)
	w.cancel()
}
