package cli_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// hardLimit bounds what could hang. Nothing else is timed.
const hardLimit = 3 * time.Minute

// built is procpool as a user has it, built once for all benches.
var built = sync.OnceValues(func() (string, error) {
	exe := filepath.Join(os.Getenv("XDG_CACHE_HOME"), "built")
	out, err := exec.Command("go", "build", "-o", exe, "..").CombinedOutput()
	if err != nil {
		err = fmt.Errorf("%w: %s", err, out)
	}
	return exe, err
})

// A bench is procpool as a user has it, linked for one test, and a directory
// whose path has all that quoting could get wrong. Its path tells its processes from all others.
type bench struct {
	*testing.T
	dir, exe string
	env      []string
	work     []string // that printed jobs compute
}

func newBench(t *testing.T) *bench {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "it's $HOME")
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	b := &bench{T: t, dir: dir, exe: filepath.Join(dir, "procpool"), work: work}
	exe, err := built()
	if err == nil {
		err = os.Link(exe, b.exe)
	}
	if err != nil {
		t.Fatal(err)
	}
	b.env = append(os.Environ(), "PATH="+dir+":"+os.Getenv("PATH")+":/usr/sbin")
	t.Cleanup(func() {
		for _, pid := range b.processes() {
			syscall.Kill(pid, syscall.SIGKILL)
		}
	})
	return b
}

// engine skips a test of an engine that takes its time to come up, unless
// PROCPOOL_TEST_ENGINES=1, as in .ci/run.
func engine(t *testing.T) {
	t.Helper()
	if os.Getenv("PROCPOOL_TEST_ENGINES") != "1" {
		t.Skip("this brings up an engine: PROCPOOL_TEST_ENGINES=1 runs it")
	}
}

// long skips a test that takes seconds, under -short.
func long(t *testing.T) {
	t.Helper()
	if testing.Short() {
		t.Skip("this takes seconds")
	}
}

// program is the path of one that is needed; see strict.
func program(t *testing.T, name string) string {
	t.Helper()
	for _, try := range []string{name, "/usr/sbin/" + name} {
		if path, err := exec.LookPath(try); err == nil {
			return path
		}
	}
	strict(t, "there is no %s here", name)
	return ""
}

// strict skips a test for what is missing. Where everything is said to be
// there, that is a failure.
func strict(t *testing.T, format string, args ...any) {
	t.Helper()
	if os.Getenv("PROCPOOL_CI_STRICT") == "1" {
		t.Fatalf(format, args...)
	}
	t.Skipf(format, args...)
}

// A said is what a command said before its end.
type said struct {
	stdout, stderr string
	code           int
}

func (b *bench) command(args ...string) *exec.Cmd {
	ctx, cancel := context.WithTimeout(context.Background(), hardLimit)
	b.Cleanup(cancel)
	cmd := exec.CommandContext(ctx, args[0], args[1:]...)
	cmd.Env, cmd.Dir = b.env, b.dir
	return cmd
}

// run runs a command to its end.
func (b *bench) run(args ...string) said {
	b.Helper()
	var stdout, stderr bytes.Buffer
	cmd := b.command(args...)
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); cmd.ProcessState == nil {
		b.Fatalf("%q: %v", args, err)
	}
	return said{stdout.String(), stderr.String(), cmd.ProcessState.ExitCode()}
}

// A report is what these tests need of run --json.
type report struct {
	Status  string
	Failure string
	Procs   int
	Value   json.Number
	Retries int
	Workers []struct {
		PID, Restarts int
		Chunks        int
		Host          string
		User          *float64 `json:"user_seconds"`
	}
	Limits struct {
		By string `json:"decided_by"`
	}
}

func (s said) report(b *bench) (r report) {
	b.Helper()
	if err := json.Unmarshal([]byte(s.stdout), &r); err != nil {
		b.Fatalf("%v in %q; stderr: %s", err, s.stdout, s.stderr)
	}
	return r
}

// processes are those whose command line names this bench's program.
func (b *bench) processes() (pids []int) {
	lines, _ := filepath.Glob("/proc/[0-9]*/cmdline")
	for _, path := range lines {
		line, err := os.ReadFile(path)
		if err != nil || !bytes.Contains(line, []byte(b.dir)) && !bytes.Contains(line, []byte(strings.ReplaceAll(b.dir, "'", `'\''`))) {
			continue
		}
		pid, _ := strconv.Atoi(strings.Split(path, "/")[2])
		if pid != os.Getpid() {
			pids = append(pids, pid)
		}
	}
	return pids
}

// workers are the worker processes themselves, without what launched them.
func (b *bench) workers() (pids []int) {
	for _, pid := range b.processes() {
		proc := "/proc/" + strconv.Itoa(pid)
		line, _ := os.ReadFile(proc + "/cmdline")
		exe, _ := os.Readlink(proc + "/exe")
		if exe == b.exe && bytes.Contains(line, []byte("\x00procpool-child\x00")) {
			pids = append(pids, pid)
		}
	}
	return pids
}

// until waits for something to become true.
func (b *bench) until(what string, is func() bool) time.Duration {
	b.Helper()
	begin := time.Now()
	for !is() {
		if time.Since(begin) > hardLimit {
			b.Fatalf("still not after %v: %s", hardLimit, what)
		}
		time.Sleep(5 * time.Millisecond)
	}
	return time.Since(begin)
}

