package pool

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"procpool/ipc"
	"procpool/parent"
	"procpool/task"
)

// A worker process that finds these in its environment does to itself what
// faultEnv names, when it gets to chunk 3: once in a directory, or always if
// there is none.
const (
	faultEnv    = "PROCPOOL_TEST_FAULT"
	faultDirEnv = "PROCPOOL_TEST_FAULT_DIR"
)

var ballast [][]byte // of the memory hog

// misbehave does to this process what name says. It may return.
func misbehave(name string) {
	switch name {
	case "exit 0":
		os.Exit(0)
	case "panic elsewhere":
		go panic("elsewhere")
		select {}
	case "fatal error":
		new(sync.Mutex).Unlock()
	case "stack overflow":
		fmt.Fprint(io.Discard, endless(1))
	case "SIGSEGV":
		signalSelf(syscall.SIGSEGV)
	case "SIGKILL":
		signalSelf(syscall.SIGKILL)
	case "SIGSTOP":
		signalSelf(syscall.SIGSTOP)
	case "prints":
		fmt.Print("garbage")
		fmt.Println("\x81\xa4beat\x80")
		syscall.Write(1, []byte("\x81\xa3bye\x80"))
	case "a flood on stderr":
		line := []byte(strings.Repeat("x", 1023) + "\n")
		for range 64 << 10 {
			os.Stderr.Write(line)
		}
	case "closes everything":
		for fd := range 256 {
			syscall.Close(fd)
		}
	case "endless loop":
		for i := 0; ; i++ {
			spun = i
		}
	case "Goexit":
		runtime.Goexit()
	case "memory hog":
		b := make([]byte, 128<<20)
		for i := 0; i < len(b); i += 4096 {
			b[i] = 1
		}
		ballast = append(ballast, b)
	case "leaves a process behind":
		c := exec.Command("sleep", "60")
		c.Stdout, c.Stderr = os.Stdout, os.Stderr // and so it holds the worker's stderr
		if c.Start() == nil {
			os.WriteFile(filepath.Join(os.Getenv(faultDirEnv), "pid"), []byte(strconv.Itoa(c.Process.Pid)), 0o600)
			os.Exit(3)
		}
	}
}

var spun int

func endless(n int) int {
	if n < 0 {
		return 0
	}
	return n + endless(n+1)
}

func signalSelf(s syscall.Signal) {
	syscall.Kill(os.Getpid(), s)
	select {}
}

// once reports whether this is the first process to ask in a directory.
func once(dir string) bool {
	if dir == "" {
		return true
	}
	f, err := os.OpenFile(filepath.Join(dir, "once"), os.O_CREATE|os.O_EXCL, 0o600)
	f.Close()
	return err == nil
}

// unruly is pi, computed by workers that misbehave.
var unruly = task.DefineSum("unruly", func(ctx context.Context, iv ipc.Interval) (float64, error) {
	if name := os.Getenv(faultEnv); name != "" && iv.Start == 3*span && once(os.Getenv(faultDirEnv)) {
		misbehave(name)
	}
	if os.Getenv(faultEnv) == "memory hog" && iv.Start == 39*span {
		for !exists(filepath.Join(os.Getenv(faultDirEnv), "replaced")) {
			time.Sleep(time.Millisecond)
		}
	}
	return pi.Call(ctx, iv)
}, pi.Add)

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// A stage is a run over real processes, watched.
type stage struct {
	o      Options
	chunks int64

	onEvent func(Event)
	stderr  atomic.Int64 // bytes
	events  []Event
	peak    int64 // the largest resident set of a worker that was seen, in bytes
}

