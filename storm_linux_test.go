package main

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

var stormFor = flag.Duration("storm", 4*time.Second, "how long TestStorm goes on")

// A storm is signals that are thrown at many runs, from their first instant on, and
// what came of them.
type storm struct {
	t     *testing.T
	exe   string
	first bool // processes can be the first of a PID namespace
	work  []stormWork

	mu     sync.Mutex
	counts map[string]int
}

// stormWork is what a run computes.
type stormWork struct {
	args []string
	want string // the result; "" for a run that must be asked to end
}

// stormLimit is how long a run may take to end that is disturbed no more.
const stormLimit = 60 * time.Second

// TestStorm throws signals at runs: INT, TERM, HUP, USR1 and KILL at the parent, its
// group and the workers, also at those just born, STOP and CONT at everybody; a quarter
// of the runs is process 1. Whatever comes, a run ends with the right result, or by a
// signal that it was sent, leaves nobody behind, and its journal can be resumed.
func TestStorm(t *testing.T) {
	long(t)
	s := &storm{t: t, exe: stormProgram(t), first: canBeFirst(t), counts: make(map[string]int)}
	for _, args := range [][]string{
		{"--procs", "2", "--task", "primes", "--chunk-size", "4e4", "2e6"},
		{"--procs", "4", "--task", "pi-fast", "2e8"},
		{"--procs", "3", "--max-chunks-per-child", "5", "--chunk-size", "5e5", "2e7"},
		{"--procs", "2", "--launcher", "nice", "--task", "primes", "--chunk-size", "4e4", "2e6"},
		{"--backend", "goroutines", "--procs", "2", "--chunk-size", "5e5", "2e7"},
	} {
		s.work = append(s.work, stormWork{args, resultOf(t, args...)})
	}
	s.work = append(s.work,
		stormWork{[]string{"--procs", "2", "--chunk-size", "1e6", "1e15"}, ""},
		stormWork{[]string{"--procs", "4", "--launcher", "nice", "--chunk-size", "1e6", "1e15"}, ""},
		stormWork{[]string{"--backend", "serial", "--chunk-size", "1e6", "1e15"}, ""})
	var all sync.WaitGroup
	for lane := range 2 {
		all.Go(func() {
			for i, begin := 0, time.Now(); i == 0 || time.Since(begin) < *stormFor; i++ {
				s.run(fmt.Sprintf("storm-%d-%d-%d", os.Getpid(), lane, i))
			}
		})
	}
	all.Wait()
	c := s.counts
	t.Logf("%d runs, %d of them as process 1: %d ended with their result, %d by a signal, %d in Go's runtime; "+
		"signals: %d to parents and groups, %d to workers; journals resumed: %d; wrong: %d, hangs: %d, orphans: %d, unclear ends: %d",
		c["runs"], c["first"], c["done"], c["signalled"], c["runtime"], c["to parents"], c["to workers"], c["resumed"],
		c["wrong"], c["hangs"], c["orphans"], c["unclear"])
	if c["signalled"] == 0 || c["to workers"] == 0 {
		t.Error("nothing was thrown")
	}
}

// stormProgram is the program itself where it can be built, else what plays it.
func stormProgram(t *testing.T) string {
	t.Helper()
	if goTool, err := exec.LookPath("go"); err == nil {
		exe := filepath.Join(t.TempDir(), "procpool")
		out, err := exec.CommandContext(hardLimit(t), goTool, "build", "-o", exe, ".").CombinedOutput()
		if err == nil {
			return exe
		}
		t.Logf("go build: %v: %s", err, out)
	}
	exe, err := exec.LookPath("procpool")
	if err != nil {
		t.Fatal(err)
	}
	return exe
}

func canBeFirst(t *testing.T) bool {
	j := newFirst(t, "storm-first", t.TempDir(), "/bin/true")
	if err := j.begin(); err != nil {
		return false
	}
	return j.wait() == 0
}

func (s *storm) count(what string, n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.counts[what] += n
}

// fail counts and tells what should not be; not all of it, should it be a flood.
func (s *storm) fail(what string, n int, g *gust, format string, args ...any) {
	s.count(what, n)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.counts["told"]++; s.counts["told"] <= 20 {
		s.t.Errorf("%s: %s; %v, process 1: %t, sent to the parent: %v\nstdout: %s\nstderr: %s",
			what, fmt.Sprintf(format, args...), g.job.cmd.Args, g.first, g.sent, &g.job.stdout, &g.job.stderr)
	}
}

