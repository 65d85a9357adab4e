package child

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"procpool/ipc"
)

// The limit applies to fail messages too.
func TestFailIsClipped(t *testing.T) {
	k := serve(t)
	k.send(open(0, 2000), call(1, "err", strings.Repeat("e", 1900)), call(2, "panic", strings.Repeat("p", 1800)))
	k.r.SetLimit(2000)
	if s := k.next(false); s != "fail 1 "+strings.Repeat("e", 936) {
		t.Errorf("%d bytes: %.50s", len(s), s)
	}
	if s := k.next(false); !strings.HasPrefix(s, "fail 2 panic: ppp") || !strings.HasSuffix(s, "with a stack") {
		t.Errorf("%d bytes: %.50s", len(s), s)
	}
}

func TestMoreThanMaxPending(t *testing.T) {
	k := serve(t)
	k.send(open(0, 1<<20), call(1, "block", 0))
	<-began
	many := func(n int) (b []byte) {
		for i := range n {
			b = append(b, sum(uint64(i), "null", 0, 1)...)
		}
		return b
	}
	k.send(many(ipc.MaxPending))
	k.send(ipc.AppendBeat(nil))
	select {
	case err := <-k.ended:
		t.Fatalf("%d waiting: %v", ipc.MaxPending, err)
	case <-time.After(50 * time.Millisecond):
	}
	k.send(many(1))
	if err := k.end(); err == nil || !strings.Contains(err.Error(), "more than 1024 requests unanswered") {
		t.Error(err)
	}
	release <- true
}

// Without open, the number and the size of requests are not limited: the worker
// stops reading until it has room.
func TestBackpressureWithoutOpen(t *testing.T) {
	k := serve(t)
	const n = 5000
	go func() {
		k.in.Write(call(0, "block", 0))
		for i := range n {
			k.in.Write(call(uint64(i), "length", make([]byte, 10<<10)))
		}
		k.in.Close()
	}()
	<-began
	release <- true
	k.wants("result 0 01")
	for i := range n {
		k.wants(fmt.Sprintf("result %d cd2800", i))
	}
	k.wants("bye", "EOF")
	if err := k.end(); err != nil {
		t.Error(err)
	}
}

func TestLargeArgsWait(t *testing.T) {
	q := &requestQueue{}
	q.changed.L = &q.mu
	large := request{arg: make([]byte, maxArgBytes)}
	q.push(large, true)
	if !q.push(large, false) {
		t.Error("push refuses a request below the limit of 1,024")
	}
	pushed := make(chan bool)
	go func() { pushed <- q.push(request{id: 3}, true) }()
	select {
	case <-pushed:
		t.Error("the third request did not wait")
	case <-time.After(20 * time.Millisecond):
	}
	if r, more := q.next(&taskContext{}); len(r.arg) == 0 || !more {
		t.Errorf("%d bytes, %v", len(r.arg), more)
	}
	if r, more := q.next(&taskContext{}); len(r.arg) == 0 || !more {
		t.Errorf("%d bytes, %v", len(r.arg), more)
	}
	if !<-pushed {
		t.Error("the third request is refused")
	}
}

func TestBeatsWhileATaskRuns(t *testing.T) {
	k := serve(t)
	k.send(open(0.2, 1<<20), call(1, "block", 0))
	<-began
	for i := range 3 {
		if s := k.next(true); s != "beat" {
			t.Fatalf("message %d is %s", i, s)
		}
		k.send(ipc.AppendBeat(nil))
	}
	release <- true
	k.wants("result 1 01")
}

// After end the parent need not send beats. The worker still does.
func TestParentMayBeSilentAfterEnd(t *testing.T) {
	const heartbeat = 0.08
	k := serve(t)
	k.send(open(heartbeat, 1<<20), call(1, "block", 0), endMessage)
	<-began
	for range 8 { // a beat comes every quarter of the heartbeat, so this is twice the heartbeat
		if s := k.next(true); s != "beat" {
			t.Fatal(s)
		}
	}
	release <- true
	k.wants("result 1 01", "bye", "EOF")
	if err := k.end(); err != nil {
		t.Error(err)
	}
}

func TestSilentParentIsLost(t *testing.T) {
	k := serve(t)
	k.send(open(0.05, 1<<20), call(1, "block", 0))
	<-began
	defer func() { release <- true }()
	start := time.Now()
	if err := k.end(); !errors.Is(err, errParentLost) {
		t.Error(err)
	}
	t.Logf("heartbeat 50 ms: noticed after %v", time.Since(start).Round(time.Millisecond))
}

func TestClosedOutputMeansALostParent(t *testing.T) {
	k := serve(t)
	k.send(call(1, "block", 0))
	<-began
	defer func() { release <- true }()
	k.out.Close()
	start := time.Now()
	if err := k.end(); !errors.Is(err, errParentLost) {
		t.Error(err)
	}
	t.Logf("noticed after %v", time.Since(start).Round(time.Millisecond))
}

func TestAWriteThatFailsEndsTheWorker(t *testing.T) {
	in, theirs := io.Pipe()
	defer theirs.Close() // ends the goroutines that read in
	for n := range 2 {
		full := errors.New("no space left")
		err := Serve(context.Background(), io.MultiReader(bytes.NewReader(call(1, "double", 1)), in), &failingWriter{n, full})
		if !errors.Is(err, full) {
			t.Errorf("write %d fails: %v", n, err)
		}
	}
}

// A failingWriter fails after n writes.
type failingWriter struct {
	n   int
	err error
}

func (f *failingWriter) Write(b []byte) (int, error) {
	if f.n--; f.n < 0 {
		return 0, f.err
	}
	return len(b), nil
}

// A result is written even if the next task never ends.
func TestResultIsWrittenWhileTheNextTaskRuns(t *testing.T) {
	k := serve(t)
	k.send(sum(1, "null", 0, 1), sum(2, "null", 1, 2), sum(3, "null", 2, 3), call(4, "block", 0))
	<-began
	start := time.Now()
	k.wants("result 1 [0, 1) 00", "result 2 [1, 2) 00", "result 3 [2, 3) 00")
	t.Logf("%v after the next task began", time.Since(start).Round(10*time.Microsecond))
	release <- true
}
