package pool

import (
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"procpool/ipc"
)

// A fault is something that goes wrong once, in the first process of worker 0,
// while the others are honest. Every one of them must leave the sum's bits alone.
type fault struct {
	name    string
	o       Options
	chunks  int64 // of the run; 0 = 6
	act     func(*fakeWorker) exitStatus
	lost    string // in the text of the loss; "" = nobody is lost
	signal  string // of the loss
	code    int    // of the loss, where there is no signal
	charged bool   // the loss is put down to a chunk
	retries int64  // chunks handed out again
	lasts   time.Duration
}

var segfault = exitStatus{Code: -1, Signal: "segmentation fault"}

// afterHello greets and reads n requests before it plays act.
func afterHello(n int, act func(w *fakeWorker, have []fakeRequest) exitStatus) func(*fakeWorker) exitStatus {
	return func(w *fakeWorker) exitStatus {
		w.Hello()
		var have []fakeRequest
		for range n {
			r, ok := w.Next()
			if !ok {
				return exitStatus{Code: 99}
			}
			have = append(have, r)
		}
		return act(w, have)
	}
}

// says reads two requests, answers the first and then says b(second).
func says(b func(w *fakeWorker, r fakeRequest) []byte) func(*fakeWorker) exitStatus {
	return afterHello(2, func(w *fakeWorker, have []fakeRequest) exitStatus {
		w.Say(w.Result(have[0]))
		w.Say(b(w, have[1]))
		return w.Hang()
	})
}

// startFaults go wrong before there is any work.
func startFaults() []fault {
	return []fault{
		{name: "never says hello", act: (*fakeWorker).Hang, o: Options{StartupTimeout: time.Second}, lost: "no hello within 1s", signal: "killed"},
		{name: "noise, then hello", act: func(w *fakeWorker) exitStatus { w.Say([]byte("Last login: today\n")); return w.Honest() }},
		{name: "noise only, then exit", act: func(w *fakeWorker) exitStatus {
			w.Say([]byte("bash: procpool: not found\n"))
			return exitStatus{Code: 127}
		},
			lost: `it ended before it said hello; what it said instead begins with "bash: procpool: not found`, code: 127},
		{name: "endless noise", act: func(w *fakeWorker) exitStatus {
			for w.Say(make([]byte, 4096)) {
			}
			return w.Hang()
		}, lost: `no hello in the first 65536 bytes (first bytes "` + strings.Repeat(`\x00`, 32) + `")`, signal: "killed"},
		{name: "another build", act: func(w *fakeWorker) exitStatus { w.Say(ipc.AppendHello(nil, ipc.Hello{Build: "v0"})); return w.Hang() },
			lost: `was killed: it is another build, "v0"; this is "`, signal: "killed"},
		{name: "another protocol", act: func(w *fakeWorker) exitStatus {
			hello := string(ipc.AppendHello(nil, ipc.Hello{Build: ipc.Build()}))
			w.Say([]byte(strings.Replace(hello, "protocol\x01", "protocol\x02", 1)))
			return w.Hang()
		}, lost: "child speaks protocol 2, this is protocol 1", signal: "killed"},
		{name: "dies at once", act: func(*fakeWorker) exitStatus { return segfault }, lost: "ended by signal: segmentation fault", signal: "segmentation fault"},
	}
}

