package pool

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"procpool/ipc"
	"procpool/task"
)

// Here the other program is this one, started as any other would be.
func TestForeignWorkers(t *testing.T) {
	for _, o := range []Options{
		{},
		{Launcher: "env X=1"},
		{Launcher: "sh -c {cmd}"},
		{Env: []string{"X=1"}, MaxChunksPerChild: 2, Heartbeat: 2 * time.Second},
	} {
		o.Procs, o.ChunkSize, o.Worker = 2, span, []string{os.Args[0], "procpool-child"}
		p, err := New(t.Context(), o)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := Sum(t.Context(), p, pi, Interval{End: 20 * span}); err != nil || got != expected(t, 20) {
			t.Errorf("%+v: a sum of %v, %v", o, got, err)
		}
		if hello, err := p.Hello(t.Context()); err != nil || !hello.Beats || !slices.Contains(hello.Tasks, "pi") {
			t.Errorf("%+v: hello is %+v, %v", o, hello, err)
		}
		p.Close()
	}
}

// Each process has the index of its worker, which its arguments do not tell.
func TestForeignWorkersKnowTheirIndex(t *testing.T) {
	script := `echo "I am $PROCPOOL_WORKER" >&2; exec "$0" procpool-child`
	lines := make(chan string, 10)
	p, err := New(t.Context(), Options{Procs: 1, Worker: []string{"sh", "-c", script, os.Args[0]}, LogLine: func(_ int, line []byte) { lines <- string(line) }})
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	if line := <-lines; line != "I am 0" {
		t.Errorf("it says %q", line)
	}
}

func saysHello(h ipc.Hello) func(*fakeWorker) exitStatus {
	return func(w *fakeWorker) exitStatus {
		w.Say(ipc.AppendHello(nil, h))
		return w.Serve()
	}
}

// What a worker says of its tasks must fit what is asked for, and all must say the same.
func TestForeignHello(t *testing.T) {
	pis := []string{"pi"}
	for _, c := range []struct {
		name string
		act  func(*fakeWorker) exitStatus
		o    Options
		want string // part of the error; "" is none
	}{
		{"any build", saysHello(ipc.Hello{Build: "v0", Tasks: pis}), Options{}, ""},
		{"no such task", saysHello(ipc.Hello{Tasks: []string{"other"}}), Options{}, `the workers have no task "pi"`},
		{"another version", saysHello(ipc.Hello{Tasks: pis, Abouts: map[string]ipc.About{"pi": {Version: "2", Grain: 1}}}), Options{},
			`task "pi" has version "1" here, and "2" in the workers`},
		{"a worker unlike the first", func(w *fakeWorker) exitStatus {
			if w.Start == 0 {
				w.Say(ipc.AppendHello(nil, ipc.Hello{Tasks: pis}))
				return killed
			}
			return saysHello(ipc.Hello{Tasks: pis, Abouts: map[string]ipc.About{"pi": {Version: "3", Grain: 1}}})(w)
		}, Options{Outage: time.Millisecond}, `it says of its tasks "pi" version "3", and the first worker said "pi" version "1"`},
		{"silent, and says that it beats", func(w *fakeWorker) exitStatus {
			if w.Start == 0 {
				w.Say(ipc.AppendHello(nil, ipc.Hello{Tasks: pis, Beats: true}))
				return w.Hang()
			}
			return saysHello(ipc.Hello{Tasks: pis, Beats: true})(w)
		}, Options{Heartbeat: time.Second}, ""},
		{"silent for a while, and does not beat", func(w *fakeWorker) exitStatus {
			w.Say(ipc.AppendHello(nil, ipc.Hello{Tasks: pis}))
			r, _ := w.Next()
			w.Sleep(5 * minHeartbeat)
			w.Say(w.Result(r))
			return w.Serve()
		}, Options{Heartbeat: minHeartbeat}, ""},
		{"not behind a launcher, if it does not beat", saysHello(ipc.Hello{Tasks: pis}), Options{Launcher: "env", Outage: time.Millisecond}, "the worker does not say that it beats"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			system := newFakeSystem(c.act)
			c.o.Procs, c.o.ChunkSize, c.o.Worker = 1, span, []string{"true"}
			p := system.open(t, c.o)
			defer p.Close()
			got, err := Sum(t.Context(), p, pi, Interval{End: 3 * span})
			switch {
			case c.want == "" && (err != nil || got != expected(t, 3)):
				t.Errorf("%v, %v", got, err)
			case c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)):
				t.Errorf("%v, want %q", err, c.want)
			}
			lost := len(system.of(WorkerLost))
			if silent := c.name == "silent, and says that it beats"; c.want == "" && (lost > 0) != silent {
				t.Errorf("%d workers were lost", lost)
			}
			if _, again := Sum(t.Context(), p, pi, Interval{End: span}); c.want != "" && again == nil {
				t.Error("a second call has no error")
			}
		})
	}
}

// A call that comes after the hello is refused as well as one that waits for it.
func TestForeignTaskIsCheckedLater(t *testing.T) {
	p := newFakeSystem(saysHello(ipc.Hello{Tasks: []string{"other"}})).open(t, Options{Procs: 1, Worker: []string{"true"}})
	defer p.Close()
	if _, err := p.Hello(t.Context()); err != nil {
		t.Fatal(err)
	}
	var refused *OptionsError
	if _, err := Sum(t.Context(), p, pi, Interval{End: span}); !errors.As(err, &refused) {
		t.Error(err)
	}
}

// Numbers of a foreign task are added as Python adds them.
func TestForeignNumbers(t *testing.T) {
	encode := func(v any) string {
		b, err := ipc.AppendValue(nil, &v)
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	most := uint64(1<<64 - 1)
	for _, c := range []struct {
		partials []any
		want     string // as the total prints
	}{
		{nil, "0"},
		{[]any{1, 2}, "3"},
		{[]any{0.1, 0.2}, "0.30000000000000004"},
		{[]any{0, 0.5}, "0.5"},
		{[]any{1 << 53, 1, 0.0}, "9.007199254740992e+15"},
		{[]any{most, most}, "36893488147419103230"},
		{[]any{most, "99999999999999999999", -1}, "118446744073709551613"},
		{[]any{int64(-1 << 63), -1, 1}, "-9223372036854775808"},
	} {
		fold := task.Foreign("any", ipc.DefaultAbout).NewFold()
		for _, v := range c.partials {
			p := fold.NewPartial()
			if err := p.Decode([]byte(encode(v))); err != nil {
				t.Fatal(err)
			}
			fold.Add(p)
		}
		if got := fmt.Sprint(fold.Value()); got != c.want {
			t.Errorf("%v add up to %s, not %s", c.partials, got, c.want)
		}
		total, err := fold.AppendTotal(nil)
		if err != nil {
			t.Fatal(err)
		}
		again := task.Foreign("any", ipc.DefaultAbout).NewFold()
		if err := again.AddEncoded(total); err != nil || fmt.Sprint(again.Value()) != c.want {
			t.Errorf("%v: the total is read as %v (%v), not %s", c.partials, again.Value(), err, c.want)
		}
	}
	for _, v := range []string{encode(nil), encode(true), encode("1.5"), encode("0x10"), encode([]any{1}), encode([]byte("1")), "\xca\x3f\x80\x00\x00", "", "\x01\x02"} {
		if err := task.Foreign("any", ipc.DefaultAbout).NewFold().AddEncoded([]byte(v)); err == nil {
			t.Errorf("%q is taken for a number", v)
		}
	}
}
