//go:build unix

package parent

import (
	"errors"
	"os"
	"slices"
	"syscall"
	"testing"
	"time"
)

// launch starts a command line with pipes, as a launcher, and waits for its first byte.
func launch(t *testing.T, words ...string) *launchedProcess {
	t.Helper()
	proc, err := startProcess(Command{Words: words, Env: os.Environ()})
	if err != nil {
		t.Fatal(err)
	}
	p := proc.(*launchedProcess)
	t.Cleanup(p.close)
	if _, err := p.stdout.Read(make([]byte, 1)); err != nil {
		t.Fatal(err)
	}
	return p
}

func TestLauncherIsEndedStepByStep(t *testing.T) {
	never := 10 * time.Minute
	for _, c := range []struct {
		name, script     string
		itself           bool
		input, terminate time.Duration
		want             ExitStatus
	}{
		{"by the end of input", "echo; cat; exit 5", false, never, never, ExitStatus{Code: 5}},
		{"by SIGTERM", "trap 'exit 6' TERM; echo; while :; do sleep 0.01; done", false, time.Millisecond, never, ExitStatus{Code: 6}},
		{"by SIGKILL", "trap '' TERM; echo; while :; do sleep 0.01; done", false, time.Millisecond, time.Millisecond, ExitStatus{Code: -1, Signal: "killed"}},
		{"at once", "trap '' TERM; echo; while :; do sleep 0.01; done", true, never, never, ExitStatus{Code: -1, Signal: "killed"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := launch(t, "sh", "-c", c.script)
			p.input, p.terminate = c.input, c.terminate
			p.itself.Store(c.itself)
			p.Kill()
			p.Kill()
			got := p.Wait()
			p.linger()
			if got.Code != c.want.Code || got.Signal != c.want.Signal {
				t.Errorf("%+v, not %+v", got, c.want)
			}
		})
	}
}

// Only the launcher is signalled, never its group: srun's shepherd must outlive it.
func TestLauncherHasAGroupOfItsOwn(t *testing.T) {
	p := launch(t, "sh", "-c", "echo; cat")
	group, err := syscall.Getpgid(p.Pid())
	if err != nil || group != p.Pid() {
		t.Errorf("process %d is in group %d (%v)", p.Pid(), group, err)
	}
	p.Kill()
	p.Wait()
}

func TestLauncherNote(t *testing.T) {
	for text, want := range map[string]bool{
		"ssh h": true, "/usr/bin/ssh -T h": true, "ssh h {argv}": true,
		"ssh h {cmd}": false, "ssh h /p {args}": false, "nice": false, "'": false, "": false,
	} {
		if got := LauncherNote(text); (got != "") != want {
			t.Errorf("%q: %q", text, got)
		}
	}
}

func TestLauncherEnv(t *testing.T) {
	got := launcherEnv([]string{"A=b", "SLURM_LABELIO=1", "SLURM_STDINMODE=0", "SLURM_STDOUTMODE=0", "SLURM_STDERRMODE=0", "SLURM_JOB_ID=1", "SSH_ASKPASS_REQUIRE=force"})
	if want := []string{"A=b", "SLURM_JOB_ID=1", "SSH_ASKPASS_REQUIRE=never"}; !slices.Equal(got, want) {
		t.Errorf("%q, not %q", got, want)
	}
}

// Hosts take turns, and every worker is told the same number.
func TestLauncherWords(t *testing.T) {
	l, err := NewLauncher(LauncherConfig{Text: "nice {rank}/{n}@{host} {args}", Workers: 3, Width: 1, Hosts: []string{"a", "b"}, Env: []string{"HOME=/", "GOMAXPROCS=1"}})
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []string{"0/3@a", "1/3@b", "2/3@a"} {
		if got := l.words(i); got[1] != want || got[2] != childArg || got[4] != "GOMAXPROCS=1" {
			t.Errorf("worker %d: %q, not %q", i, got, want)
		}
	}
}

// A host may become part of a shell's command line.
func TestHosts(t *testing.T) {
	for host, ok := range map[string]bool{
		"a": true, "node-07.cluster": true, "user_1@10.0.0.2": true, "fe80::1%eth0": true,
		"": false, "-oProxyCommand=x": false, "h;touch${IFS}x": false, "$(x)": false, "`x`": false, "a b": false, "a\nb": false,
		"a[1-3]": false, "a,b": false, "a'b": false, "a|b": false, "ä": false, "a\x1b[m": false, "~": false, "*": false, "a/b": false, "a\\b": false,
	} {
		_, err := NewLauncher(LauncherConfig{Text: "nice {host}", Workers: 1, Width: 1, Hosts: []string{host}})
		var refused *LauncherError
		if (err == nil) != ok || err != nil && !errors.As(err, &refused) {
			t.Errorf("host %q: %v", host, err)
		}
	}
}
