package child

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"procpool/internal/role"
	"procpool/ipc"
)

// hangLimit ends a test that hangs. Nothing takes nearly as long.
const hangLimit = 60 * time.Second

// A talk is a conversation with a worker.
type talk struct {
	t     *testing.T
	in    *os.File // to the worker
	out   *os.File // from it
	r     *ipc.Reader
	ended chan error
}

// serve starts Serve on a pair of pipes and reads its hello.
func serve(t *testing.T) *talk {
	t.Helper()
	theirIn, in, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	out, theirOut, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	k := &talk{t: t, in: in, out: out, r: ipc.NewReader(out, ipc.MaxLimit), ended: make(chan error, 1)}
	out.SetReadDeadline(time.Now().Add(hangLimit))
	done := make(chan bool)
	go func() {
		defer close(done)
		err := Serve(role.WithIndex(t.Context(), 3), theirIn, theirOut)
		theirOut.Close()
		k.ended <- err
	}()
	t.Cleanup(func() {
		in.Close()
		out.Close()
		<-done
		theirIn.Close()
		signal.Reset() // open has had them ignored
	})
	k.hello()
	return k
}

// wants reads messages that begin so.
func (k *talk) wants(prefixes ...string) {
	k.t.Helper()
	for _, want := range prefixes {
		if s := k.next(false); !strings.HasPrefix(s, want) {
			k.t.Fatalf("%s, want %s", s, want)
		}
	}
}

func (k *talk) hello() ipc.Hello {
	k.t.Helper()
	h, noise, err := k.r.Hello()
	if err != nil || len(noise) > 0 {
		k.t.Fatalf("no hello: %v, noise %q", err, noise)
	}
	return h
}

func (k *talk) send(parts ...[]byte) {
	k.t.Helper()
	if _, err := k.in.Write(bytes.Join(parts, nil)); err != nil {
		k.t.Fatal(err)
	}
}

// next describes the worker's next message; beats only if they are asked for.
func (k *talk) next(beats bool) string {
	k.t.Helper()
	for {
		m, err := k.r.Next()
		if err != nil {
			return err.Error()
		}
		switch m.Kind {
		case ipc.KindBeat:
			if !beats {
				continue
			}
		case ipc.KindResult:
			r, err := ipc.ParseResult(m.Body)
			if err != nil || r.Seconds < 0 {
				k.t.Errorf("a result of %v seconds, %v", r.Seconds, err)
			}
			if r.HasInterval {
				return fmt.Sprintf("result %d %v %x", r.ID, r.Interval, r.Value)
			}
			return fmt.Sprintf("result %d %x", r.ID, r.Value)
		case ipc.KindFail:
			f, err := ipc.ParseFail(m.Body)
			if err != nil {
				k.t.Error(err)
			}
			text := fmt.Sprintf("fail %d %s", f.ID, f.Error)
			if f.Stack != "" {
				text += " with a stack"
			}
			return text
		case ipc.KindBye:
			if _, err := ipc.ParseBye(m.Body); err != nil {
				k.t.Error(err)
			}
		}
		return m.Kind.String()
	}
}

// end is how Serve ended.
func (k *talk) end() error {
	k.t.Helper()
	select {
	case err := <-k.ended:
		return err
	case <-time.After(hangLimit):
		k.t.Fatal("the worker does not end")
		return nil
	}
}

func sum(id uint64, name string, start, end int64) []byte {
	return ipc.AppendInterval(ipc.AppendRequestHead(nil, id, name), ipc.Interval{Start: start, End: end})
}

func call[T any](id uint64, name string, arg T) []byte {
	b, err := ipc.AppendValue(ipc.AppendRequestHead(nil, id, name), &arg)
	if err != nil {
		panic(err)
	}
	return b
}

func open(heartbeat float64, limit int64) []byte {
	return ipc.AppendOpen(nil, ipc.Open{HeartbeatSeconds: heartbeat, MaxMessageBytes: limit})
}

var sayEnd = ipc.AppendEnd(nil)

