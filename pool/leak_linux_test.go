package pool

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"testing"
	"time"

	"procpool/child"
	"procpool/ipc"
	"procpool/parent"
	"procpool/task"
)

// markEnv is found in the environment of a victim and all that it starts.
const markEnv = "PROCPOOL_TEST_MARK"

var loop = task.DefineSum("loop", func(context.Context, ipc.Interval) (int, error) {
	misbehave("endless loop")
	return 0, nil
}, func(a, b int) int { return a + b })

// beVictim keeps a pool busy until this process is killed.
func beVictim() {
	sys := parent.OS()
	if os.Getenv(victimEnv) == "wrapped" {
		sys.Start = startWrapped
	}
	p, err := newPool(context.Background(), Options{Procs: 3}, sys)
	if err == nil {
		_, err = Sum(context.Background(), p, loop, ipc.Interval{End: 1000})
	}
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}

// startWrapped starts a worker behind a launcher, without the kernel's promise
// to end it with its parent: only its streams tell it.
func startWrapped(c parent.Command) (parent.OSProcess, error) {
	exe, err := os.Executable()
	if err != nil {
		return nil, err
	}
	cmd := exec.Command("nice", "-n", "1", exe, child.Arg, strconv.Itoa(c.Worker))
	cmd.Env = c.Env
	p := &wrapped{cmd: cmd}
	if p.in, err = cmd.StdinPipe(); err != nil {
		return nil, err
	}
	if p.out, err = cmd.StdoutPipe(); err != nil {
		return nil, err
	}
	if p.err, err = cmd.StderrPipe(); err != nil {
		return nil, err
	}
	return p, cmd.Start()
}

type wrapped struct {
	cmd      *exec.Cmd
	in       io.WriteCloser
	out, err io.ReadCloser
}

func (w *wrapped) Pid() int              { return w.cmd.Process.Pid }
func (w *wrapped) Stdin() io.WriteCloser { return w.in }
func (w *wrapped) Stdout() io.ReadCloser { return w.out }
func (w *wrapped) Stderr() io.ReadCloser { return w.err }
func (w *wrapped) Kill()                 { w.cmd.Process.Kill() }
func (w *wrapped) Wait() exitStatus      { w.cmd.Process.Wait(); return exitStatus{Code: -1} }

// marked lists the processes that have mark in their environment and are not zombies.
func marked(mark string) (pids []int) {
	entries, _ := os.ReadDir("/proc")
	for _, e := range entries {
		pid, err := strconv.Atoi(e.Name())
		if err != nil {
			continue
		}
		// A zombie's environment is empty.
		env, err := os.ReadFile("/proc/" + e.Name() + "/environ")
		if err == nil && bytes.Contains(env, []byte(markEnv+"="+mark+"\x00")) {
			pids = append(pids, pid)
		}
	}
	return pids
}

// However and whenever a parent is killed, its workers end: also those in a
// tight loop on their only P.
func TestNoWorkerOutlivesItsParent(t *testing.T) {
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	for _, kind := range []string{"plain", "wrapped"} {
		var worst time.Duration
		seen := 0
		for i := range 15 {
			mark := fmt.Sprintf("%s-%d-%d", kind, i, os.Getpid())
			victim := exec.Command(exe)
			victim.Env = append(os.Environ(), victimEnv+"="+kind, markEnv+"="+mark)
			if err := victim.Start(); err != nil {
				t.Fatal(err)
			}
			if i%3 == 0 { // some are killed when all is running, others at any moment before
				for begin := time.Now(); len(marked(mark)) < 4; time.Sleep(time.Millisecond) {
					if time.Since(begin) > limit {
						victim.Process.Kill()
						victim.Wait()
						t.Fatalf("%s: it has not started its workers after %v", kind, limit)
					}
				}
			}
			time.Sleep(rand.N(50 * time.Millisecond))
			seen += max(len(marked(mark))-1, 0)
			victim.Process.Kill()
			begin := time.Now()
			victim.Wait()
			for len(marked(mark)) > 0 {
				if time.Since(begin) > 10*time.Second {
					t.Fatalf("%s: processes %v live 10 s after their parent", kind, marked(mark))
				}
				time.Sleep(time.Millisecond)
			}
			worst = max(worst, time.Since(begin))
		}
		t.Logf("%s: 15 parents killed, %d workers, all gone after %v at the latest", kind, seen, worst)
		if seen == 0 {
			t.Errorf("%s: no parent had a worker", kind)
		}
	}
}

// holdings are what this process holds; children include zombies.
type holdings struct{ descriptors, goroutines, threads, children int }

func count(dir string) int {
	entries, _ := os.ReadDir(dir)
	return len(entries)
}

func holds() holdings {
	return holdings{count("/proc/self/fd"), runtime.NumGoroutine(), count("/proc/self/task"), len(children())}
}

// Pools that come and go, in order and in every other way, leave nothing behind.
func TestPoolsLeaveNothingBehind(t *testing.T) {
	runs := 100
	if *chaosFor > time.Minute {
		runs = 1000
	}
	for i := range 20 { // the runtime and the tests get what they keep
		comeAndGo(t, i)
	}
	before := holds()
	for i := range runs {
		comeAndGo(t, i)
	}
	// Timers of the last processes close pipes that are closed already.
	after := holds()
	for begin := time.Now(); after.goroutines > before.goroutines && time.Since(begin) < limit; after = holds() {
		time.Sleep(10 * time.Millisecond)
	}
	t.Logf("before %+v, after %d pools %+v", before, runs, after)
	if after.descriptors > before.descriptors || after.goroutines > before.goroutines || after.children > 0 || after.threads > before.threads+8 {
		t.Error("something was left behind")
	}
}

// comeAndGo uses a pool in one of several ways.
func comeAndGo(t *testing.T, i int) {
	o := Options{Procs: 2, ChunkSize: span, Stderr: io.Discard}
	if i%5 == 1 {
		o.Env = []string{faultEnv + "=exit 0", faultDirEnv + "=" + t.TempDir()}
	}
	p, err := New(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	switch i % 5 {
	case 0, 1:
		if _, err := Sum(t.Context(), p, unruly, ipc.Interval{End: 10 * span}); err != nil {
			t.Error(err)
		}
	case 2: // closed before anything has started
	case 3: // in the middle of everything
		for _, err := range Map(t.Context(), p, mirror, points(1000)) {
			if err != nil {
				t.Error(err)
			}
			break
		}
	case 4: // cancelled
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(time.Duration(i%7)*time.Millisecond, cancel)
		if _, err := Sum(ctx, p, loop, ipc.Interval{End: 10}); err == nil {
			t.Error("an endless loop has ended")
		}
	}
}