// workFaults go wrong with work in flight.
func workFaults() []fault {
	const one = 1
	dies := func(requests int, how exitStatus) func(*fakeWorker) exitStatus {
		return afterHello(requests, func(*fakeWorker, []fakeRequest) exitStatus { return how })
	}
	return []fault{
		{name: "dies with one chunk", chunks: one, act: dies(1, segfault), lost: "ended by signal: segmentation fault", signal: "segmentation fault", charged: true, retries: 1},
		{name: "dies with several chunks", act: dies(2, segfault), lost: "ended by signal: segmentation fault", signal: "segmentation fault", retries: 2},
		{name: "exits 0 with one chunk", chunks: one, act: dies(1, exitStatus{}), lost: "exited with code 0 before its work was done", charged: true, retries: 1},
		{name: "exits 0 with several chunks", act: dies(2, exitStatus{}), lost: "exited with code 0 before its work was done", retries: 2},
		{name: "says bye with chunks in flight", act: afterHello(2, func(w *fakeWorker, _ []fakeRequest) exitStatus { return w.Bye() }),
			lost: "exited with code 0 before its work was done", retries: 2},
		{name: "garbage", act: says(func(*fakeWorker, fakeRequest) []byte { return []byte("hello, world") }),
			lost: `not a map of one pair (first bytes "hello, world")`, signal: "killed", retries: 2},
		{name: "another kind of message", act: says(func(*fakeWorker, fakeRequest) []byte { return ipc.AppendEnd(nil) }), lost: `a worker does not say "end"`, signal: "killed", retries: 2},
		{name: "half a message", act: afterHello(2, func(w *fakeWorker, have []fakeRequest) exitStatus {
			b := w.Result(have[0])
			w.Say(b[:len(b)/2])
			return exitStatus{}
		}), lost: "stream is cut in the middle of a message", retries: 2},
		{name: "another id", act: says(func(w *fakeWorker, r fakeRequest) []byte { r.ID++; return w.ResultFor(r, r.Interval, 0.001) }), lost: "a result for request 3, the oldest is 2", signal: "killed", retries: 2},
		{name: "another interval", act: says(func(w *fakeWorker, r fakeRequest) []byte {
			return w.ResultFor(r, ipc.Interval{Start: 1, End: 2}, 0.001)
		}),
			lost: "a result for interval [1, 2), asked was [1000, 2000)", signal: "killed", retries: 2},
		{name: "no interval", act: says(func(_ *fakeWorker, r fakeRequest) []byte {
			return append(ipc.AppendResultHead(nil, ipc.Result{ID: r.ID}), "\xcb\x00\x00\x00\x00\x00\x00\x00\x00\n"...)
		}), lost: "asked was [1000, 2000)", signal: "killed", retries: 2},
		{name: "an integer for a float", act: says(func(_ *fakeWorker, r fakeRequest) []byte {
			return append(ipc.AppendResultHead(nil, ipc.Result{ID: r.ID, HasInterval: true, Interval: r.Interval}), "\x03\n"...)
		}), lost: "a result of another type", signal: "killed", retries: 2},
		{name: "a result twice", act: afterHello(2, func(w *fakeWorker, have []fakeRequest) exitStatus {
			w.Say(append(w.Result(have[0]), w.Result(have[0])...))
			return w.Hang()
		}), lost: "a result for request 1, the oldest is 2", signal: "killed"},
		{name: "a message over the limit", o: Options{MaxMessage: 4096}, act: says(func(_ *fakeWorker, r fakeRequest) []byte {
			return append(ipc.AppendResultHead(nil, ipc.Result{ID: r.ID}), "\xc6\x10\x00\x00\x00"...)
		}), lost: "message is over the limit of 4096 bytes", signal: "killed", retries: 2},
		{name: "silent with one chunk", chunks: one, o: Options{Heartbeat: time.Second}, act: afterHello(1, func(w *fakeWorker, _ []fakeRequest) exitStatus { return w.Hang() }),
			lost: "silent for longer than 1s", signal: "killed", charged: true, retries: 1, lasts: time.Second},
		{name: "silent with several chunks", o: Options{Heartbeat: time.Second}, act: afterHello(2, func(w *fakeWorker, _ []fakeRequest) exitStatus { return w.Hang() }),
			lost: "silent for longer than 1s", signal: "killed", retries: 2, lasts: time.Second},
		{name: "closes its output and lives on", act: afterHello(2, func(w *fakeWorker, _ []fakeRequest) exitStatus {
			w.Process.ItsOut.Close()
			return w.Hang()
		}), lost: "the stream ends without bye", signal: "killed", retries: 2},
		{name: "closes its input and beats on", act: afterHello(2, func(w *fakeWorker, _ []fakeRequest) exitStatus {
			w.Process.ItsIn.Close()
			return w.Beat()
		}), o: Options{Heartbeat: time.Second}, lost: "it closed its input", signal: "killed", retries: 2},
		{name: "never reads its input and is silent", act: func(w *fakeWorker) exitStatus { w.Hello(); return w.Hang() }, o: Options{Heartbeat: time.Second},
			lost: "silent for longer than 1s", signal: "killed", retries: 2},
		{name: "something else holds its output", act: afterHello(2, func(w *fakeWorker, _ []fakeRequest) exitStatus {
			w.Process.HoldsStdout = true
			return exitStatus{Code: 3}
		}), lost: "exited with code 3 before its work was done", code: 3, retries: 2},
		{name: "something else holds its input", act: afterHello(2, func(w *fakeWorker, _ []fakeRequest) exitStatus {
			w.Process.HoldsInput = true
			return exitStatus{Code: 3}
		}), lost: "exited with code 3 before its work was done", code: 3, retries: 2},
	}
}