// A gust is the signals for one run.
type gust struct {
	s     *storm
	job   *job
	work  stormWork
	first bool
	quiet chan struct{} // closed when nothing more is thrown
	tasks sync.WaitGroup

	mu    sync.Mutex
	sent  []syscall.Signal // to the parent, that it may end by
	kills int              // of workers
}

// run starts one run, disturbs it, and judges its end.
func (s *storm) run(mark string) {
	dir, err := os.MkdirTemp("", "storm")
	if err != nil {
		s.t.Error(err)
		return
	}
	defer os.RemoveAll(dir)
	g := &gust{s: s, work: s.work[rand.IntN(len(s.work))], first: s.first && rand.IntN(4) == 0, quiet: make(chan struct{})}
	args := append([]string{"run", "--grace", "1s"}, g.work.args...)
	if !slices.Contains(args, "--backend") {
		args = append(args, "--retries", "1000")
	}
	journaled := g.work.want != "" && rand.IntN(3) == 0
	if journaled {
		args = append(args, "--journal", "j")
	}
	start := newJob
	if g.first {
		start = newFirst
		s.count("first", 1)
	}
	g.job = start(s.t, mark, dir, s.exe, args...)
	if err := g.job.begin(); err != nil {
		s.t.Error(err)
		return
	}
	s.count("runs", 1)
	g.awaitProgram()
	if g.work.want == "" || rand.IntN(2) == 0 {
		g.tasks.Go(g.ask)
	}
	g.tasks.Go(g.disturb)
	select {
	case <-g.job.ended:
	case <-time.After(stormLimit):
		s.fail("hangs", 1, g, "it did not end within %v", stormLimit)
		g.job.group(syscall.SIGKILL)
		<-g.job.ended
	}
	close(g.quiet)
	g.tasks.Wait()
	g.judge()
	g.lookForOrphans()
	if journaled {
		g.resume(dir, mark, args)
	}
}

// awaitProgram waits until the shell that prepares a namespace has become the program.
func (g *gust) awaitProgram() {
	for g.first {
		exe, err := os.Readlink(filepath.Join("/proc", strconv.Itoa(g.job.cmd.Process.Pid), "exe"))
		if err != nil || filepath.Base(exe) == filepath.Base(g.s.exe) {
			return
		}
	}
}

// pause waits, and reports whether the run still goes on.
func (g *gust) pause(d time.Duration) bool {
	select {
	case <-g.quiet:
		return false
	case <-time.After(d):
		return true
	}
}

// ask asks the run to end, once or more often. It kills some.
func (g *gust) ask() {
	asking := []syscall.Signal{syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP, syscall.SIGTERM, syscall.SIGUSR1, syscall.SIGKILL}
	for wait := rand.N(80 * time.Millisecond); g.pause(wait); wait = rand.N(1500 * time.Millisecond) {
		signal := asking[rand.IntN(len(asking))]
		if g.first && signal == syscall.SIGUSR1 { // Go drops it until somebody listens
			signal = syscall.SIGTERM
		}
		g.mu.Lock()
		g.sent = append(g.sent, signal)
		g.mu.Unlock()
		g.s.count("to parents", 1)
		if rand.IntN(2) == 0 {
			g.job.signal(signal)
		} else {
			g.job.group(signal)
		}
	}
}

// disturb signals workers, and stops and continues everybody.
func (g *gust) disturb() {
	most := []time.Duration{time.Millisecond, 10 * time.Millisecond, 100 * time.Millisecond}[rand.IntN(3)]
	parent := g.job.cmd.Process.Pid
	for left := 40; left > 0 && g.pause(rand.N(most)); left-- {
		switch rand.IntN(8) {
		case 0:
			g.stop("to parents", parent)
		case 1:
			g.stop("to parents", -parent)
		default:
			g.signalWorker(childrenOf(parent))
		}
	}
}

