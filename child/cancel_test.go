package child

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"procpool/ipc"
	"procpool/task"
)

// wait waits for the end of its context, and says so in its own words, or with
// "fine" as if nothing had happened.
var _ = task.Define("wait", func(ctx context.Context, how string) (string, error) {
	began <- true
	<-ctx.Done()
	if how == "fine" {
		return how, nil
	}
	return "", errors.New(how + ": " + ctx.Err().Error())
})

var _ = task.Define("call-of", func(ctx context.Context, _ int) (string, error) {
	_, has := ctx.Deadline()
	return fmt.Sprint(task.Worker(ctx), task.Index(ctx), task.Attempt(ctx), has), nil
})

func with[T any](id uint64, name string, arg T, o ipc.RequestOptions) []byte {
	b, err := ipc.AppendValue(ipc.AppendRequestHeadWith(nil, id, name, o), &arg)
	if err != nil {
		panic(err)
	}
	return b
}

func cancel(id uint64) []byte { return ipc.AppendCancel(nil, ipc.Cancel{ID: id}) }
func recall(id uint64) []byte { return ipc.AppendCancel(nil, ipc.Cancel{ID: id, Queued: true}) }

// answer describes the next answer, with what a fail says beside its text.
func (k *talk) answer() string {
	k.t.Helper()
	for {
		m, err := k.r.Next()
		switch {
		case err != nil:
			return err.Error()
		case m.Kind == ipc.KindResult:
			r, err := ipc.ParseResult(m.Body)
			if err != nil {
				k.t.Error(err)
			}
			return fmt.Sprintf("%d %s", r.ID, r.Value[1:])
		case m.Kind == ipc.KindFail:
			f, err := ipc.ParseFail(m.Body)
			if err != nil {
				k.t.Error(err)
			}
			text := fmt.Sprintf("%d fails: %s", f.ID, f.Error)
			if f.NotBegun {
				text += " (not begun)"
			}
			if f.Timeout {
				text += " (timeout)"
			}
			return text
		case m.Kind != ipc.KindBeat:
			return m.Kind.String()
		}
	}
}

// answers reads an answer for each that is wanted.
func (k *talk) answers(want ...string) {
	k.t.Helper()
	for _, w := range want {
		if got := k.answer(); got != w {
			k.t.Fatalf("%s, want %s", got, w)
		}
	}
}

// A request that waits is given back at once, in the middle of another, in any order.
func TestCancelOfWhatWaits(t *testing.T) {
	k := serve(t)
	k.send(open(0, 1<<20), call(1, "wait", "sure"))
	<-began
	for id := uint64(2); id <= 5; id++ {
		k.send(call(id, "call-of", 0))
	}
	k.send(recall(4), cancel(2), recall(5))
	back := " fails: cancelled before it was begun (not begun)"
	k.answers("4"+back, "2"+back, "5"+back)
	k.send(cancel(1))
	k.answers("1 fails: sure: context canceled", "3 3 0 0 false")
}

// The task of a request that runs is told by its context, and answers as it likes.
// To ask it back, or any request that is not there, does nothing.
func TestCancelOfWhatRuns(t *testing.T) {
	k := serve(t)
	k.send(open(0, 1<<20))
	for id, how := range []string{"", "fine", "sure"} {
		k.send(recall(uint64(id)), cancel(100), call(uint64(id), "wait", how))
		<-began
		k.send(recall(uint64(id)), cancel(100))
		select {
		case err := <-k.ended:
			t.Fatal(err)
		case <-time.After(20 * time.Millisecond):
		}
		k.send(cancel(uint64(id)), cancel(uint64(id)))
		switch got := k.answer(); {
		case how == "fine" && got != "1 fine", how != "fine" && got != fmt.Sprintf("%d fails: %s: context canceled", id, how):
			t.Errorf("%q: %s", how, got)
		}
	}
	k.send(call(9, "call-of", 0)) // late cancels reach nobody else
	k.answers("9 3 0 0 false")
}

// A cancel that comes when a request has been taken, and its task does not run
// yet, is not lost.
func TestCancelBetweenTakingAndRunning(t *testing.T) {
	q := &requestQueue{}
	q.changed.L = &q.mu
	for id := range uint64(2) {
		q.push(request{id: id}, false)
		ctx := &taskContext{worker: t.Context()}
		q.next(ctx)
		q.cancel(0, false)
		if (ctx.Err() == context.Canceled) != (id == 0) {
			t.Errorf("request %d: %v", id, ctx.Err())
		}
		q.done()
		q.cancel(id, false)
		if id == 1 && ctx.Err() != nil {
			t.Error("a cancel that came too late reached the context, which may serve another request")
		}
	}
	q.push(request{id: 7}, false)
	ctx := &taskContext{worker: t.Context()}
	q.next(ctx)
	if q.drop(); ctx.Err() == nil {
		t.Error("a task begins after the queue was dropped")
	}
}

// Whatever a task says whose time is over, the parent learns that it was.
func TestTimeoutOfATask(t *testing.T) {
	k := serve(t)
	o := ipc.RequestOptions{TimeoutSeconds: 0.02}
	k.send(open(0, 1<<20), with(1, "wait", "oh", o), with(2, "wait", "fine", o))
	<-began
	k.answers("1 fails: oh: context deadline exceeded (timeout)")
	<-began
	k.answers("2 fine")
	k.send(with(3, "err", "no", ipc.RequestOptions{TimeoutSeconds: 60}))
	k.answers("3 fails: no")
}

func TestWhatATaskIsCalledFor(t *testing.T) {
	k := serve(t)
	k.send(open(0, 1<<20), with(1, "call-of", 0, ipc.RequestOptions{Index: 1 << 40, Attempt: 2}),
		with(2, "call-of", 0, ipc.RequestOptions{TimeoutSeconds: 60}))
	k.answers(fmt.Sprintf("1 3 %d 2 false", 1<<40), "2 3 0 0 true")
}

func TestCancelNeedsOpen(t *testing.T) {
	k := serve(t)
	k.send(cancel(1))
	if err := k.end(); err == nil || !strings.Contains(err.Error(), "cancel without open") {
		t.Error(err)
	}
}
