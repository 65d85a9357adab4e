package pool

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"procpool/ipc"
)

// An outing is an input whose task starts a process that would run for an hour.
type outing struct {
	File   string // where its process ID is written
	Heeds  bool   // the task ends with its context, else with what it started
	Nested bool   // the process is one that a shell started
}

var goOut = Define("outing", func(ctx context.Context, e outing) (int, error) {
	words := []string{"sleep", "3600"}
	if e.Nested {
		words = []string{"sh", "-c", "sleep 3600 & echo $! >" + e.File + ".tmp; mv " + e.File + ".tmp " + e.File + "; wait"}
	}
	if !e.Heeds {
		ctx = context.Background()
	}
	cmd := exec.CommandContext(ctx, words[0], words[1:]...)
	if err := cmd.Start(); err != nil {
		return 0, err
	}
	if !e.Nested {
		if err := os.WriteFile(e.File+".tmp", []byte(strconv.Itoa(cmd.Process.Pid)), 0o600); err != nil {
			return 0, err
		}
		if err := os.Rename(e.File+".tmp", e.File); err != nil {
			return 0, err
		}
	}
	return 0, cmd.Wait()
})

// started waits for the process of an outing.
func started(t *testing.T, file string) (pid int) {
	t.Helper()
	for end := time.Now().Add(limit); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		if text, err := os.ReadFile(file); err == nil {
			pid, err := strconv.Atoi(strings.TrimSpace(string(text)))
			if err != nil {
				t.Fatal(err)
			}
			return pid
		}
	}
	t.Fatal("no process was started")
	return 0
}

// gone waits until a process is.
func gone(t *testing.T, pid int) {
	t.Helper()
	begin := time.Now()
	for time.Since(begin) < 20*time.Second {
		stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
		if err != nil || strings.Contains(string(stat), ") Z ") {
			t.Logf("gone after %v", time.Since(begin).Round(time.Millisecond))
			return
		}
		time.Sleep(5 * time.Millisecond)
	}
	syscall.Kill(pid, syscall.SIGKILL)
	t.Errorf("process %d is still there", pid)
}

// What a task has started ends with it, however the task ends: those that heed their
// context, and those that must be killed.
func TestWhatATaskStartsEndsWithIt(t *testing.T) {
	ends := map[string]func(p *Pool, cancel func()){
		"timeout":     nil,
		"break":       nil,
		"cancel":      func(p *Pool, cancel func()) { cancel() },
		"Close":       func(p *Pool, cancel func()) { p.Close() },
		"Shutdown":    func(p *Pool, cancel func()) { p.Shutdown(canceled()) },
		"its context": nil,
	}
	for name, end := range ends {
		for _, e := range []outing{{Heeds: true}, {}, {Nested: true}, {Nested: true, Heeds: true}} {
			t.Run(fmt.Sprintf("%s heeds=%t nested=%t", name, e.Heeds, e.Nested), func(t *testing.T) {
				t.Parallel()
				poolCtx, closePool := context.WithCancel(t.Context())
				defer closePool()
				p, err := New(poolCtx, Options{Procs: 2, CancelGrace: 100 * time.Millisecond, Grace: 100 * time.Millisecond})
				if err != nil {
					t.Fatal(err)
				}
				defer p.Close()
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				e.File = filepath.Join(t.TempDir(), "pid")
				var opts []CallOption
				if name == "timeout" {
					opts = append(opts, Timeout(500*time.Millisecond), Retries(0))
				}
				there, done := make(chan struct{}), make(chan struct{})
				go func() {
					defer close(done)
					for range MapUnordered(ctx, p, outingOrNot, func(yield func(outing) bool) { _ = yield(e) && yield(outing{}) }, opts...) {
						if name == "break" { // the first output is of the other input
							<-there
							break
						}
					}
				}()
				if name == "timeout" {
					// The time may have been over before the process was there.
					<-done
					if _, err := os.Stat(e.File); err != nil {
						t.Skip("the machine was too slow to start it in time")
					}
				}
				pid := started(t, e.File)
				close(there)
				switch {
				case name == "its context":
					closePool()
				case end != nil:
					end(p, cancel)
				}
				gone(t, pid)
				<-done
			})
		}
	}
}

