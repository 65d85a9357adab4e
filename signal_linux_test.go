package main

import (
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"
)

var ending = []struct {
	signal syscall.Signal
	name   string
	code   int
}{
	{syscall.SIGINT, "SIGINT", 130}, {syscall.SIGTERM, "SIGTERM", 143}, {syscall.SIGHUP, "SIGHUP", 129}, {syscall.SIGUSR1, "SIGUSR1", 138},
	{syscall.SIGUSR2, "SIGUSR2", 140}, {syscall.SIGXCPU, "SIGXCPU", 152},
}

// The first signal lets chunks in flight finish and reports how far the run came,
// whether it went to the parent alone or, as Ctrl-C and batch systems have it,
// to the whole group: one clean message, no word from a child.
func TestFirstSignalEndsTheRun(t *testing.T) {
	for _, c := range ending {
		for _, whole := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s,group=%t", c.name, whole), func(t *testing.T) {
				t.Parallel()
				j := start(t, t.TempDir(), "procpool", "run", "--procs", "2", "--chunk-size", "1e6", "1e15")
				j.awaitWork()
				if whole {
					j.group(c.signal)
				} else {
					j.signal(c.signal)
				}
				if code := j.wait(); code != c.code {
					t.Errorf("exit code %d, not %d", code, c.code)
				}
				expect(t, j.stderr.String(), `^procpool: ended by `+c.name+`: \d+ of 1000000000 chunks are done\n$`)
				expect(t, j.stdout.String(), `^$`)
			})
		}
	}
}

// A second request, more than a second after the first, ends it at once, though a chunk
// is in flight that would take hours more and may.
func TestSecondSignalCutsOff(t *testing.T) {
	long(t)
	for _, c := range []struct {
		first, second syscall.Signal
		name          string
	}{
		{syscall.SIGINT, syscall.SIGTERM, "SIGINT"}, {syscall.SIGHUP, syscall.SIGINT, "SIGHUP"}, {syscall.SIGUSR1, syscall.SIGTERM, "SIGUSR1"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			j := start(t, t.TempDir(), "procpool", "run", "--procs", "2", "--grace", "10h", "1e15")
			j.awaitWork()
			j.group(c.first)
			for again := true; again; { // a busy system may hand the first on late
				time.Sleep(1100 * time.Millisecond)
				j.group(c.second)
				select {
				case <-j.ended:
					again = false
				default:
				}
			}
			if code := j.wait(); code != 128+int(c.first) {
				t.Errorf("exit code %d, not %d", code, 128+int(c.first))
			}
			expect(t, j.stderr.String(), `^procpool: ended by `+c.name+`: 0 of 2 chunks are done\n$`)
		})
	}
}

// What is in flight at the first signal is cut off when the grace is over.
func TestGraceIsOverAtLast(t *testing.T) {
	t.Parallel()
	j := start(t, t.TempDir(), "procpool", "run", "--procs", "2", "--grace", "100ms", "1e15")
	j.awaitWork()
	j.signal(syscall.SIGTERM)
	if code := j.wait(); code != 143 {
		t.Errorf("exit code %d, not 143", code)
	}
	expect(t, j.stderr.String(), `^procpool: ended by SIGTERM: 0 of 2 chunks are done\n$`)
}

// At whatever moment of the start Ctrl-C comes: exit code 130, and at most one
// message. Workers that are too young to ignore it make no noise.
func TestSignalWhileWorkersStart(t *testing.T) {
	long(t)
	t.Parallel()
	for range 40 {
		j := start(t, t.TempDir(), "procpool", "run", "--procs", "4", "--chunk-size", "1e6", "1e15")
		time.Sleep(rand.N(50 * time.Millisecond))
		j.group(syscall.SIGINT)
		if code := j.wait(); code != 130 {
			t.Errorf("exit code %d, not 130", code)
		}
		expect(t, j.stderr.String(), `^(procpool: ended by SIGINT: \d+ of 1000000000 chunks are done\n)?$`)
	}
}

