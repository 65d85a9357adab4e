package parenttest

import (
	"sync"
	"time"

	"procpool/ipc"
	"procpool/parent"
)

// A Job says what a request does in a worker that [FakeWorker.Work]s.
type Job struct {
	Takes   time.Duration
	Fails   string                  // the task's error; "" = it succeeds
	Ignores bool                    // the task does not heed its context
	Dies    bool                    // the worker dies of it, at its end
	Begun   func()                  // is called when it begins; may be nil
	Ended   func(d time.Duration)   // is called when it ends, after d; may be nil
	Value   func(dst []byte) []byte // appends the encoded output of a map's input; nil = the input
}

// Work serves as a worker does: it reads ahead, runs one request after the other as
// do says, beats, and heeds cancel and timeouts. A request that waits comes back at
// once as not begun, one that runs ends with its context unless it ignores that.
func (w *FakeWorker) Work(do func(Request) Job) parent.ExitStatus {
	w.Hello()
	q := &workQueue{changed: make(chan struct{}, 1)}
	go w.readInto(q)
	go func() {
		for w.Say(ipc.AppendBeat(nil)) {
			w.Sleep(time.Second)
			if w.isGone() {
				return
			}
		}
	}()
	for {
		r, cancelled, more := q.next(w.Process.Gone)
		if !more {
			if w.isGone() {
				return Killed
			}
			return w.Bye()
		}
		job := do(r)
		if job.Begun != nil {
			job.Begun()
		}
		begin := time.Now()
		answer := w.run(r, job, cancelled)
		if job.Ended != nil {
			job.Ended(time.Since(begin))
		}
		q.done()
		if job.Dies {
			return parent.ExitStatus{Code: 3}
		}
		if !w.Say(answer) {
			return parent.ExitStatus{Code: 1}
		}
	}
}

func (w *FakeWorker) isGone() bool {
	select {
	case <-w.Process.Gone:
		return true
	default:
		return false
	}
}

// run runs a request's job and makes its answer.
func (w *FakeWorker) run(r Request, job Job, cancelled <-chan struct{}) []byte {
	begin, over := time.Now(), time.After(job.Takes)
	var late <-chan time.Time
	if t := r.Options.TimeoutSeconds; t > 0 && !job.Ignores {
		late = time.After(time.Duration(t * float64(time.Second)))
	}
	if job.Ignores {
		cancelled = nil
	}
	fail := ipc.Fail{ID: r.ID}
	select {
	case <-over:
		fail.Error = job.Fails
	case <-late:
		fail.Error, fail.Timeout = "context deadline exceeded", true
	case <-cancelled:
		fail.Error = "context canceled"
	case <-w.Process.Gone:
	}
	if fail.Error != "" {
		return ipc.AppendFail(nil, fail)
	}
	if job.Value != nil {
		b := ipc.AppendResultHead(nil, ipc.Result{ID: r.ID, Seconds: time.Since(begin).Seconds()})
		return append(job.Value(b), '\n')
	}
	return w.ResultFor(r, r.Interval, time.Since(begin).Seconds())
}

// readInto reads what the parent says until there is no more.
func (w *FakeWorker) readInto(q *workQueue) {
	defer q.close()
	for {
		m, err := w.In.Next()
		switch {
		case err != nil || m.Kind == ipc.KindEnd:
			return
		case m.Kind == ipc.KindRequest:
			q.push(w.requests(m)...)
		case m.Kind == ipc.KindCancel:
			c, err := ipc.ParseCancel(m.Body)
			if err != nil {
				panic(err)
			}
			if q.cancel(c) {
				w.Say(ipc.AppendFail(nil, ipc.Fail{ID: c.ID, Error: "cancelled before it was begun", NotBegun: true}))
			}
		}
	}
}

// A workQueue holds a working worker's requests.
type workQueue struct {
	changed chan struct{} // holds one when there may be something new

	mu      sync.Mutex
	waiting []Request
	running uint64        // the id of the request that runs; 0 = none
	cancels chan struct{} // closed when it is cancelled
	closed  bool
}

func (q *workQueue) notify() {
	select {
	case q.changed <- struct{}{}:
	default:
	}
}

func (q *workQueue) push(r ...Request) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.waiting = append(q.waiting, r...)
	q.notify()
}

func (q *workQueue) close() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.closed = true
	q.notify()
}

// next waits for a request to run.
func (q *workQueue) next(gone <-chan struct{}) (r Request, cancelled <-chan struct{}, more bool) {
	for {
		q.mu.Lock()
		if len(q.waiting) > 0 {
			r, q.waiting = q.waiting[0], q.waiting[1:]
			q.running, q.cancels = r.ID, make(chan struct{})
			q.mu.Unlock()
			return r, q.cancels, true
		}
		closed := q.closed
		q.mu.Unlock()
		if closed {
			return r, nil, false
		}
		select {
		case <-q.changed:
		case <-gone:
			return r, nil, false
		}
	}
}

func (q *workQueue) done() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.running = 0
}

// cancel reports whether the request had not been begun: then it never will.
func (q *workQueue) cancel(c ipc.Cancel) (queued bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for i, r := range q.waiting {
		if r.ID == c.ID {
			q.waiting = append(q.waiting[:i:i], q.waiting[i+1:]...)
			return true
		}
	}
	if !c.Queued && q.running == c.ID && q.running != 0 {
		q.running = 0
		close(q.cancels)
	}
	return false
}