// Every fault that happens once is survived, noticed, and put down to the right one.
func TestFaultsAreSurvived(t *testing.T) {
	for _, f := range slices.Concat(startFaults(), workFaults()) {
		t.Run(f.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { f.play(t) })
		})
	}
}

func (f *fault) play(t *testing.T) {
	system := newFakeSystem(firstProcess(f.act))
	f.o.Procs = 1
	if f.chunks == 0 {
		f.chunks = 6
	}
	begin := time.Now()
	out, err := system.sum(t, f.o, f.chunks)
	if err != nil {
		t.Fatalf("not survived: %v", err)
	}
	if took := time.Since(begin); took < f.lasts || took > f.lasts+10*time.Second {
		t.Errorf("took %v", took)
	}
	lost := system.of(WorkerLost)
	if f.lost == "" {
		if len(lost) > 0 {
			t.Errorf("lost: %v", lost[0].Err)
		}
		return
	}
	if len(lost) != 1 {
		t.Fatalf("%d workers were lost: %v", len(lost), lost)
	}
	e, err := asLost(lost[0].Err)
	if err != nil {
		t.Fatal(err)
	}
	code := f.code
	if f.signal != "" {
		code = -1
	}
	if !strings.Contains(e.Error(), f.lost) || e.Signal != f.signal || e.ExitCode != code || e.PID != 1000 {
		t.Errorf("lost: %v; signal %q, code %d; want %q, %q, %d", e, e.Signal, e.ExitCode, f.lost, f.signal, code)
	}
	if strings.Contains(e.Error(), "closed pipe") || strings.Contains(e.Error(), "unknown way") {
		t.Errorf("a reader learns nothing from: %v", e)
	}
	if (e.Attempts == 1) != f.charged || out.Retries < f.retries || len(system.of(ChunkRetried)) != e.Attempts {
		t.Errorf("charged %d times, %d chunks handed out again, events %v", e.Attempts, out.Retries, system.of(ChunkRetried))
	}
	if n := system.Starts(0); n != 2 {
		t.Errorf("%d processes were started", n)
	}
}

// What is wrong only in the timing is put down to the chunk, not to the worker.
func TestTimeoutIsChargedToTheOldestChunk(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		system := newFakeSystem(firstProcess(afterHello(2, func(w *fakeWorker, _ []fakeRequest) exitStatus { return w.Beat() })))
		out, err := system.sum(t, Options{Procs: 1, Timeout: time.Second}, 6)
		if err != nil || out.Retries != 2 {
			t.Fatalf("%v, %d chunks handed out again", err, out.Retries)
		}
		again := system.of(ChunkRetried)
		var late *TimeoutError
		if len(again) != 1 || !errors.As(again[0].Err, &late) || late.Attempts != 1 || late.Input.Interval != (ipc.Interval{End: span}) {
			t.Errorf("%+v", again)
		}
		if lost := system.of(WorkerLost); len(lost) != 0 {
			t.Errorf("lost: %+v", lost)
		}
	})
}