func TestConversations(t *testing.T) {
	raw := func(s string) []byte { return []byte(s) }
	for _, c := range []struct {
		name  string
		says  [][]byte
		hears []string // of each message how it begins
		ends  string   // Serve's error; "" = none, and then bye is expected
	}{
		{"nothing", nil, nil, ""},
		{"only newlines", [][]byte{raw("\n\n\n")}, nil, ""},
		{"only end", [][]byte{sayEnd}, nil, ""},
		{"requests and EOF", [][]byte{sum(1, "null", 0, 5), sum(2, "null", 5, 7), raw("\n"), sum(1<<40, "null", 7, 7)},
			[]string{"result 1 [0, 5) 00", "result 2 [5, 7) 00", "result 1099511627776 [7, 7) 00"}, ""},
		{"open, requests and end", [][]byte{open(0, 1<<20), sum(7, "pi", 0, 1), call(8, "double", 21), ipc.AppendBeat(nil), call(9, "worker", 0), sayEnd},
			[]string{"result 7 [0, 1) cb4010000000000000", "result 8 2a", "result 9 03"}, ""},
		{"nothing counts after end", [][]byte{open(0, 1<<20), call(1, "double", 1), sayEnd, call(2, "double", 1), raw("garbage")}, []string{"result 1 02"}, ""},
		{"an unknown task", [][]byte{call(1, "nope", 1), call(2, "double", 1), call(3, strings.Repeat("n", 500), 1), call(4, "double", 2)},
			[]string{`fail 1 this program has no task "nope"`, "result 2 02", `fail 3 this program has no task "nnn`, "result 4 04"}, ""},
		{"a task that cannot run", [][]byte{call(1, "bad type", 1), call(2, "double", 1)},
			[]string{`fail 1 task "bad type": chan int: a chan cannot be sent`, "result 2 02"}, ""},
		{"bad intervals", [][]byte{sum(1, "null", 2, 1), sum(2, "null", -1, 1), sum(3, "null", 0, ipc.MaxIndex+1), call(4, "null", 1), call(5, "null", map[string]int{"start": 1}),
			sum(6, "grained", 5, 20), sum(7, "grained", 10, 25), call[any](8, "null", nil)},
			[]string{"fail 1 interval [2, 1) starts beyond its end", "fail 2 interval [-1, 1) starts below 0", "fail 3 interval [0, 4611686018427387905) ends beyond 2^62",
				"fail 4 protocol fault: interval: not a map", `fail 5 protocol fault: interval without "end"`, "fail 6 interval [5, 20) does not start on a multiple of the grain",
				"result 7 [10, 25) cb402e", "fail 8 protocol fault: interval: not a map"}, ""},
		{"bad inputs", [][]byte{call(1, "double", "x"), call(2, "double", 1.0), call[any](3, "double", nil), call(4, "double", uint64(1<<63))},
			[]string{"fail 1 input: value: not an integer", "fail 2 input: value: not an integer", "fail 3 input: value: not an integer", "fail 4 input: value: integer does not fit"}, ""},
		{"errors and panics", [][]byte{call(1, "err", "no way"), call(2, "panic", "oh"), call(3, "err", "caf\xe9"), call(4, "double", 1)},
			[]string{"fail 1 no way", "fail 2 panic: oh with a stack", "fail 3 caf?", "result 4 02"}, ""},
		{"over the limit", [][]byte{open(0, 1000), call(1, "repeat", 1000), call(2, "repeat", 800), call(3, "double", 1)},
			[]string{"fail 1 the result of 1003 bytes is over the limit of 1000 bytes", "result 2 da0320", "result 3 02"}, "the parent is lost"},
		{"over the limit, without open", [][]byte{call(1, "repeat", 1<<20), call(2, "repeat", 1<<20-200)},
			[]string{"fail 1 the result of 1048581 bytes is over the limit of 1048576 bytes", "result 2 db000fff38"}, ""},
		{"over a limit that is hardly one", [][]byte{open(0, 1), raw("\x81")}, nil, "over the limit of 1 bytes"},
		{"a larger limit", [][]byte{open(0, 5<<20), call(1, "length", make([]byte, 4<<20)), call(2, "repeat", 4<<20), sayEnd},
			[]string{"result 1 ce00400000", "result 2 db00400000"}, ""},
		{"EOF after open", [][]byte{open(0, 1000)}, nil, "the parent is lost"},
		{"cut after open", [][]byte{open(0, 1000), sum(1, "null", 0, 9)[:9]}, nil, "the parent is lost"},
		{"cut", [][]byte{sum(1, "null", 0, 9)[:9]}, nil, "cut in the middle of a message"},
		{"cut in open", [][]byte{open(1, 1000)[:9]}, nil, "cut in the middle of a message"},
		{"late open", [][]byte{call(1, "double", 1), open(0, 1000)}, []string{"result 1 02"}, "open is not the first message"},
		{"open twice", [][]byte{open(0, 1000), open(0, 1000)}, nil, "open is not the first message"},
		{"another protocol", [][]byte{bytes.Replace(open(0, 1000), raw("protocol\x01"), raw("protocol\x02"), 1)}, nil, "open speaks protocol 2, this is protocol 1"},
		{"bad heartbeat", [][]byte{open(-1, 1000)}, nil, "heartbeat_seconds -1 is not between"},
		{"text", [][]byte{raw("hello?\n")}, nil, `not a map of one pair (first bytes "hello?\n")`},
		{"two keys", [][]byte{raw("\x82\xa4beat\x80\xa3end\x80")}, nil, "not a map of one pair"},
		{"unknown kind", [][]byte{raw("\x81\xa4stop\x80")}, nil, "unknown kind"},
		{"a child's message", [][]byte{ipc.AppendBye(nil, ipc.Bye{})}, nil, `a parent does not say "bye"`},
		{"a request without id", [][]byte{raw("\x81\xa7request\x82\xa4task\xa1x\xa3arg\xc0")}, nil, `request without "id"`},
		{"a request over the limit", [][]byte{raw("\x81\xa7request\xc6\x00\x10\x00\x00")}, nil, "over the limit of 1048576 bytes"},
		{"Goexit", [][]byte{call(1, "goexit", 1)}, nil, "a task ended its goroutine"},
	} {
		t.Run(c.name, func(t *testing.T) {
			k := serve(t)
			go func() {
				k.in.Write(bytes.Join(c.says, nil))
				k.in.Close()
			}()
			heard := []string{}
			for len(heard) < 20 {
				s := k.next(false)
				if s == "EOF" {
					break
				}
				heard = append(heard, s)
			}
			want := c.hears
			if c.ends == "" {
				want = append(slices.Clone(want), "bye")
			}
			// What breaks off a conversation may overtake the answers before it.
			short := c.ends != "" && len(heard) < len(want)
			if !short && !slices.EqualFunc(heard, want, strings.HasPrefix) {
				t.Errorf("heard\n%.200q\nwant\n%q", heard, want)
			}
			err := k.end()
			if c.ends == "" && err != nil || c.ends != "" && (err == nil || !strings.Contains(err.Error(), c.ends)) {
				t.Errorf("it ended with %v, want %q", err, c.ends)
			}
			if cut := strings.HasPrefix(c.name, "cut") && c.ends != errParentLost.Error(); cut && !errors.Is(err, io.ErrUnexpectedEOF) {
				t.Errorf("%v is not io.ErrUnexpectedEOF", err)
			}
		})
	}
}

