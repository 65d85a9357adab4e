package cli_test

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// Hosts that are all away for longer than it takes until nobody counts on them cost no
// run that had workers: they are tried again.
func TestOutageOfAllHosts(t *testing.T) {
	long(t)
	t.Parallel()
	b := newBench(t)
	launcher := "sh -c 'if ! test -e there; then echo no route to host >&2; exit 255; fi; exec {cmd}' {host}"
	run := func(more ...string) []string {
		return append([]string{b.exe, "run", "--launcher", launcher, "--hosts", "a,b"}, more...)
	}
	there := filepath.Join(b.dir, "there")
	come := func() {
		if err := os.WriteFile(there, nil, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	come()
	t.Run("and come back", func(t *testing.T) {
		want := b.undisturbed("--task", "pi-fast", "--chunk-size", "10_000_000", "5e10")
		log, err := os.Create(filepath.Join(b.dir, "log"))
		if err != nil {
			t.Fatal(err)
		}
		defer log.Close()
		cmd := b.command(run("--json", "-v", "--retries", "9", "--journal", "outage", "--task", "pi-fast", "--chunk-size", "10_000_000", "5e10")...)
		var out strings.Builder
		cmd.Stdout, cmd.Stderr = &out, log
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		b.working("outage", 2)
		os.Remove(there)
		for _, pid := range b.workers() {
			syscall.Kill(pid, syscall.SIGKILL)
		}
		b.until("both are given up for now", func() bool {
			return strings.Count(b.read("log"), "does not start, and is tried again") > 0 && b.noWorkers()
		})
		come()
		cmd.Wait()
		s := said{stdout: out.String(), stderr: b.read("log"), code: cmd.ProcessState.ExitCode()}
		if s.code != 0 || s.report(b).Value.String() != want {
			t.Errorf("%+v, want %s", s, want)
		}
		if !strings.Contains(s.stderr, " on a does not start by ") && !strings.Contains(s.stderr, " on b does not start by ") {
			t.Errorf("no host is named: %s", s.stderr)
		}
	})
	t.Run("and do not", func(t *testing.T) {
		_, end := b.start(run("--retries", "9", "--outage", "1s", "--journal", "gone", "--task", "pi-fast", "--chunk-size", "10_000_000", "1e15")...)
		b.working("gone", 2)
		os.Remove(there)
		for _, pid := range b.workers() {
			syscall.Kill(pid, syscall.SIGKILL)
		}
		if s := end(); s.code != 1 || !strings.Contains(s.stderr, "no worker can be started") || !strings.Contains(s.stderr, "no route to host") {
			t.Errorf("%+v", s)
		}
	})
	t.Run("at the start", func(t *testing.T) {
		if s := b.run(run("1000")...); s.code != 1 || !strings.Contains(s.stderr, "no worker can be started") || !strings.Contains(s.stderr, "hint: --outage") {
			t.Errorf("%+v", s)
		}
	})
	t.Run("at the start, and are waited for", func(t *testing.T) {
		cmd, end := b.start(run("--outage", "10m", "1000")...)
		b.until("it has tried for a while", func() bool {
			return cmd.ProcessState != nil || len(b.processes()) > 0
		})
		defer cmd.Process.Kill()
		come()
		if s := end(); s.code != 0 {
			t.Errorf("%+v", s)
		}
	})
}

// doctor tries a worker on each host.
func TestDoctorTriesEachHost(t *testing.T) {
	long(t)
	t.Parallel()
	b := newBench(t)
	doctor := func(hosts string) said {
		return b.run(b.exe, "doctor", "--launcher", "sh -c 'if test {host} = c; then echo no route to host >&2; exit 255; fi; exec {cmd}'", "--hosts", hosts)
	}
	s := doctor("a,c,b")
	if s.code != 1 || !strings.Contains(s.stderr, "worker 0 on c does not start") {
		t.Errorf("%+v", s)
	}
	for _, want := range []string{"a works: worker on ", "b works: worker on ", "c does not work: ", "round trip"} {
		if !strings.Contains(s.stdout, want) {
			t.Errorf("it does not say %q: %s", want, s.stdout)
		}
	}
	if s := doctor("a,b"); s.code != 0 || !strings.Contains(s.stdout, "round trip") {
		t.Errorf("%+v", s)
	}
	if s := doctor("c"); s.code != 1 || !strings.Contains(s.stdout, "does not work: sh") {
		t.Errorf("%+v", s)
	}
}
