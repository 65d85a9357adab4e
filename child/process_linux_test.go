package child

import (
	"bufio"
	"bytes"
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

	"golang.org/x/sys/unix"

	"procpool/ipc"
)

// A process is a worker that runs this test binary.
type process struct {
	talk
	cmd    *exec.Cmd
	stderr *bytes.Buffer
}

// start starts the test binary, as a worker if args or env say so. args may begin
// with a command to start it through and "--".
func start(t *testing.T, env []string, args ...string) *process {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	if i := slices.Index(args, "--"); i >= 0 {
		args = slices.Replace(args, i, i+1, self)
	} else {
		args = slices.Insert(args, 0, self)
	}
	p := &process{cmd: exec.Command(args[0], args[1:]...), stderr: new(bytes.Buffer)}
	p.t = t
	p.cmd.Env = append(append(os.Environ(), "GOMAXPROCS=1"), env...)
	p.cmd.Stderr = p.stderr
	p.cmd.WaitDelay = time.Second
	theirIn, in, err1 := os.Pipe()
	out, theirOut, err2 := os.Pipe()
	p.in, p.out = in, out
	p.cmd.Stdin, p.cmd.Stdout = theirIn, theirOut
	if err := errors.Join(err1, err2, p.cmd.Start()); err != nil {
		t.Fatal(err)
	}
	theirIn.Close()
	theirOut.Close()
	out.SetReadDeadline(time.Now().Add(hangLimit))
	p.r = ipc.NewReader(out, ipc.MaxLimit)
	p.ended = make(chan error, 1)
	go func() { p.ended <- p.cmd.Wait() }()
	t.Cleanup(func() { p.cmd.Process.Kill(); in.Close(); out.Close() })
	return p
}

// endsWell waits for bye and exit code 0.
func (p *process) endsWell() {
	p.t.Helper()
	p.wants("bye", "EOF")
	if err := p.end(); err != nil {
		p.t.Errorf("%v: %s", err, p.stderr)
	}
}

func TestStartedByArgument(t *testing.T) {
	p := start(t, nil, Arg, "7")
	p.hello()
	p.send(call(1, "worker", 0), endMessage)
	p.wants("result 1 07")
	p.endsWell()
}

func TestStartedByAlias(t *testing.T) {
	p := start(t, nil, "child")
	p.hello()
	p.in.Close()
	p.endsWell()
}

// Main unsets the variable, so what a task starts does not see it.
func TestStartedByEnvironment(t *testing.T) {
	p := start(t, []string{Env + "=1"})
	p.hello()
	p.send(call(1, "env", Env), endMessage)
	p.wants(fmt.Sprintf("result 1 %x", call(0, "", []string{"unset", "unset"})[len(ipc.AppendRequestHead(nil, 0, "")):]))
	p.endsWell()
}

func TestParseArgs(t *testing.T) {
	for _, c := range []struct {
		args     []string
		index    int
		isWorker bool
	}{
		{[]string{"x"}, 0, false}, {nil, 0, false}, {[]string{"x", Arg}, 0, true}, {[]string{"x", Arg, "5"}, 5, true},
		{[]string{"x", "run", Arg}, 0, false}, {[]string{"x", "child"}, 0, true}, {[]string{"x", "child", "--help"}, 0, false}, {[]string{"x", "kid"}, 0, false},
	} {
		if index, _, isWorker := parseArgs(c.args, []string{"child"}); index != c.index || isWorker != c.isWorker {
			t.Errorf("%q: %d, %v", c.args, index, isWorker)
		}
	}
}

func TestHelloDescribesTheWorker(t *testing.T) {
	p := start(t, nil, Arg)
	h := p.hello()
	host, _ := os.Hostname()
	if h.PID != int64(p.cmd.Process.Pid) || h.Host != host || h.Build != ipc.Build() || !slices.Contains(h.Tasks, "pi") || !slices.IsSorted(h.Tasks) {
		t.Errorf("%+v", h)
	}
}

// Nothing that a task prints reaches the stream, and a task cannot read requests.
func TestStrayPrintsGoToStderr(t *testing.T) {
	p := start(t, nil, Arg)
	p.hello()
	p.send(call(1, "print", 0), call(2, "double", 4), endMessage)
	p.wants("result 1 01", "result 2 08")
	p.endsWell()
	for _, by := range []string{"by fmt", "by println", "by os.Stdout", "by descriptor", "by a command"} {
		if !strings.Contains(p.stderr.String(), by+"\n") {
			t.Errorf("%q is not on stderr: %q", by, p.stderr)
		}
	}
}