func (s *stage) run(t *testing.T, env ...string) (Outcome, error) {
	t.Helper()
	var mu sync.Mutex
	s.o.ChunkSize, s.o.Env, s.o.Stderr, s.o.LimitLines = span, env, countingWriter{&s.stderr}, true
	s.o.OnEvent = func(e Event) {
		mu.Lock()
		defer mu.Unlock()
		s.events = append(s.events, e)
		if s.onEvent != nil {
			s.onEvent(e)
		}
	}
	p := openPool(t, s.o)
	watched, stop := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(watched)
		for {
			for _, pid := range children() {
				s.peak = max(s.peak, parent.OS().ResidentSet(pid))
			}
			select {
			case <-stop:
				return
			case <-time.After(3 * time.Millisecond):
			}
		}
	}()
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	defer cancel()
	out, err := p.Run(ctx, Workload{Task: unruly.Spec(), Whole: ipc.Interval{End: s.chunks * span}})
	p.Close()
	close(stop)
	<-watched
	if left := children(); len(left) > 0 {
		t.Errorf("processes left behind: %v: %s", left, described(left))
	}
	return out, err
}

// of gives the events of a kind.
func (s *stage) of(kind EventKind) (out []Event) {
	for _, e := range s.events {
		if e.Kind == kind {
			out = append(out, e)
		}
	}
	return out
}

type countingWriter struct{ n *atomic.Int64 }

func (c countingWriter) Write(b []byte) (int, error) { c.n.Add(int64(len(b))); return len(b), nil }

// children lists the processes whose parent is this one, zombies too.
func children() (pids []int) {
	entries, _ := os.ReadDir("/proc/self/task")
	for _, e := range entries {
		list, _ := os.ReadFile("/proc/self/task/" + e.Name() + "/children")
		for _, field := range strings.Fields(string(list)) {
			pid, _ := strconv.Atoi(field)
			pids = append(pids, pid)
		}
	}
	return pids
}

// described tells what processes are: whose child, in which state, since when.
func described(pids []int) string {
	var b strings.Builder
	for _, pid := range pids {
		stat, _ := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
		cmdline, _ := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid))
		fmt.Fprintf(&b, "%q %q ", cmdline, stat)
	}
	return b.String()
}

// One fault in the middle of a run changes nothing of its result.
func TestRealFaultsAreSurvived(t *testing.T) {
	const nobody = ""
	for _, f := range []struct {
		name, lost string // what the loss says
		o          Options
	}{
		{name: "exit 0", lost: "exited with code 0 before its work was done"},
		{name: "panic elsewhere", lost: "exited with code 2 before its work was done; its last words: panic: elsewhere"},
		{name: "fatal error", lost: "exited with code 2 before its work was done; its last words: fatal error: sync: unlock of unlocked mutex"},
		{name: "stack overflow", lost: "exited with code 2 before its work was done; its last words: runtime: goroutine stack exceeds 134217728-byte limit"},
		{name: "SIGSEGV", lost: "exited with code 2 before its work was done; its last words: SIGSEGV: segmentation violation"},
		{name: "SIGKILL", lost: "was ended by signal: killed"},
		{name: "SIGSTOP", lost: "was killed: silent for longer than 1s", o: Options{Heartbeat: time.Second}},
		{name: "prints", lost: nobody},
		{name: "a flood on stderr", lost: nobody},
		{name: "closes everything", lost: "exited with code"},
		{name: "endless loop", lost: nobody, o: Options{Timeout: time.Second}},
		{name: "Goexit", lost: "exited with code 1 before its work was done; its last words: procpool: child: a task ended its goroutine (runtime.Goexit)"},
		{name: "memory hog", lost: nobody, o: Options{MaxRSS: 100 << 20}},
		{name: "leaves a process behind", lost: "exited with code 3 before its work was done"},
	} {
		t.Run(f.name, func(t *testing.T) {
			dir := t.TempDir()
			f.o.Procs = 2
			s := &stage{o: f.o, chunks: 40}
			s.onEvent = func(e Event) {
				if len(s.of(WorkerStarted)) == 3 {
					os.WriteFile(filepath.Join(dir, "replaced"), nil, 0o600)
				}
			}
			out, err := s.run(t, faultEnv+"="+f.name, faultDirEnv+"="+dir)
			killLeftover(dir)
			if err != nil {
				t.Fatalf("not survived: %v", err)
			}
			if math.Float64bits(out.Total.(float64)) != math.Float64bits(expected(t, 40)) {
				t.Errorf("the sum is %v, want %v", out.Total, expected(t, 40))
			}
			if !exists(filepath.Join(dir, "once")) {
				t.Error("nothing went wrong")
			}
			told := f.lost == nobody
			for _, l := range s.of(WorkerLost) {
				var silent *SilenceError // what a busy machine may add
				e, err := asLost(l.Err)
				if err != nil {
					t.Error(err)
				} else if f.lost != nobody && strings.Contains(e.Error(), f.lost) {
					told = true
				} else if !errors.As(e, &silent) {
					t.Error("lost:", e)
				}
			}
			if !told {
				t.Errorf("nobody was lost as expected: %v", s.of(WorkerLost))
			}
			s.check(t, f.name)
		})
	}
}

