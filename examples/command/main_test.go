package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"procpool/cli"
	"procpool/pool"
)

func TestMain(m *testing.M) {
	pool.Main("child")
	os.Exit(m.Run())
}

// collatz runs one command line in this process, with real workers.
func collatz(args ...string) (code int, stdout, stderr string) {
	var out, err bytes.Buffer
	code = cli.Main(cli.Options{Name: "collatz", Args: append([]string{"collatz"}, args...), Stdout: &out, Stderr: &err})
	return code, out.String(), err.String()
}

func TestTheProgramsOnlyTaskIsTheDefault(t *testing.T) {
	for _, backend := range []string{"processes", "goroutines", "serial"} {
		code, stdout, stderr := collatz("run", "--backend", backend, "100_000")
		if code != 0 || stderr != "" || !strings.HasPrefix(stdout, "longest over [0, 100000) = 77031, with 350 steps\nTime = ") {
			t.Errorf("%s: exit code %d, stdout %q, stderr %q", backend, code, stdout, stderr)
		}
	}
}

func TestSharesAreMerged(t *testing.T) {
	dir := t.TempDir()
	one, two := filepath.Join(dir, "1.journal"), filepath.Join(dir, "2.journal")
	for share, path := range map[string]string{"1/2": one, "2/2": two} {
		if code, _, stderr := collatz("run", "--share", share, "--journal", path, "--chunk-size", "10_000", "100_000"); code != 0 {
			t.Fatalf("exit code %d: %s", code, stderr)
		}
	}
	if code, stdout, stderr := collatz("merge", two, one); code != 0 || stdout != "longest over [0, 100000) = 77031, with 350 steps\n" {
		t.Errorf("exit code %d, stdout %q, stderr %q", code, stdout, stderr)
	}
	if code, _, stderr := collatz("merge", two); code != 2 || !strings.HasPrefix(stderr, "collatz: the journals do not add up: ") {
		t.Errorf("exit code %d, stderr %q", code, stderr)
	}
}

func TestTheProgramsTaskIsCompared(t *testing.T) {
	t.Setenv("XDG_CACHE_HOME", t.TempDir())
	code, stdout, stderr := collatz("compare", "--quiet", "--procs", "2", "--size", "2000", "--max-pairs", "2", "--max-time", "1h")
	if code != 0 || stderr != "" || !strings.HasPrefix(stdout, "task ") || !strings.Contains(stdout, "\nlongest ") {
		t.Errorf("exit code %d, stderr %q, stdout\n%s", code, stderr, stdout)
	}
}

// What explains the program names it, and never procpool, but for its variables.
func TestTheProgramHasItsOwnName(t *testing.T) {
	for _, args := range [][]string{{"help"}, {"help", "run"}, {"help", "compare"}, {"help", "merge"}, {"man"}, {"completion", "bash"}, {"completion", "zsh"}, {"completion", "fish"}, {"tasks"}, {"version"}} {
		code, stdout, stderr := collatz(args...)
		if code != 0 || stderr != "" || args[0] != "tasks" && !strings.Contains(stdout, "collatz") {
			t.Errorf("%q: exit code %d, stderr %q, stdout\n%s", args, code, stderr, stdout)
		}
		if said := strings.ReplaceAll(stdout, "package procpool/ipc", ""); strings.Contains(said, "procpool") {
			t.Errorf("%q names procpool:\n%s", args, stdout)
		}
	}
	for _, args := range [][]string{{}, {"rn"}, {"run"}, {"run", "--porcs", "1"}, {"run", "nope"}, {"run", "longest"}, {"--procs", "1"}, {"merge"}, {"completion"}, {"help", "rn"}, {"child", "x"}, {"compare", "pi"}} {
		code, stdout, stderr := collatz(args...)
		if code != 2 || stdout != "" || !strings.HasPrefix(stderr, "collatz: ") || strings.Contains(stderr, "procpool") {
			t.Errorf("%q: exit code %d, stdout %q, stderr %q", args, code, stdout, stderr)
		}
	}
}
