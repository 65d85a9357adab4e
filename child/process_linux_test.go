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

// A process is a worker that the test binary was started as.
type process struct {
	talk
	cmd    *exec.Cmd
	stderr *bytes.Buffer
}

// start starts the test binary, as a worker if args or env say so. A command
// to start it through may stand before a "--" in args.
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
	p.send(call(1, "worker", 0), sayEnd)
	p.wants("result 1 07")
	p.endsWell()
}

func TestStartedByAlias(t *testing.T) {
	p := start(t, nil, "child")
	p.hello()
	p.in.Close()
	p.endsWell()
}

// Started by the environment: the variable is gone for what a task starts.
func TestStartedByEnvironment(t *testing.T) {
	p := start(t, []string{Env + "=1"}, "-test.run=none")
	p.hello()
	p.send(call(1, "env", Env), sayEnd)
	p.wants(fmt.Sprintf("result 1 %x", call(0, "", []string{"unset", "unset"})[len(ipc.AppendRequestHead(nil, 0, "")):]))
	p.endsWell()
}

func TestRequested(t *testing.T) {
	for _, c := range []struct {
		args  []string
		index int
		is    bool
	}{
		{[]string{"x"}, 0, false}, {nil, 0, false}, {[]string{"x", Arg}, 0, true}, {[]string{"x", Arg, "5"}, 5, true},
		{[]string{"x", "run", Arg}, 0, false}, {[]string{"x", "child"}, 0, true}, {[]string{"x", "child", "--help"}, 0, false}, {[]string{"x", "kid"}, 0, false},
	} {
		if index, _, is := requested(c.args, []string{"child"}); index != c.index || is != c.is {
			t.Errorf("%q: %d, %v", c.args, index, is)
		}
	}
}

func TestHelloSaysWhoItIs(t *testing.T) {
	p := start(t, nil, Arg)
	h := p.hello()
	host, _ := os.Hostname()
	if h.PID != int64(p.cmd.Process.Pid) || h.Host != host || h.Build != ipc.Build() || !slices.Contains(h.Tasks, "pi") || !slices.IsSorted(h.Tasks) {
		t.Errorf("%+v", h)
	}
}

// However a task prints, the stream holds; and it cannot read the requests.
func TestStrayPrintsGoToStderr(t *testing.T) {
	p := start(t, nil, Arg)
	p.hello()
	p.send(call(1, "print", 0), call(2, "double", 4), sayEnd)
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

// A fault in the stream is one line on stderr, exit 1 and no bye.
func TestFaultIsSaid(t *testing.T) {
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

// spinning is a worker in an endless loop that Go can only interrupt by force.
func spinning(t *testing.T, first ...[]byte) *process {
	p := start(t, nil, Arg)
	p.hello()
	p.send(append(first, call(1, "double", 1), call(2, "spin", int64(1)<<50))...)
	p.wants("result 1 02")
	return p
}

// soon waits for the end of a worker that nobody needs any more: within a
// second, it is promised, and logged; the test allows for a slow machine.
func (p *process) soon() {
	p.t.Helper()
	begin := time.Now()
	if err := p.end(); err == nil || err.Error() != "exit status 1" {
		p.t.Error(err)
	}
	p.t.Logf("ended %v later", time.Since(begin).Round(time.Millisecond))
	if p.stderr.Len() > 0 {
		p.t.Errorf("it says %q", p.stderr)
	}
}

func TestReaderGoneInMidChunk(t *testing.T) {
	p := spinning(t)
	p.out.Close()
	p.soon()
}

func TestWriterGoneInMidChunk(t *testing.T) {
	p := spinning(t, open(30, 1<<20))
	p.in.Close()
	p.soon()
}

func TestSilenceInMidChunk(t *testing.T) {
	p := spinning(t, open(0.2, 1<<20))
	p.soon()
}

func TestParentKilledInMidChunk(t *testing.T) {
	p := start(t, []string{doomedEnv + "=1"})
	line, err := bufio.NewReader(p.out).ReadString('\n')
	worker, err2 := strconv.Atoi(strings.TrimSpace(line))
	if err != nil || err2 != nil {
		t.Fatalf("the parent says %q, %v", line, err)
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
			t.Fatal("the worker lives on")
		}
		time.Sleep(time.Millisecond)
	}
	t.Logf("ended %v later", time.Since(begin).Round(time.Millisecond))
}

// The latency of results while the next chunk runs, seen from outside: of the
// first of a burst, and of the second, which waits for the timer.
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
	}
	p.in.Close()
	p.endsWell()
}

func TestHooksRunOnTheOrderlyWayOut(t *testing.T) {
	p := start(t, nil, Arg)
	p.hello()
	p.send(call(1, "hooks", 0), sayEnd)
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
	p.soon()
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
		// How soon it is old enough is the machine's affair.
		for age := 5 * tooYoung; ; age *= 4 {
			p = start(t, nil, Arg)
			p.hello()
			p.send(open(0, 1<<20), call(1, "double", 1))
			p.wants("result 1 02")
			time.Sleep(age)
			p.cmd.Process.Signal(sig)
			p.send(call(2, "double", 2), call(3, "signal myself", int(sig)), sayEnd)
			err := p.end()
			if errors.As(err, &exit) && exit.Sys().(syscall.WaitStatus).Signal() == sig && age < 10*time.Second {
				continue
			}
			if err != nil {
				t.Errorf("%v at an age of %v: %v", sig, age, err)
			}
			p.wants("result 2 04", "result 3 01", "bye", "EOF")
			break
		}
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

// The null device is what cron gives: no work.
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
