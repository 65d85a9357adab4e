package cli

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"syscall"
	"time"

	"procpool/ipc"
	"procpool/task"
)

// A conformance test talks to a worker of another program as a pool would, and checks that
// it speaks the protocol. Each conversation starts a new process.
type conformance struct {
	program []string      // its command line
	task    string        // to be asked for; "" is the first that it has
	limit   time.Duration // for a hello, and for an answer
	stderr  io.Writer     // receives its standard error

	about ipc.About
	beats bool
}

// A step of a conversation checks one property.
type step struct {
	holds string // not reported if it is ""
	find  func(*tried) error
}

// A finding is the result of a step.
type finding struct {
	Check   string `json:"check"`
	Problem string `json:"problem,omitempty"` // why it does not hold
}

var errUntried = errors.New("the worker does not say that it can do this")

const (
	talkBeat   = 4 * time.Second  // heartbeat of a conversation
	silentBeat = time.Second      // of a parent that falls silent
	leaving    = 20 * time.Second // within which a worker must exit
)

func (t *conformance) conversations() [][]step {
	hello := step{"", t.hello}
	return [][]step{
		{
			{"hello is its first output", t.hello},
			{"a request over no indices is answered by a number", t.answersNothing},
			{"requests are answered in their order, whatever newlines and unknown keys they have", t.answersInOrder},
			{"a request for an unknown task is answered by a fail, and the next by a result", t.failsUnknown},
			{"SIGINT and SIGTERM are ignored after open", t.ignoresSignals},
			{"it beats, as its hello says", t.beat},
			{"after end it says bye and exits with code 0", t.end},
		},
		{hello, {"without open, it says bye and exits when its input ends", t.plain}},
		{hello, {"after open, it exits when its input ends without end", t.orphan}},
		{hello, {"it exits when its parent falls silent", t.silence}},
	}
}

// run holds all conversations, up to the first problem.
func (t *conformance) run(ctx context.Context) (found []finding, err error) {
	for _, talk := range t.conversations() {
		w, err := t.start(ctx)
		if err != nil {
			return found, err
		}
		for _, s := range talk {
			err := s.find(w)
			switch {
			case ctx.Err() != nil:
				w.kill()
				return found, ctx.Err()
			case err != nil && err != errUntried:
				w.kill()
				return append(found, finding{s.holds, err.Error()}), nil
			case err == nil && s.holds != "":
				found = append(found, finding{Check: s.holds})
			}
		}
		w.kill()
	}
	return found, nil
}

func (t *conformance) hello(w *tried) error {
	select {
	case <-w.greeted:
	case <-time.After(t.limit):
		return fmt.Errorf("no hello within %v", t.limit)
	}
	h, noise := w.hello, w.noise[:min(len(w.noise), 200)]
	err := w.err
	if err == io.EOF {
		err = errors.New("its output ended before hello")
	}
	switch {
	case err != nil && len(noise) > 0:
		return fmt.Errorf("%w; what it said instead begins with %q", err, noise)
	case err != nil:
		return err
	case len(noise) > 0:
		return fmt.Errorf("it wrote %q before hello: what tasks and libraries print must go to standard error", noise)
	case h.StartError != "":
		return errors.New("its start failed: " + h.StartError)
	}
	if t.task == "" && len(h.Tasks) > 0 {
		t.task = h.Tasks[0]
	}
	about, has := h.About(t.task)
	if !has {
		return fmt.Errorf("it has no task %q: its tasks are %q", t.task, h.Tasks)
	}
	t.about, t.beats = about, h.Beats
	return nil
}

func (t *conformance) open(w *tried, beat time.Duration) {
	w.say(ipc.AppendOpen(nil, ipc.Open{HeartbeatSeconds: beat.Seconds(), MaxMessageBytes: ipc.DefaultLimit}))
}

// request asks for the task over indices up to end.
func (t *conformance) request(id uint64, end int64) []byte {
	return ipc.AppendInterval(ipc.AppendRequestHead(nil, id, t.task), ipc.Interval{End: end})
}