// outingOrNot runs an outing; one without a file ends at once.
var outingOrNot = Define("outing-or-not", func(ctx context.Context, e outing) (int, error) {
	if e.File == "" {
		return 0, nil
	}
	return goOut.Call(ctx, e)
})

func canceled() context.Context {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	return ctx
}

// A task that heeds its context costs its worker nothing when its call ends: what the
// worker has loaded stays.
func TestACancelSparesWorkers(t *testing.T) {
	p := openPool(t, Options{Procs: 3, CancelGrace: limit})
	if err := p.Ready(t.Context()); err != nil {
		t.Fatal(err)
	}
	for range 5 {
		ctx, cancel := context.WithCancel(t.Context())
		n := 0
		for _, err := range MapUnordered(ctx, p, nap, func(yield func(int) bool) {
			_ = yield(0)
			for range 5 {
				if !yield(3600 * usSecond) {
					return
				}
			}
		}) {
			if n++; err != nil {
				t.Fatal(err)
			}
			break
		}
		cancel()
		ctx, cancel = context.WithTimeout(t.Context(), 20*time.Millisecond)
		if _, err := Call(ctx, p, nap, 3600*usSecond); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("a call of 20 ms: %v", err)
		}
		cancel()
	}
	if out, err := Call(t.Context(), p, nap, 1); out != 1 || err != nil {
		t.Errorf("then %v, %v", out, err)
	}
	for _, s := range p.Stats() {
		if s.Restarts != 0 {
			t.Errorf("worker %d was replaced %d times", s.Worker, s.Restarts)
		}
	}
}

// Shutdown lets calls finish, and there are no new ones. When its context is done it
// is Close.
func TestShutdown(t *testing.T) {
	for _, backend := range backends {
		p := openPool(t, Options{Procs: 2, Backend: backend})
		begun, finished := make(chan struct{}), make(chan error, 1)
		go func() {
			n := 0
			for _, err := range Map(t.Context(), p, nap, func(yield func(int) bool) {
				for i := range 20 {
					if i == 10 {
						close(begun)
					}
					if !yield(20 * usMilli) {
						return
					}
				}
			}) {
				if n++; err != nil {
					finished <- err
					return
				}
			}
			if n != 20 {
				finished <- fmt.Errorf("%d outputs", n)
				return
			}
			finished <- nil
		}()
		<-begun
		if err := p.Shutdown(t.Context()); err != nil {
			t.Errorf("%s: %v", backend, err)
		}
		select {
		case err := <-finished:
			if err != nil {
				t.Errorf("%s: what was in progress: %v", backend, err)
			}
		case <-time.After(limit):
			t.Fatalf("%s: what was in progress does not end", backend)
		}
		if _, err := Call(t.Context(), p, increment, 1); !errors.Is(err, ErrClosed) {
			t.Errorf("%s: a call afterwards: %v", backend, err)
		}
	}
	for _, backend := range backends {
		p := openPool(t, Options{Procs: 2, Backend: backend, CancelGrace: 100 * time.Millisecond})
		finished := make(chan error, 1)
		go func() { _, err := Call(t.Context(), p, nap, 3600*usSecond); finished <- err }()
		for p.isIdle() {
			time.Sleep(time.Millisecond)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		inTime(t, func() {
			if err := p.Shutdown(ctx); !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("%s: %v", backend, err)
			}
			if err := <-finished; !errors.Is(err, ErrClosed) {
				t.Errorf("%s: the call: %v", backend, err)
			}
		})
		cancel()
	}
}