// A signal that was ignored when procpool started stays ignored, as nohup and &
// in a script have it. (Of others Go's runtime does not tell.)
func TestIgnoredSignalsStayIgnored(t *testing.T) {
	long(t)
	want := resultOf(t, "--procs", "2", "--chunk-size", "1e7", "1e9")
	run := "procpool run --procs 2 --chunk-size 1e7 1e9"
	for _, c := range []struct {
		name, script string
		signals      []syscall.Signal
	}{
		{"trap", `trap "" INT HUP; exec ` + run, []syscall.Signal{syscall.SIGINT, syscall.SIGHUP}},
		{"nohup", `exec nohup ` + run + ` 2>/dev/null`, []syscall.Signal{syscall.SIGHUP}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			j := start(t, t.TempDir(), "sh", "-c", c.script)
			j.awaitWork()
			for _, s := range c.signals {
				j.group(s)
			}
			if code := j.wait(); code != 0 || j.result() != want || j.stderr.Len() > 0 {
				t.Errorf("exit code %d, result %q, not %q, stderr: %s", code, j.result(), want, &j.stderr)
			}
		})
	}
}

// A worker that is killed is replaced, and its work done again: a line on
// stderr, and the same digits.
func TestKilledWorkerCostsNothing(t *testing.T) {
	long(t)
	t.Parallel()
	for _, n := range []string{"1e9", "4e9", "16e9"} {
		args := []string{"--procs", "2", "--chunk-size", "1e7", n}
		j := start(t, t.TempDir(), "procpool", append([]string{"run"}, args...)...)
		j.awaitWork()
		workers := j.workers()
		if len(workers) == 0 {
			continue // it was over before it could be disturbed
		}
		syscall.Kill(workers[0], syscall.SIGKILL)
		code := j.wait()
		if j.stderr.Len() == 0 {
			continue // likewise
		}
		if want := resultOf(t, args...); code != 0 || j.result() != want {
			t.Errorf("exit code %d, result %q, not %q", code, j.result(), want)
		}
		if strings.HasPrefix(j.stderr.String(), "procpool: pi over ") {
			continue // it had one chunk alone, which is named
		}
		expect(t, j.stderr.String(), fmt.Sprintf(`^procpool: worker [01] \(pid %d\) was ended by signal: killed; its work goes to another\n$`, workers[0]))
		return
	}
	t.Error("no run noticed that a worker was killed")
}

// A parent that is killed in the middle of chunks that would take for ever
// leaves nobody behind. (That holds for every other test: start looks after it.)
func TestKilledParentLeavesNobody(t *testing.T) {
	t.Parallel()
	j := start(t, t.TempDir(), "procpool", "run", "--procs", "4", "1e15")
	j.awaitWork()
	j.signal(syscall.SIGKILL)
	if code := j.wait(); code != 137 {
		t.Errorf("exit code %d, not 137", code)
	}
	j.eventually("its workers are gone", func() bool { return len(j.workers()) == 0 })
}

// The same holds for workers that are stopped, also behind a launcher that becomes the
// worker.
func TestKilledParentLeavesNobodyStopped(t *testing.T) {
	for _, launcher := range []string{"", "nice", "nice env A=b nice", "sh -c 'exec nice {cmd}'"} {
		t.Run(launcher, func(t *testing.T) {
			t.Parallel()
			if launcher != "" {
				if _, err := exec.LookPath("nice"); err != nil {
					t.Skip(err)
				}
			}
			args := []string{"run", "--procs", "2", "1e15"}
			if launcher != "" {
				args = append(args, "--launcher", launcher)
			}
			j := start(t, t.TempDir(), "procpool", args...)
			j.awaitWork()
			workers := j.workers()
			for _, pid := range workers {
				syscall.Kill(pid, syscall.SIGSTOP)
			}
			killed := time.Now()
			j.signal(syscall.SIGKILL)
			j.wait()
			for len(j.workers()) > 0 {
				if time.Since(killed) > 10*time.Second {
					t.Errorf("workers %v of %v are left", j.workers(), workers)
					for _, pid := range j.workers() {
						syscall.Kill(pid, syscall.SIGKILL)
					}
					return
				}
				time.Sleep(5 * time.Millisecond)
			}
			t.Logf("%d workers are gone after %v", len(workers), time.Since(killed).Round(time.Millisecond))
		})
	}
}

