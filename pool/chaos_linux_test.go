package pool

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"io"
	"maps"
	"math"
	"math/rand/v2"
	"os"
	"slices"
	"sync"
	"syscall"
	"testing"
	"time"

	"procpool/ipc"
	"procpool/task"
)

// chaosFor is how long TestChaos goes on: the ordinary tests make it short.
var chaosFor = flag.Duration("chaos", 6*time.Second, "how long the chaos test goes on")

// chaosEnv names the directory in which a worker notes what it does to itself,
// now and then, in the chaos test.
const chaosEnv = "PROCPOOL_TEST_CHAOS"

// oneIn is how many chunks a worker computes for each fault of its own.
const oneIn = 400

// mischief is what a worker does to itself in the middle of a chunk.
var mischief = map[string]func(){
	"exit 0":            func() { os.Exit(0) },
	"exit 1":            func() { os.Exit(1) },
	"panic elsewhere":   func() { misbehave("panic elsewhere") },
	"closes everything": func() { misbehave("closes everything") },
	"Goexit":            func() { misbehave("Goexit") },
	"garbage":           func() { sayToParent([]byte("garbage")); time.Sleep(time.Hour) },
	"half a message":    func() { sayToParent([]byte("\x81\xa6result\x85\xa5start")); os.Exit(0) },
	"a stray result": func() {
		sayToParent([]byte("\x81\xa6result\x83\xa2id\x01\xa7seconds\x00\xa5value\xcb\x40\x09\x21\xfb\x54\x44\x2d\x18"))
		time.Sleep(time.Hour)
	},
	"a bye": func() { sayToParent(ipc.AppendBye(nil, ipc.Bye{})); os.Exit(0) },
}

// sayToParent writes to every pipe that the worker kept for itself: one of
// them is its true standard output.
func sayToParent(b []byte) {
	for fd := 3; fd < 32; fd++ {
		syscall.Write(fd, b)
	}
}

// wild is pi, computed by workers that now and then misbehave at random, and
// note it first.
var wild = task.DefineSum("wild", func(ctx context.Context, iv ipc.Interval) (float64, error) {
	if dir := os.Getenv(chaosEnv); dir != "" && rand.IntN(oneIn) == 0 {
		names := slices.Collect(maps.Keys(mischief))
		name := names[rand.IntN(len(names))]
		if f, err := os.CreateTemp(dir, name+" *"); err == nil {
			f.Close()
			mischief[name]()
		}
	}
	return pi.Call(ctx, iv)
}, pi.Add)

// An account is what the chaos test did and what came of it.
type account struct {
	runs, failed             int // failed: with a typed error
	signals, self, shortages int // faults
	lost                     int // workers, as their pools noticed
	wrong, hangs, orphans    int
}

// TestChaos sums and maps while workers are killed and stopped at random,
// misbehave by themselves, and sometimes cannot be started. Every run ends
// with the same bits or with a typed error.
func TestChaos(t *testing.T) {
	var a account
	c := &chaos{account: &a, every: max(4*startupTime(t), 20*time.Millisecond), dir: t.TempDir(), spawned: make(map[int]bool)}
	for begin := time.Now(); a.runs < 4 || time.Since(begin) < *chaosFor; a.runs++ {
		switch a.runs % 4 {
		case 3:
			c.shortage(t)
		case 2:
			c.echoes(t)
		default:
			c.sums(t, Options{Procs: 4, Retries: []int{100, 1}[a.runs%2]})
		}
		if left := children(); len(left) > 0 {
			t.Errorf("left behind: %v", left)
			a.orphans += len(left)
		}
	}
	notes, err := os.ReadDir(c.dir)
	if err != nil {
		t.Fatal(err)
	}
	a.self = len(notes)
	t.Logf("%d runs, %d ended with a typed error; faults injected: %d signals (one in %v), %d by workers themselves, %d shortages of descriptors; workers lost: %d; wrong results: %d; hangs: %d; orphans: %d",
		a.runs, a.failed, a.signals, c.every, a.self, a.shortages, a.lost, a.wrong, a.hangs, a.orphans)
	if a.signals == 0 || a.self == 0 || a.lost == 0 {
		t.Error("nothing went wrong")
	}
}

// chaos is a test that is going on.
type chaos struct {
	*account
	every time.Duration // between two signals, on average
	dir   string        // of notes of faults

	mu      sync.Mutex
	spawned map[int]bool // processes that run the program
}

func (c *chaos) note(e Event) {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch e.Kind {
	case WorkerSpawned:
		c.spawned[e.PID] = true
	case WorkerLost:
		c.lost++
	}
}

// under runs work with a pool whose workers are shot at.
func (c *chaos) under(t *testing.T, o Options, work func(ctx context.Context, p *Pool)) {
	hang := time.AfterFunc(2*limit, func() { panic("chaos: a run has not ended long after its context") })
	defer hang.Stop()
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	defer cancel()
	o.ChunkSize, o.Heartbeat, o.Timeout, o.Stderr = wildSpan, time.Second, 3*time.Second, io.Discard
	o.Env = []string{chaosEnv + "=" + c.dir}
	o.OnEvent = c.note
	p := openPool(t, o)
	stop := make(chan struct{})
	var shooter sync.WaitGroup
	shooter.Go(func() { c.shoot(stop) })
	work(ctx, p)
	close(stop)
	shooter.Wait()
	p.Close()
}