// answer awaits the result of such a request.
func (t *conformance) answer(w *tried, id uint64, end int64) error {
	m, err := w.next(ipc.KindResult)
	if err != nil {
		return err
	}
	r, err := ipc.ParseResult(m.Body)
	switch {
	case err != nil:
		return err
	case r.ID != id:
		return fmt.Errorf("it sent a result for request %d, but the oldest open one is %d", r.ID, id)
	case !r.HasInterval || r.Interval != (ipc.Interval{End: end}):
		return fmt.Errorf("it sent a result for interval %v, but was asked for [0, %d)", r.Interval, end)
	}
	return task.Foreign(t.task, t.about).NewFold().AddEncoded(r.Value)
}

func (t *conformance) answersNothing(w *tried) error {
	beat := time.Duration(0)
	if t.beats {
		beat = talkBeat
	}
	t.open(w, beat)
	if t.beats {
		w.beat(beat)
	}
	w.say(t.request(1, 0))
	return t.answer(w, 1, 0)
}

func (t *conformance) answersInOrder(w *tried) error {
	unknown := bytes.Replace(t.request(3, t.about.Grain), []byte("request\x83"), []byte("request\x84\xa7unknown\xc0"), 1)
	w.say(slices.Concat(t.request(2, 0), []byte("\n"), unknown, []byte("\n\n"), ipc.AppendBeat(nil), t.request(4, 0)))
	return errors.Join(t.answer(w, 2, 0), t.answer(w, 3, t.about.Grain), t.answer(w, 4, 0))
}

func (t *conformance) failsUnknown(w *tried) error {
	w.say(slices.Concat(ipc.AppendInterval(ipc.AppendRequestHead(nil, 5, "no such task"), ipc.Interval{End: 1}), t.request(6, 0)))
	m, err := w.next(ipc.KindFail)
	if err != nil {
		return err
	}
	if f, err := ipc.ParseFail(m.Body); err != nil || f.ID != 5 {
		return cmp.Or(err, fmt.Errorf("it sent a fail for request %d, but the oldest open one is 5", f.ID))
	}
	return t.answer(w, 6, 0)
}

func (t *conformance) ignoresSignals(w *tried) error {
	for _, s := range []os.Signal{os.Interrupt, syscall.SIGTERM} {
		if w.cmd.Process.Signal(s) != nil {
			return errUntried // this system has no such signals
		}
	}
	w.say(t.request(7, 0))
	return t.answer(w, 7, 0)
}

func (t *conformance) beat(w *tried) error {
	if !t.beats {
		return errUntried
	}
	m, err := w.receive(talkBeat)
	if err == nil && m.Kind == ipc.KindBeat { // which may have waited to be read
		m, err = w.receive(talkBeat)
	}
	if err == nil && m.Kind != ipc.KindBeat {
		err = fmt.Errorf("it sent %v without a request", m.Kind)
	}
	return err
}

func (t *conformance) end(w *tried) error {
	w.say(ipc.AppendEnd(nil))
	return t.leave(w)
}

// leave awaits bye and the exit.
func (t *conformance) leave(w *tried) error {
	m, err := w.next(ipc.KindBye)
	if err != nil {
		return err
	}
	if _, err := ipc.ParseBye(m.Body); err != nil {
		return err
	}
	w.in.Close()
	if _, err := w.receive(leaving); err != io.EOF {
		return cmp.Or(err, errors.New("it sent more after bye"))
	}
	return w.gone(true)
}

func (t *conformance) plain(w *tried) error {
	w.say(t.request(1, 0))
	w.in.Close()
	return errors.Join(t.answer(w, 1, 0), t.leave(w))
}

func (t *conformance) orphan(w *tried) error {
	t.open(w, 0)
	w.say(t.request(1, 0))
	if err := t.answer(w, 1, 0); err != nil {
		return err
	}
	w.in.Close()
	return w.gone(false)
}

func (t *conformance) silence(w *tried) error {
	if !t.beats {
		return errUntried
	}
	t.open(w, silentBeat)
	return w.gone(false)
}