// A fail message obeys the limit too.
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

// Without open, a file of requests may be as long as it likes, and its args as large.
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

func TestQueueHoldsLargeArgsBack(t *testing.T) {
	q := &queue{}
	q.ready.L = &q.mu
	large := job{arg: make([]byte, waitingArgs)}
	q.push(large, true)
	if !q.push(large, false) {
		t.Error("a parent that keeps to 1,024 requests is refused")
	}
	pushed := make(chan bool)
	go func() { pushed <- q.push(job{id: 3}, true) }()
	select {
	case <-pushed:
		t.Error("a third did not wait")
	case <-time.After(20 * time.Millisecond):
	}
	if jobs, more := q.take(nil); len(jobs) != 2 || !more {
		t.Errorf("%d jobs, %v", len(jobs), more)
	}
	if !<-pushed {
		t.Error("the third is refused")
	}
}

func TestBeatsInTheMiddleOfAChunk(t *testing.T) {
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

// A parent that has said end owes no beats; the worker still sends its own.
func TestSilenceAfterEndIsInOrder(t *testing.T) {
	const heartbeat = 0.08
	k := serve(t)
	k.send(open(heartbeat, 1<<20), call(1, "block", 0), sayEnd)
	<-began
	for range 8 { // a beat takes at least a quarter of the heartbeat: twice the time allowed
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

// A part of a message counts as life.
func TestEveryByteIsHeard(t *testing.T) {
	for _, stream := range []string{"", "\x81"} {
		var heard atomic.Bool
		ipc.NewReader(&heardReader{strings.NewReader(stream), &heard}, 0).Next()
		if want := len(stream) > 0; heard.Load() != want {
			t.Errorf("of %q was heard: %v", stream, !want)
		}
	}
}

func TestClosedOutputIsALostParent(t *testing.T) {
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
	defer theirs.Close() // else the workers' readers wait for ever
	for n := range 2 {
		full := errors.New("no space left")
		err := Serve(context.Background(), io.MultiReader(bytes.NewReader(call(1, "double", 1)), in), &failingWriter{n, full})
		if !errors.Is(err, full) {
			t.Errorf("write %d fails: %v", n, err)
		}
	}
}

// A failingWriter takes n writes.
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

// A result leaves although the next chunk never ends.
func TestResultLeavesWhileTheNextChunkRuns(t *testing.T) {
	k := serve(t)
	k.send(sum(1, "null", 0, 1), sum(2, "null", 1, 2), sum(3, "null", 2, 3), call(4, "block", 0))
	<-began
	start := time.Now()
	k.wants("result 1 [0, 1) 00", "result 2 [1, 2) 00", "result 3 [2, 3) 00")
	t.Logf("%v after the next chunk began", time.Since(start).Round(10*time.Microsecond))
	release <- true
}
