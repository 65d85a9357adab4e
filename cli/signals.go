package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"slices"
	"sync"
	"time"

	"procpool/internal/newfile"
	"procpool/pool"
)

// A watch handles the signals that ask a program to end, from the first statement of Main
// to the last. Its manner decides what a signal does: most commands die of it, as they
// would without a handler; see [watch.cuts] and [watch.drains] for the others. The
// handler is needed for process 1 of a container, which no signal ends by default.
type watch struct {
	ctx     context.Context // is cancelled when the command must end at once
	stop    chan struct{}   // is closed by the first signal
	cancel  context.CancelFunc
	came    chan os.Signal
	listens chan struct{} // is closed when all signals go to came
	done    chan struct{} // is closed by release

	mu     sync.Mutex
	manner manner
	seen   os.Signal // the first
	at     time.Time // when it came
	last   *time.Timer
}

type manner int

const (
	dies manner = iota
	cuts
	drains
)

const (
	// endsWithin is how long a command may take to end after a signal if it has no result
	// to lose.
	endsWithin = 400 * time.Millisecond
	// sameRequest is how long after the first signal a further one counts as the same
	// request: timeout(1) sends a signal twice, systemd sends SIGTERM and SIGHUP, and a
	// batch system signals both the process and its group.
	sameRequest = time.Second
)

// newWatch listens from now on, until release. A signal that was ignored when this
// process started (nohup, & in a script) stays ignored; Go's runtime tells that
// of SIGHUP and SIGINT alone.
//
// Package os/signal switches threads twice for each signal that it begins or ends to
// catch, a tenth of a short run in all, so another goroutine does it. Until then a
// signal ends the process by default, but for process 1, which waits.
func newWatch() *watch {
	ctx, cancel := context.WithCancel(context.Background())
	w := &watch{ctx: ctx, cancel: cancel, stop: make(chan struct{}), came: make(chan os.Signal, 16), listens: make(chan struct{}), done: make(chan struct{})}
	go w.run()
	if os.Getpid() == 1 {
		<-w.listens
	}
	return w
}

func (w *watch) run() {
	for _, s := range endingSignals {
		if !signal.Ignored(s) {
			signal.Notify(w.came, s)
		}
	}
	close(w.listens)
	for {
		select {
		case s := <-w.came:
			w.signal(s)
		case <-w.done:
			signal.Stop(w.came)
			close(w.came)
			for s := range w.came {
				w.signal(s)
			}
			return
		}
	}
}

func (w *watch) signal(s os.Signal) {
	w.mu.Lock()
	defer w.mu.Unlock()
	first := w.seen == nil
	switch {
	case !first && time.Since(w.at) < sameRequest:
		return
	case w.manner == dies, w.ctx.Err() != nil: // a further request
		die(s)
	case first:
		w.seen, w.at = s, time.Now()
		close(w.stop)
	}
	if !first || w.manner == cuts {
		w.cutOff()
	}
}

// cutOff cancels the context. In the manner cuts it also kills the process after
// endsWithin, if that has not ended by itself. The caller holds mu.
func (w *watch) cutOff() {
	w.cancel()
	if s := w.seen; w.manner == cuts && w.last == nil {
		w.last = time.AfterFunc(endsWithin, func() { die(s) })
	}
}

// cuts makes a signal cancel the context. A signal that came before does so only after
// endsWithin, because the rest of the command is usually short.
func (w *watch) cuts() { w.set(cuts) }

// drains makes the first signal close stop, and the next one cancel the context. The
// process is not killed: the command ends by itself.
func (w *watch) drains() { w.set(drains) }

// dies makes a signal end this process, as it does by default.
func (w *watch) dies() { w.set(dies) }

func (w *watch) set(m manner) {
	if m != dies {
		<-w.listens
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.manner = m
	if m != cuts && w.last != nil {
		w.last.Stop()
		w.last = nil
	}
	if m == cuts && w.seen != nil {
		time.AfterFunc(endsWithin, func() {
			w.mu.Lock()
			defer w.mu.Unlock()
			if w.manner == cuts {
				w.cutOff()
			}
		})
	}
}

// untilAsked returns a context that ends with the first signal.
func (w *watch) untilAsked() (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(w.ctx)
	go func() {
		select {
		case <-w.stop:
			cancel()
		case <-ctx.Done():
		}
	}()
	return ctx, cancel
}

// first returns the signal that asked for the end, or nil.
func (w *watch) first() os.Signal {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.seen
}

// ended returns the failure "ended by SIGNAL" if err is the result of a signal, and else
// err itself.
func (w *watch) ended(err error) error {
	s := w.first()
	var f *failure
	if s == nil || !errors.Is(err, context.Canceled) || errors.As(err, &f) && f.code >= exitSignal {
		return err
	}
	return endedBy(s, err)
}

// endedBy returns the failure of a command that s ended.
func endedBy(s os.Signal, err error) *failure {
	return &failure{code: exitSignal + signalNumber(s), err: fmt.Errorf("ended by %s%w", signalName(s), silent{err})}
}

// silent wraps an error for errors.Is without adding to the text.
type silent struct{ error }

func (silent) Error() string   { return "" }
func (s silent) Unwrap() error { return s.error }

// explains reports whether a worker was lost because the whole run was asked to end.
// Ctrl-C and batch systems signal the process group, which kills workers that do not
// ignore the signal yet. Such a loss may be reported before this process gets the signal,
// so explains waits a moment for it.
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

// release stops handling signals, asynchronously. A signal that comes before then ends
// this process, as it would by default.
func (w *watch) release() {
	w.set(dies)
	close(w.done)
	w.cancel()
}

// die ends this process by a signal. Process 1 of a container cannot die of a signal; it
// exits with 128 plus the signal's number, as a shell would report it.
func die(s os.Signal) {
	newfile.RemoveAll()
	if os.Getpid() != 1 { // process 1 cannot end by a signal, and another one would have Go end it with code 2
		signal.Reset(s)
		if raise(s) {
			time.Sleep(100 * time.Millisecond)
		}
	}
	os.Exit(exitSignal + signalNumber(s))
}