func TestFilesInAndOut(t *testing.T) {
	dir := t.TempDir()
	in, out := filepath.Join(dir, "requests"), filepath.Join(dir, "replies")
	var requests []byte
	for i := range uint64(10000) {
		requests = append(requests, sum(i, "null", int64(i), int64(i+1))...)
	}
	if err := os.WriteFile(in, requests, 0o600); err != nil {
		t.Fatal(err)
	}
	p := start(t, nil, "sh", "-c", `exec "$0" procpool-child < "$1" > "$2"`, "--", in, out)
	if err := p.end(); err != nil {
		t.Fatal(err, p.stderr)
	}
	replies, err := os.Open(out)
	if err != nil {
		t.Fatal(err)
	}
	defer replies.Close()
	k := talk{t: t, r: ipc.NewReader(replies, 0)}
	k.hello()
	for i := range 10000 {
		k.wants(fmt.Sprintf("result %d [%d, %d) 00", i, i, i+1))
	}
	k.wants("bye", "EOF")
}

// A fault in the stream leads to one line on stderr, exit code 1 and no bye.
func TestFaultIsReported(t *testing.T) {
	p := start(t, nil, Arg)
	p.hello()
	p.send([]byte("what?"))
	p.wants("EOF")
	if err := p.end(); err == nil || err.Error() != "exit status 1" {
		t.Error(err)
	}
	if got, want := p.stderr.String(), "procpool: child: protocol fault: not a map of one pair (first bytes \"what?\")\n"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

// spinning starts a worker in an endless loop without calls, which Go can only
// interrupt by a signal.
func spinning(t *testing.T, first ...[]byte) *process {
	p := start(t, nil, Arg)
	p.hello()
	p.send(append(first, call(1, "double", 1), call(2, "spin", int64(1)<<50))...)
	p.wants("result 1 02")
	return p
}

// endsLost waits for a worker that lost its parent, and logs how long it takes. A
// second is promised; the test allows more for slow machines.
func (p *process) endsLost() {
	p.t.Helper()
	begin := time.Now()
	if err := p.end(); err == nil || err.Error() != "exit status 1" {
		p.t.Error(err)
	}
	p.t.Logf("ended %v later", time.Since(begin).Round(time.Millisecond))
	if p.stderr.Len() > 0 {
		p.t.Errorf("stderr has %q", p.stderr)
	}
}

func TestClosedOutputWhileATaskRuns(t *testing.T) {
	p := spinning(t)
	p.out.Close()
	p.endsLost()
}

func TestClosedInputWhileATaskRuns(t *testing.T) {
	p := spinning(t, open(30, 1<<20))
	p.in.Close()
	p.endsLost()
}

func TestSilenceWhileATaskRuns(t *testing.T) {
	p := spinning(t, open(0.2, 1<<20))
	p.endsLost()
}

func TestKilledParentWhileATaskRuns(t *testing.T) {
	p := start(t, []string{doomedEnv + "=1"})
	line, err := bufio.NewReader(p.out).ReadString('\n')
	worker, err2 := strconv.Atoi(strings.TrimSpace(line))
	if err != nil || err2 != nil {
		t.Fatalf("the parent prints %q, %v", line, err)
	}
	alive := func() bool {
		stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", worker))
		_, rest, _ := bytes.Cut(stat, []byte(") "))
		return err == nil && !bytes.HasPrefix(rest, []byte("Z"))
	}
	if !alive() {
		t.Fatal("the worker does not run")
	}
	p.cmd.Process.Kill()
	begin := time.Now()
	for alive() {
		if time.Since(begin) > hangLimit {
			syscall.Kill(worker, syscall.SIGKILL)
			t.Fatal("the worker still runs")
		}
		time.Sleep(time.Millisecond)
	}
	t.Logf("ended %v later", time.Since(begin).Round(time.Millisecond))
}

// A result arrives while the next request runs, which takes at least 100 ms: that of
// the first request of a burst, and that of the second, which waits for the timer. They
// should take 20 ms at most, but a busy machine needs more.
func TestLatencyOfAResult(t *testing.T) {
	p := start(t, nil, Arg)
	p.hello()
	var took [2][]time.Duration
	for i := range uint64(10) {
		p.send(call(3*i, "now", 0), call(3*i+1, "now", 0), call(3*i+2, "spin", int64(100_000_000)))
		for nth := range took {
			m, err := p.r.Next()
			received := time.Now()
			if err != nil {
				t.Fatal(err)
			}
			r, err := ipc.ParseResult(m.Body)
			var computed int64
			if err == nil {
				err = ipc.DecodeValue(r.Value, &computed)
			}
			if err != nil {
				t.Fatal(err)
			}
			took[nth] = append(took[nth], received.Sub(time.Unix(0, computed)))
		}
		p.wants(fmt.Sprintf("result %d", 3*i+2))
	}
	for nth := range took {
		slices.Sort(took[nth])
		t.Logf("result %d: median %v, longest %v", nth+1, took[nth][5].Round(10*time.Microsecond), took[nth][9].Round(10*time.Microsecond))
		if fastest := took[nth][0]; fastest > 50*time.Millisecond {
			t.Errorf("result %d: the fastest of ten arrived after %v", nth+1, fastest)
		}
	}
	p.in.Close()
	p.endsWell()
}

func TestHooksRunAtAnOrderlyEnd(t *testing.T) {
	p := start(t, nil, Arg)
	p.hello()
	p.send(call(1, "hooks", 0), endMessage)
	p.wants("result 1 01")
	p.endsWell()
	if got := p.stderr.String(); got != "hook 2\nhook 1\n" {
		t.Errorf("%q", got)
	}
}

func TestHooksDoNotRunForALostParent(t *testing.T) {
	p := start(t, nil, Arg)
	p.hello()
	p.send(open(0, 1<<20), call(1, "hooks", 0))
	p.wants("result 1 01")
	p.in.Close()
	p.endsLost()
}

func TestSignals(t *testing.T) {
	for _, sig := range []syscall.Signal{syscall.SIGINT, syscall.SIGTERM} {
		p := start(t, nil, Arg)
		p.hello()
		p.send(call(1, "double", 1))
		p.wants("result 1 02")
		p.cmd.Process.Signal(sig)
		var exit *exec.ExitError
		if err := p.end(); !errors.As(err, &exit) || exit.Sys().(syscall.WaitStatus).Signal() != sig {
			t.Errorf("before open, %v: %v", sig, err)
		}
		p = start(t, nil, Arg)
		p.hello()
		p.send(open(0, 1<<20), call(1, "double", 1))
		p.wants("result 1 02")
		p.cmd.Process.Signal(sig)
		p.send(call(2, "double", 2), call(3, "signal myself", int(sig)), endMessage)
		if err := p.end(); err != nil {
			t.Errorf("%v after open: %v", sig, err)
		}
		p.wants("result 2 04", "result 3 01", "bye", "EOF")
	}
}

func TestTerminalInput(t *testing.T) {
	pty, err := os.OpenFile("/dev/ptmx", os.O_RDWR, 0)
	if err != nil {
		t.Skip("no pseudo terminals here: ", err)
	}
	defer pty.Close()
	n, err := unix.IoctlGetInt(int(pty.Fd()), unix.TIOCGPTN)
	if err == nil {
		err = unix.IoctlSetPointerInt(int(pty.Fd()), unix.TIOCSPTLCK, 0)
	}
	if err != nil {
		t.Skip("no pseudo terminals here: ", err)
	}
	terminal, err := os.OpenFile(fmt.Sprintf("/dev/pts/%d", n), os.O_RDWR|syscall.O_NOCTTY, 0)
	if err != nil {
		t.Skip("no pseudo terminals here: ", err)
	}
	defer terminal.Close()
	cmd := exec.Command(os.Args[0], "child")
	cmd.Stdin = terminal
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); cmd.ProcessState.ExitCode() != 2 {
		t.Errorf("%v", err)
	}
	if lines := strings.Split(stderr.String(), "\n"); len(lines) != 3 || !strings.HasPrefix(lines[0], "procpool: ") || !strings.HasPrefix(lines[1], "hint: ") || stdout.Len() > 0 {
		t.Errorf("stderr %q, stdout %q", &stderr, &stdout)
	}
}

// Under cron stdin is the null device: the worker has no work and ends well.
func TestNullInput(t *testing.T) {
	cmd := exec.Command(os.Args[0], Arg)
	out, err := cmd.Output()
	k := talk{t: t, r: ipc.NewReader(bytes.NewReader(out), 0)}
	k.hello()
	k.wants("bye", "EOF")
	if err != nil {
		t.Error(err)
	}
}
