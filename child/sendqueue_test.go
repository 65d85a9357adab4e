package child

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"time"

	"procpool/ipc"
)

func TestNothingFollowsBye(t *testing.T) {
	var out bytes.Buffer
	q := &sendQueue{w: &out}
	if err := q.beat(); err != nil || out.String() != string(ipc.AppendBeat(nil)) {
		t.Fatalf("a beat that is due: %q, %v", &out, err)
	}
	if err := q.bye(ipc.Bye{}); err != nil {
		t.Fatal(err)
	}
	before := out.Len()
	for range 3 {
		if err := q.beat(); err != nil || out.Len() != before {
			t.Fatalf("%q, %v", &out, err)
		}
	}
}

// A beat is sent if nothing else was sent, and two beats never wait.
func TestWhenBeatsAreSent(t *testing.T) {
	var out bytes.Buffer
	q := &sendQueue{w: &out}
	q.result(ipc.Result{ID: 1}, []byte{1}, 0, true)
	n := out.Len()
	if q.beat(); out.Len() != n {
		t.Error("a beat after a result that was just sent")
	}
	for range 2 {
		n = out.Len()
		if q.beat(); out.Len() == n {
			t.Error("no beat after silence")
		}
	}
	q.buf = ipc.AppendBeat(nil)
	n = out.Len()
	if q.beat(); out.Len() != n {
		t.Error("a beat while another waits")
	}
}

// Results in quick succession share a write; others are written at once.
func TestWhenResultsAreWritten(t *testing.T) {
	w := &countingWriter{}
	q := &sendQueue{w: w}
	result := func(at time.Duration, idle bool) int {
		before := w.writes
		if _, err := q.result(ipc.Result{}, []byte{1}, at, idle); err != nil {
			t.Fatal(err)
		}
		return w.writes - before
	}
	q.armed = true // so that no timer starts
	for i, c := range []struct {
		at   time.Duration
		idle bool
		want int
	}{
		{time.Second, false, 1}, {time.Second + flushDelay/2, false, 0}, {time.Second + flushDelay, false, 1},
		{time.Second + flushDelay, true, 1}, {time.Second + flushDelay, false, 0}, {time.Minute, false, 1},
	} {
		if got := result(c.at, c.idle); got != c.want {
			t.Errorf("result %d: %d writes, want %d", i, got, c.want)
		}
	}
	writes := w.writes
	for range 10_000 {
		result(time.Minute, false)
	}
	if got, want := w.writes-writes, w.bytes/flushBytes; got < want-1 || got > want+1 {
		t.Errorf("%d bytes in %d writes", w.bytes, got)
	}
}

type countingWriter struct{ writes, bytes int }

func (c *countingWriter) Write(b []byte) (int, error) {
	c.writes++
	c.bytes += len(b)
	return len(b), nil
}

// Large values are written without a copy, and in order with the others.
func TestLargeValuesKeepTheOrder(t *testing.T) {
	var out bytes.Buffer
	q := &sendQueue{w: &out, armed: true}
	large := strings.Repeat("v", largeValue+1)
	for id, value := range []string{"\x01", large, "\x02", "\x03", large} {
		if _, err := q.result(ipc.Result{ID: uint64(id)}, encoded(value), 0, false); err != nil {
			t.Fatal(err)
		}
	}
	if err := q.flush(); err != nil {
		t.Fatal(err)
	}
	r := ipc.NewReader(&out, 0)
	for id := range uint64(5) {
		m, err := r.Next()
		if err != nil {
			t.Fatal(err)
		}
		if got, err := ipc.ParseResult(m.Body); err != nil || got.ID != id {
			t.Errorf("result %d: %d, %v", id, got.ID, err)
		}
	}
}

// encoded returns a single byte as it is, and a longer string in its encoding.
func encoded(s string) []byte {
	if len(s) == 1 {
		return []byte(s)
	}
	b, _ := ipc.AppendValue(nil, &s)
	return b
}

func TestNothingIsWrittenAfterAFailedWrite(t *testing.T) {
	full := errors.New("full")
	w := &failingWriter{0, full}
	q := &sendQueue{w: w}
	for range 2 {
		if _, err := q.result(ipc.Result{}, []byte{1}, 0, true); !errors.Is(err, full) {
			t.Error(err)
		}
	}
	if w.n != -1 {
		t.Errorf("%d writes", -w.n)
	}
}