func (c *chaos) count(n *int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	*n++
}

// judge sorts a run's error into those that a pool may have and those that it may not.
func (c *chaos) judge(t *testing.T, err error) {
	var lost *LostWorkerError
	var late *TimeoutError
	var start *StartError
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		t.Error("a run had to be ended")
		c.count(&c.hangs)
	case errors.As(err, &lost) && lost.Attempts > 0, errors.As(err, &late), errors.As(err, &start):
		c.count(&c.failed)
	default:
		t.Errorf("not an error for a fault: %T %v", err, err)
		c.count(&c.wrong)
	}
}

const (
	wildSpan   = 50000 // indices in a chunk
	wildChunks = 3000
)

var wildSum = sync.OnceValues(func() (float64, error) {
	p, err := New(context.Background(), Options{Backend: Serial, ChunkSize: wildSpan})
	if err != nil {
		return 0, err
	}
	defer p.Close()
	return Sum(context.Background(), p, pi, ipc.Interval{End: wildChunks * wildSpan})
})

// sums has two sums share one pool.
func (c *chaos) sums(t *testing.T, o Options) {
	want, err := wildSum()
	if err != nil {
		t.Fatal(err)
	}
	c.under(t, o, func(ctx context.Context, p *Pool) {
		var both sync.WaitGroup
		for range 2 {
			both.Go(func() {
				got, err := Sum(ctx, p, wild, ipc.Interval{End: wildChunks * wildSpan})
				switch {
				case err != nil:
					c.judge(t, err)
				case math.Float64bits(got) != math.Float64bits(want):
					t.Errorf("the sum is %v, want %v", got, want)
					c.count(&c.wrong)
				}
			})
		}
		both.Wait()
	})
}

// shortage leaves too few descriptors for all workers.
func (c *chaos) shortage(t *testing.T) {
	var before syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &before); err != nil {
		t.Fatal(err)
	}
	open, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	few := before
	few.Cur = uint64(len(open) + 16)
	if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &few); err != nil {
		t.Fatal(err)
	}
	defer syscall.Setrlimit(syscall.RLIMIT_NOFILE, &before)
	c.shortages++
	c.sums(t, Options{Procs: 6, Retries: 100})
}

// echoes fills the pipes both ways.
func (c *chaos) echoes(t *testing.T) {
	const n = 400
	payload := func(i int) []byte { return bytes.Repeat([]byte{byte(i)}, 1<<(i%21)) } // up to 1 MiB
	inputs := func(yield func([]byte) bool) {
		for i := 0; i < n && yield(payload(i)); i++ {
		}
	}
	c.under(t, Options{Procs: 3, Retries: 100}, func(ctx context.Context, p *Pool) {
		i, failed := 0, false
		for out, err := range Map(ctx, p, same, inputs) {
			if err != nil {
				failed = true
				c.judge(t, err)
			} else if !bytes.Equal(out, payload(i)) {
				t.Errorf("input %d came back wrong", i)
				c.count(&c.wrong)
			}
			i++
		}
		if i != n && !failed {
			t.Errorf("%d of %d outputs", i, n)
			c.count(&c.wrong)
		}
	})
}

// startupTime is the median time from a worker's spawn to its hello.
func startupTime(t *testing.T) time.Duration {
	var seconds []float64
	for range 5 {
		p := openPool(t, Options{Procs: 1})
		if _, err := Sum(t.Context(), p, pi, ipc.Interval{End: 10}); err != nil {
			t.Fatal(err)
		}
		p.Close()
		seconds = append(seconds, p.Stats()[0].StartupSeconds)
	}
	slices.Sort(seconds)
	return time.Duration(seconds[2] * float64(time.Second))
}

// mayStop reports, for one process in three, whether it can be stopped.
func (c *chaos) mayStop(pid int) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.spawned[pid] && rand.IntN(3) == 0
}

// shoot kills or stops a child at random now and then, until stop is closed.
func (c *chaos) shoot(stop <-chan struct{}) {
	for {
		select {
		case <-stop:
			return
		case <-time.After(c.every/2 + rand.N(c.every)):
		}
		pids := children()
		if len(pids) == 0 {
			continue
		}
		pid := pids[rand.IntN(len(pids))]
		s := syscall.SIGKILL
		// A process that is stopped between fork and exec stops its parent too,
		// threads and all: the kernel lets nobody go on before the exec.
		if c.mayStop(pid) {
			s = syscall.SIGSTOP
			if rand.IntN(2) == 0 {
				time.AfterFunc(c.every, func() { syscall.Kill(pid, syscall.SIGCONT) })
			}
		}
		if syscall.Kill(pid, s) == nil {
			c.count(&c.signals)
		}
	}
}
