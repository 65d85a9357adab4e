package cli_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
)

// make computes shares side by side. One that was interrupted goes on, and the sum is that
// of an undivided run.
func TestMakeExample(t *testing.T) {
	long(t)
	t.Parallel()
	program(t, "make")
	b := newBench(t)
	c := b.job(t, "make", "SHARES=5", "INTERVALS=1e9")
	args := []string{"make", "-s", "-f", script(t, "shares.mk"), "-j2"}
	c.run(append(args[:len(args):len(args)], "TASK=nosuch", "share-1.done")...) // fails, and leaves no mark
	if c.read("share-1.done") != "" || c.read("result") != "" {
		t.Error("a share that failed has a mark")
	}
	if s := c.run(args...); s.code != 0 || s.stdout+s.stderr != "" {
		t.Fatalf("%+v", s)
	}
	if want := b.undisturbed("--task", "pi-fast", "1e9"); !strings.Contains(c.read("result"), " = "+want) {
		t.Errorf("%q, not %s", c.read("result"), want)
	}
	if s := c.run(args...); s.code != 0 || s.stdout+s.stderr != "" {
		t.Errorf("once more: %+v", s)
	}
}

// Snakemake computes the same, where it is installed.
func TestSnakemakeExample(t *testing.T) {
	long(t)
	t.Parallel()
	snakemake, err := exec.LookPath("snakemake")
	if err != nil {
		t.Skip("there is no snakemake here")
	}
	b := newBench(t)
	c := b.job(t, "snakemake")
	s := c.run(snakemake, "--quiet", "all", "--snakefile", script(t, "Snakefile"), "--directory", c.dir, "--cores", "2", "--config", "shares=5", "intervals=1e9")
	if want := b.undisturbed("--task", "pi-fast", "1e9"); s.code != 0 || !strings.Contains(c.read("result"), " = "+want) {
		t.Errorf("%q, not %s: %+v", c.read("result"), want, s)
	}
}

// systemd accepts the unit, and its command does as the unit says: it ends with 143 when
// systemd asks, and goes on when it is started again. No systemd runs here.
func TestSystemdExample(t *testing.T) {
	long(t)
	t.Parallel()
	b := newBench(t)
	c := b.job(t, "systemd")
	unit, err := os.ReadFile(script(t, "procpool.service"))
	if err != nil {
		t.Fatal(err)
	}
	if analyze, err := exec.LookPath("systemd-analyze"); err == nil {
		own := strings.ReplaceAll(string(unit), "/usr/local/bin/procpool", "/bin/true")
		path := filepath.Join(c.dir, "procpool.service")
		if err := os.WriteFile(path, []byte(own), 0o644); err != nil {
			t.Fatal(err)
		}
		if s := c.run(analyze, "verify", "--man=no", path); s.code != 0 || strings.Contains(s.stderr, "procpool.service:") {
			t.Errorf("systemd-analyze: %+v", s)
		}
	}
	line := regexp.MustCompile(`(?m)^ExecStart=/usr/local/bin/(.*)$`).FindSubmatch(unit)
	if line == nil {
		t.Fatal("the unit has no command")
	}
	words := strings.Fields(strings.ReplaceAll(string(line[1]), " 1e13", " 2e10"))
	words[0] = b.exe
	cmd, end := c.start(words...)
	c.until("a journal", func() bool { return strings.Count(c.read("run.journal"), "\n") > 2 })
	cmd.Process.Signal(syscall.SIGTERM) // as systemd does
	cmd.Process.Signal(syscall.SIGHUP)
	if s := end(); s.code != 0 && s.code != 143 && s.code != 129 { // both wait, and the kernel hands on the lower first
		t.Errorf("%+v", s)
	}
	if s := c.run(words...); s.code != 0 || !strings.Contains(s.stdout, " = "+b.undisturbed("--task", "pi-fast", "2e10")) {
		t.Errorf("started again: %+v", s)
	}
}