func (b *bench) noWorkers() bool { return len(b.workers()) == 0 }

// working waits until the run that writes the journal has finished chunks
// and has n workers.
func (b *bench) working(journal string, n int) (pids []int) {
	b.Helper()
	b.until("chunks in "+journal, func() bool {
		data, _ := os.ReadFile(filepath.Join(b.dir, journal))
		pids = b.workers()
		return bytes.Count(data, []byte("\n")) > 2 && len(pids) >= n
	})
	return pids
}

// start starts a command that a test wants to disturb, in a group of its own.
func (b *bench) start(args ...string) (cmd *exec.Cmd, end func() said) {
	b.Helper()
	var stdout, stderr bytes.Buffer
	cmd = b.command(args...)
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.WaitDelay = time.Second // what it leaves behind may hold the pipes
	if err := cmd.Start(); err != nil {
		b.Fatal(err)
	}
	return cmd, func() said {
		cmd.Wait()
		return said{stdout.String(), stderr.String(), cmd.ProcessState.ExitCode()}
	}
}

// The sum that disturbed runs compute: exact, so its bits cannot depend on
// who computed what how often.
var work = []string{"--task", "pi-fast", "--chunk-size", "10_000_000", "5e10"}

// littleWork is for jobs that nothing disturbs.
var littleWork = []string{"--task", "pi-fast", "--chunk-size", "10_000_000", "1e9"}

func (b *bench) undisturbed(args ...string) string {
	b.Helper()
	s := b.run(append([]string{b.exe, "run", "--json", "--backend", "goroutines"}, args...)...)
	if s.code != 0 {
		b.Fatalf("%+v", s)
	}
	return s.report(b).Value.String()
}

// However a wrapper carries the streams, nobody outlives a parent that was killed.
func TestNoOrphansBehindWrappers(t *testing.T) {
	long(t)
	b := newBench(t)
	for name, launcher := range map[string]string{
		"none": "", "nice": "nice", "taskset": "taskset -c {cpu}", "forks": "sh -c '{cmd}; exit 0' x",
		"pipes":            "sh -c 'cat | {cmd} | cat'",
		"swallows the end": `sh -c '(cat; while :; do sleep 1; done) | {cmd} | (trap "" PIPE; cat 2>/dev/null; exec cat >/dev/null)'`,
	} {
		t.Run(name, func(t *testing.T) {
			journal := strings.ReplaceAll(name, " ", "-") + ".journal"
			args := []string{b.exe, "run", "--procs", "2", "--heartbeat", "2s", "--journal", journal, "--chunk-size", "10_000_000", "--task", "pi-fast", "1e15"}
			if launcher != "" {
				args = append(args, "--launcher", launcher)
			}
			cmd, end := b.start(args...)
			b.working(journal, 2)
			cmd.Process.Kill()
			end()
			t.Logf("workers were gone after %v", b.until("workers gone", b.noWorkers).Round(10*time.Millisecond))
		})
	}
}

// The same in moments when workers are only beginning.
func TestNoOrphansOfABeginningParent(t *testing.T) {
	long(t)
	b := newBench(t)
	for i := range 40 {
		launcher := []string{"nice", "sh -c '{cmd} | cat'"}[i%2]
		cmd, end := b.start(b.exe, "run", "--procs", "3", "--launcher", launcher, "1e15")
		time.Sleep(time.Duration(i/2) * time.Millisecond)
		cmd.Process.Kill()
		end()
		b.until("workers gone", b.noWorkers)
	}
}

// doctor measures what works, and says what is wrong with what does not.
func TestDoctorTriesALauncher(t *testing.T) {
	long(t)
	b := newBench(t)
	for _, c := range []struct {
		launcher string
		code     int
		want     string
	}{
		{"nice", 0, "round trip"},
		{"sh -c 'echo noise; exec {cmd}'", 0, "empty chunks/s"},
		{"false", 1, "the launcher exited with code 1"},
		{"sh -c 'echo noise; echo reason >&2; exit 3'", 1, `begins with "noise\n"`},
		{"sh -c 'exec /nowhere/procpool'", 1, "hint: put the program at the same path"},
		{"sh -c '{cmd} | sed -u s/^/x/'", 1, "hint: something on the way changes bytes"},
		{"sh -c '{cmd} | sed -u \"s/^/0: /\"'", 1, "leave out srun --label"},
		{"nosuch", 2, `there is no program "nosuch"`},
		{"nice {foo}", 2, "unknown placeholder {foo}"},
	} {
		s := b.run(b.exe, "doctor", "--launcher", c.launcher)
		if s.code != c.code || !strings.Contains(s.stdout+s.stderr, c.want) {
			t.Errorf("%s: %+v, want exit %d and %q", c.launcher, s, c.code, c.want)
		}
	}
	other := newBench(t)
	if out, err := exec.Command("go", "build", "-ldflags=-s", "-o", other.exe, "..").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	b.env = append(b.env, "OTHER="+other.exe)
	s := b.run(b.exe, "doctor", "--json", "--launcher", `sh -c 'exec "$OTHER" "$@"' sh {args}`)
	if s.code != 1 || !strings.Contains(s.stderr, "another build") {
		t.Errorf("%+v", s)
	}
}