// check looks for what a fault did beside being survived.
func (s *stage) check(t *testing.T, name string) {
	switch name {
	case "endless loop":
		if !slices.ContainsFunc(s.of(ChunkRetried), func(e Event) bool {
			var late *TimeoutError
			return errors.As(e.Err, &late) && late.Input.Interval.Start == 3*span
		}) {
			t.Errorf("not timed out: %v", s.events)
		}
	case "memory hog":
		if n := len(s.of(WorkerStarted)); n < 3 || s.peak < 100<<20 {
			t.Errorf("%d workers started, the largest had %d MiB", n, s.peak>>20)
		}
	case "stack overflow":
		// The limit itself is in the worker's last words. Its resident set is not
		// checked: the race detector's shadow of the stack is many times the stack.
		t.Logf("the largest worker had %d MiB", s.peak>>20)
	case "a flood on stderr":
		t.Logf("%d KiB of 64 MiB were passed on", s.stderr.Load()>>10)
		if n := s.stderr.Load(); n < 32<<10 || n > 8<<20 {
			t.Errorf("%d bytes were passed on", n)
		}
	case "prints":
		if n := s.stderr.Load(); n == 0 {
			t.Error("what a task prints is not passed on")
		}
	}
}

func killLeftover(dir string) {
	if b, err := os.ReadFile(filepath.Join(dir, "pid")); err == nil {
		if pid, _ := strconv.Atoi(string(b)); pid > 0 {
			syscall.Kill(pid, syscall.SIGKILL)
		}
	}
}

// A chunk that is the end of every worker fails the run, and says how it ended them.
func TestRealPoisonFailsByName(t *testing.T) {
	for name, want := range map[string]string{
		"exit 0":       "unruly over [3000, 4000): worker # (pid #) exited with code 0 before its work was done; 3 workers were lost with it",
		"SIGKILL":      "unruly over [3000, 4000): worker # (pid #) was ended by signal: killed; 3 workers were lost with it",
		"fatal error":  "3 workers were lost with it; its last words: fatal error: sync: unlock of unlocked mutex",
		"endless loop": "unruly over [3000, 4000): took longer than 500ms, 3 times; worker killed (pid #)",
	} {
		t.Run(name, func(t *testing.T) {
			s := &stage{o: Options{Procs: 2}, chunks: 40}
			if name == "endless loop" {
				s.o.Timeout = 500 * time.Millisecond
			}
			out, err := s.run(t, faultEnv+"="+name)
			if err == nil || !strings.Contains(withoutNumbers(err.Error()), want) {
				t.Errorf("%v, want %v", err, want)
			}
			if out.Status != Failed || len(out.Covered) == 0 || out.Covered[0].Start != 0 {
				t.Errorf("%+v", out)
			}
		})
	}
}

// withoutNumbers blots out the numbers that differ from run to run.
func withoutNumbers(text string) string {
	return regexp.MustCompile(`(worker|pid) \d+`).ReplaceAllString(text, "$1 #")
}