// signalWorker signals one of the workers: the youngest, or any.
func (g *gust) signalWorker(workers []int) {
	if len(workers) == 0 {
		return
	}
	pid := workers[len(workers)-1]
	if rand.IntN(2) == 0 {
		pid = workers[rand.IntN(len(workers))]
	}
	signal := []syscall.Signal{syscall.SIGSTOP, syscall.SIGKILL, syscall.SIGINT, syscall.SIGTERM}[rand.IntN(4)]
	// Five failed starts in a row are enough to give a worker up, and rightly so.
	const mostKills = 4
	switch {
	case signal == syscall.SIGSTOP:
		g.stop("to workers", pid)
	case g.kills < mostKills:
		g.kills++
		g.s.count("to workers", 1)
		syscall.Kill(pid, signal)
	}
}

// stop stops processes for a while.
func (g *gust) stop(whom string, pid int) {
	if syscall.Kill(pid, syscall.SIGSTOP) != nil {
		return
	}
	g.s.count(whom, 2)
	time.Sleep(rand.N(20 * time.Millisecond))
	syscall.Kill(pid, syscall.SIGCONT)
}

// childrenOf lists the children of a process, in the order in which they were born on
// each of its threads.
func childrenOf(pid int) (pids []int) {
	lists, _ := filepath.Glob(filepath.Join("/proc", strconv.Itoa(pid), "task", "*", "children"))
	for _, list := range lists {
		text, _ := os.ReadFile(list)
		for _, field := range strings.Fields(string(text)) {
			child, _ := strconv.Atoi(field)
			pids = append(pids, child)
		}
	}
	return pids
}

// stormNotes are all that a run that is disturbed may say.
var stormNotes = regexp.MustCompile(`^(procpool: ([a-z-]+ over \[.*\): )?(worker \d+ .*; (its work goes to another|it is tried again)( \(.*\))?|start a worker process: .*; it is tried again|not shown: \d+ more lines? like these|` +
	`ended by SIG[A-Z0-9]+(: \d+ of \d+ chunks are done)?)\n|hint: journal j holds .*\n|hint: the same command with --resume goes on\n)*$`)

// judge compares how the run ended with what it was sent.
func (g *gust) judge() {
	code, result := g.job.code(), g.job.result()
	bySignal := false
	for _, s := range g.sent {
		bySignal = bySignal || code == 128+int(s)
	}
	switch {
	case code == 0 && g.work.want != "":
		g.s.count("done", 1)
		if result != g.work.want {
			g.s.fail("wrong", 1, g, "%q, not %q", result, g.work.want)
		}
	case bySignal:
		g.s.count("signalled", 1)
		if result != "" && result != g.work.want { // it may come when the result is just printed
			g.s.fail("wrong", 1, g, "it ended by a signal with a result")
		}
	case g.first && code == 2 && len(g.sent) > 0 && g.job.stdout.Len() == 0:
		g.s.count("runtime", 1) // Go ends process 1 so where nobody listens to a signal
	default:
		g.s.fail("unclear", 1, g, "exit code %d", code)
		return
	}
	if !stormNotes.MatchString(g.job.stderr.String()) {
		g.s.fail("unclear", 1, g, "it should not say that")
	}
}

// lookForOrphans finds processes that outlive their run.
func (g *gust) lookForOrphans() {
	var left []int
	for end := time.Now().Add(20 * time.Second); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		if left = marked(g.job.mark); len(left) == 0 {
			return
		}
	}
	for _, pid := range left {
		args, _ := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "cmdline"))
		g.s.fail("orphans", 1, g, "process %d is left: %q", pid, args)
		syscall.Kill(pid, syscall.SIGKILL)
	}
}

// resume finishes a run by its journal, undisturbed. There is none if it ended before.
func (g *gust) resume(dir, mark string, args []string) {
	if _, err := os.Stat(filepath.Join(dir, "j")); err != nil {
		return
	}
	g.s.count("resumed", 1)
	g.first, g.sent = false, nil
	g.job = newJob(g.s.t, mark, dir, g.s.exe, append(args, "--resume")...)
	if err := g.job.begin(); err != nil {
		g.s.t.Error(err)
		return
	}
	select {
	case <-g.job.ended:
		if code, result := g.job.code(), g.job.result(); code != 0 || result != g.work.want {
			g.s.fail("wrong", 1, g, "the resumed run ends with exit code %d and %q, not %q", code, result, g.work.want)
		}
	case <-time.After(stormLimit):
		g.s.fail("hangs", 1, g, "the resumed run did not end within %v", stormLimit)
		g.job.group(syscall.SIGKILL)
		<-g.job.ended
	}
}