// Tasks that a shutdown cancels fail of that, and no input is blamed for it: not even
// if their answers are there before the consumer looks.
func TestShutdownBlamesNoInput(t *testing.T) {
	ended, end := context.WithCancel(t.Context())
	end()
	for _, backend := range backends {
		p := openPool(t, Options{Procs: 2, Backend: backend, CancelGrace: limit})
		var errs []error
		for _, err := range MapUnordered(t.Context(), p, nap, slices.Values([]int{1, 3600 * usSecond, 3600 * usSecond}), Prefetch(0)) {
			if err != nil {
				errs = append(errs, err)
			} else if err := p.Shutdown(ended); !errors.Is(err, context.Canceled) {
				t.Errorf("%s: %v", backend, err)
			}
		}
		if len(errs) != 1 || errs[0] != ErrClosed {
			t.Errorf("%s: a map: %v", backend, errs)
		}
	}
	for _, backend := range backends {
		p := openPool(t, Options{Procs: 2, Backend: backend, CancelGrace: limit})
		w := Workload{Task: patientAfterOne.Spec(), Whole: Interval{End: 3}, Grid: ipc.ChunkGrid(Interval{End: 3}, 1)}
		w.OnChunk = func(Chunk) error { p.Shutdown(ended); return nil }
		w.OnFailed = func(iv Interval, err error) error { t.Errorf("%s: %v failed: %v", backend, iv, err); return nil }
		if _, err := p.Run(t.Context(), w); !errors.Is(err, ErrClosed) {
			t.Errorf("%s: a run: %v", backend, err)
		}
	}
}

// patientAfterOne waits for the end of its context in every interval but the first.
var patientAfterOne = DefineSum("patient after one", func(ctx context.Context, iv Interval) (int64, error) {
	if iv.Start == 0 {
		return 1, nil
	}
	<-ctx.Done()
	return 0, ctx.Err()
}, func(a, b int64) int64 { return a + b }, Exact())

// isIdle reports whether the pool has no call.
func (p *Pool) isIdle() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.calls) == 0
}

// limits tells what a task knows of its end.
type limits struct {
	Deadline bool
	Ended    string // its context's error, when it ended for that
}

var askLimits = Define("ask-limits", func(ctx context.Context, file string) (l limits, err error) {
	_, l.Deadline = ctx.Deadline()
	if file == "" {
		return l, nil
	}
	<-ctx.Done()
	if err := os.WriteFile(file, []byte(ctx.Err().Error()), 0o600); err != nil {
		return l, err
	}
	return l, ctx.Err()
})

// A task's context has the deadline and the cancel of its call, in processes as on
// goroutines.
func TestTasksKnowTheirLimits(t *testing.T) {
	for _, backend := range backends {
		p := openPool(t, Options{Procs: 2, Backend: backend, CancelGrace: limit})
		if l, err := Call(t.Context(), p, askLimits, ""); l.Deadline || err != nil {
			t.Errorf("%s: without a limit: %v, %v", backend, l, err)
		}
		if l, err := Call(t.Context(), p, askLimits, "", Timeout(time.Hour)); !l.Deadline || err != nil {
			t.Errorf("%s: with a timeout: %v, %v", backend, l, err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
		if l, err := Call(ctx, p, askLimits, ""); !l.Deadline || err != nil {
			t.Errorf("%s: with a context that has a deadline: %v, %v", backend, l, err)
		}
		time.AfterFunc(50*time.Millisecond, cancel)
		file := filepath.Join(t.TempDir(), "end")
		if _, err := Call(ctx, p, askLimits, file); !errors.Is(err, context.Canceled) {
			t.Errorf("%s: a cancelled call: %v", backend, err)
		}
		inTime(t, func() {
			for {
				if text, err := os.ReadFile(file); err == nil && len(text) > 0 {
					if string(text) != context.Canceled.Error() {
						t.Errorf("%s: the task's context ended with %q", backend, text)
					}
					return
				}
				time.Sleep(time.Millisecond)
			}
		})
		var late *TimeoutError
		file = filepath.Join(t.TempDir(), "end")
		if _, err := Call(t.Context(), p, askLimits, file, Timeout(50*time.Millisecond), Retries(0)); !errors.As(err, &late) {
			t.Errorf("%s: a call that took too long: %v", backend, err)
		}
	}
}