// The program's file may be deleted and replaced while it runs, and it may have
// been started by a relative path: later workers are of the same program.
func TestFileOfTheProgramMayVanish(t *testing.T) {
	long(t)
	t.Parallel()
	args := []string{"run", "--procs", "2", "--max-chunks-per-child", "5", "--chunk-size", "1e7", "1e9"}
	want := resultOf(t, args[1:]...)
	dir := t.TempDir()
	exe, err := exec.LookPath("procpool")
	if err == nil {
		err = os.Mkdir(filepath.Join(dir, "bin"), 0o777)
	}
	if err == nil {
		err = exec.Command("cp", exe, filepath.Join(dir, "bin", "procpool")).Run()
	}
	if err != nil {
		t.Fatal(err)
	}
	j := start(t, dir, "sh", append([]string{"-c", `exec ./bin/procpool "$@"`, "sh"}, args...)...)
	j.awaitWork()
	if err := os.Remove(filepath.Join(dir, "bin", "procpool")); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "bin", "procpool"), []byte("#!/bin/sh\nexit 7\n"), 0o777); err != nil {
		t.Fatal(err)
	}
	if code := j.wait(); code != 0 || j.result() != want || j.stderr.Len() > 0 {
		t.Errorf("exit code %d, result %q, not %q, stderr: %s", code, j.result(), want, &j.stderr)
	}
}

// 'go run' deletes the program behind itself and starts it by a name that is
// not procpool.
func TestGoRun(t *testing.T) {
	t.Parallel()
	goTool, err := exec.LookPath("go")
	if err != nil {
		t.Skip("the go command is not here")
	}
	out, err := exec.CommandContext(hardLimit(t), goTool, "run", ".", "run", "--procs", "4", "100000000").CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	expect(t, string(out), `^PI is approximately 3\.1415926435898172, Error is 0\.0000000099999760\nTime = `)
}

func expect(t *testing.T, text, pattern string) {
	t.Helper()
	if !regexp.MustCompile(pattern).MatchString(text) {
		t.Errorf("it says\n%swhich is not\n%s", strings.TrimSuffix(text, "\n")+"\n", pattern)
	}
}

// An experiment that is cut short in the middle of a run ends at once, quietly,
// and leaves nobody behind, neither workers nor the parents of its runs.
func TestFirstSignalEndsAComparison(t *testing.T) {
	for _, whole := range []bool{false, true} {
		t.Run(fmt.Sprintf("group=%t", whole), func(t *testing.T) {
			t.Parallel()
			j := start(t, t.TempDir(), "procpool", "compare", "--workers", "1", "--size", "1e13", "pi")
			j.awaitWork()
			if whole {
				j.group(syscall.SIGINT)
			} else {
				j.signal(syscall.SIGINT)
			}
			if code := j.wait(); code != 130 {
				t.Errorf("exit code %d, not 130", code)
			}
			expect(t, j.stderr.String(), `^procpool: ended by SIGINT: 0 rounds are complete\n$`)
			expect(t, j.stdout.String(), `^$`)
		})
	}
}

// A parent that was stopped for longer than the heartbeat, as by a debugger, loses its
// workers, and charges nobody with that: the run goes on, however often it happens.
func TestAStoppedParentChargesNobody(t *testing.T) {
	long(t)
	t.Parallel()
	j := start(t, t.TempDir(), "procpool", "run", "--procs", "2", "--heartbeat", "1500ms", "--retries", "0", "--chunk-size", "1e8", "--task", "primes", "2e8")
	j.awaitWork()
	for range 2 {
		j.signal(syscall.SIGSTOP)
		time.Sleep(4 * time.Second)
		j.signal(syscall.SIGCONT)
		time.Sleep(500 * time.Millisecond)
	}
	j.signal(syscall.SIGTERM) // the work may take longer than this test
	if code := j.wait(); code != 143 && code != 0 {
		t.Errorf("exit code %d: %s", code, j.stderr.String())
	}
	if text := j.stderr.String(); strings.Contains(text, "its work goes to another") || strings.Contains(text, "were lost with it") {
		t.Error(text)
	}
}