// An answer that was on its way when the time ran out is taken, and its
// successor is not to blame.
func TestLateAnswerSavesTheNextChunk(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		system := newFakeSystem(firstProcess(afterHello(2, func(w *fakeWorker, have []fakeRequest) exitStatus {
			<-w.Process.Asked
			w.Say(w.Result(have[0]))
			return killed
		})))
		system.Lingers = true
		out, err := system.sum(t, Options{Procs: 1, Timeout: time.Second}, 6)
		if err != nil || out.Retries != 1 {
			t.Fatalf("%v, %d chunks handed out again", err, out.Retries)
		}
		if again := system.of(ChunkRetried); len(again) != 0 {
			t.Errorf("charged: %v", again[0].Err)
		}
	})
}

// A chunk that kills every worker it meets fails the run by name, after as many
// tries as were allowed, and everything else is finished or not begun.
func TestPoisonousChunkFailsByName(t *testing.T) {
	for retries, attempts := range map[int]int{-1: 1, 0: 3, 5: 6} {
		synctest.Test(t, func(t *testing.T) {
			poison := ipc.Interval{Start: 3 * span, End: 4 * span}
			system := newFakeSystem(func(w *fakeWorker) exitStatus {
				w.Hello()
				for {
					r, ok := w.Next()
					switch {
					case !ok:
						return w.Bye()
					case r.Interval == poison:
						io.WriteString(w.Stderr, "panic: bad apple\n\ngoroutine 7 [running]:\n")
						return exitStatus{Code: 2}
					}
					w.Say(w.Result(r))
				}
			})
			out, err := system.sum(t, Options{Procs: 2, Retries: retries}, 20)
			e, bad := asLost(err)
			if bad != nil {
				t.Fatal(bad)
			}
			if e.Input.Interval != poison || e.Attempts != attempts || e.ExitCode != 2 || e.Stderr[0] != "panic: bad apple" {
				t.Errorf("%+v", e)
			}
			if !strings.Contains(err.Error(), "pi over [3000, 4000): worker") || !strings.Contains(err.Error(), "its last words: panic: bad apple") {
				t.Error(err)
			}
			if out.Status != Failed || out.Value != nil || len(out.Covered) == 0 || out.Covered[0] != (ipc.Interval{End: 3 * span}) {
				t.Errorf("%+v", out)
			}
			for _, again := range system.of(ChunkRetried) {
				var lost *LostWorkerError
				if errors.As(again.Err, &lost); lost == nil || again.Worker != lost.Worker || again.Input.Interval != poison {
					t.Errorf("%+v", again)
				}
			}
			if n := system.Starts(0) + system.Starts(1); n > 2+attempts+2 { // two at first, and it may have had company once a worker
				t.Errorf("%d processes for %d attempts", n, attempts)
			}
		})
	}
}

// A chunk that is always too slow fails by name.
func TestStuckChunkFailsByName(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		system := newFakeSystem(func(w *fakeWorker) exitStatus {
			w.Hello()
			for {
				r, ok := w.Next()
				if !ok {
					return w.Bye()
				}
				if r.Interval.Start == 2*span {
					return w.Beat()
				}
				w.Say(w.Result(r))
			}
		})
		_, err := system.sum(t, Options{Procs: 2, Timeout: time.Second}, 8)
		var late *TimeoutError
		if !errors.As(err, &late) || late.Attempts != 3 || late.Input.Interval.Start != 2*span || !late.Timeout() {
			t.Fatal(err)
		}
		if !strings.Contains(err.Error(), "pi over [2000, 3000): took longer than 1s, 3 times; worker killed (pid ") {
			t.Error(err)
		}
	})
}
