package main

import (
	"flag"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"syscall"
	"testing"
	"time"
)

var disturbances = flag.Int("disturbances", 8, "how many runs of exec TestDisturbedCommandsGiveTheSameBits disturbs")

// Commands, what they have started, their workers and the parent are killed at random
// moments. The same command with --resume comes to the same bits in the end, and nothing
// is left.
func TestDisturbedCommandsGiveTheSameBits(t *testing.T) {
	long(t)
	t.Parallel()
	const script = `(setsid sleep 0.2 >/dev/null 2>&1 &); sleep 0.01 & wait; echo .; echo $1.$1`
	args := []string{"exec", "--journal", "j", "--resume", "--quiet", "--retries", "1000", "--chunk-size", "1", "30", "--", "sh", "-c", script, "sh"}
	const want = "exec over [0, 30) = 443.4"
	seed := rand.Uint64()
	r := rand.New(rand.NewPCG(seed, 9))
	var commands, parents, starts int
	for range *disturbances {
		dir := t.TempDir()
		for kills := 8; ; starts++ {
			j := start(t, dir, "procpool", slices.Insert(slices.Clone(args), 1, "--procs", strconv.Itoa(1+r.IntN(3)))...)
			for ended := false; kills > 0 && !ended; kills-- {
				select {
				case <-j.ended:
					ended = true
				case <-time.After(time.Duration(r.IntN(60)) * time.Millisecond):
				}
				if r.IntN(4) == 0 {
					j.signal(syscall.SIGKILL)
					parents++
				} else if pids := slices.DeleteFunc(marked(t.Name()), func(pid int) bool { return pid == j.cmd.Process.Pid }); len(pids) > 0 {
					syscall.Kill(pids[r.IntN(len(pids))], syscall.SIGKILL)
					commands++
				}
			}
			if code := j.wait(); code == 128+int(syscall.SIGKILL) {
				continue
			} else if code != 0 || j.result() != want {
				keepJournal(t, dir)
				t.Fatalf("seed %d: exit code %d, result %q, not %q; stderr: %s", seed, code, j.result(), want, &j.stderr)
			}
			j.eventually("nothing is left", func() bool { return len(marked(t.Name())) == 0 })
			break
		}
	}
	t.Logf("%d runs: %d commands, their children and workers were killed, and %d parents in %d starts", *disturbances, commands, parents, starts+*disturbances)
}

// Whoever is killed, what commands have started is gone soon, daemons as well.
func TestKilledExecLeavesNobody(t *testing.T) {
	t.Parallel()
	const script = `(setsid sleep 600 >/dev/null 2>&1 &); sh -c 'sleep 600; :' & >started-$1; wait`
	for name, victim := range map[string]func(j *job) int{
		"parent":  func(j *job) int { return j.cmd.Process.Pid },
		"worker":  func(j *job) int { return j.workers()[0] },
		"command": func(j *job) int { return slices.Min(commandsOf(j)) }, // the others are its children
	} {
		dir := t.TempDir()
		j := start(t, dir, "procpool", "exec", "--procs", "1", "--retries", "0", "1", "--", "sh", "-c", script, "sh")
		j.eventually("the command runs", func() bool {
			_, err := os.Stat(filepath.Join(dir, "started-0"))
			return err == nil
		})
		began := time.Now()
		syscall.Kill(victim(j), syscall.SIGKILL)
		want := 1
		if name == "parent" {
			want = 128 + int(syscall.SIGKILL)
		}
		if code := j.wait(); code != want {
			t.Errorf("%s killed: exit code %d, not %d; stderr: %s", name, code, want, &j.stderr)
		}
		j.eventually("nothing is left", func() bool { return len(marked(t.Name())) == 0 })
		t.Logf("%s killed: all are gone after %v", name, time.Since(began).Round(time.Millisecond))
	}
}

// commandsOf are the processes of the job that are neither the parent nor workers.
func commandsOf(j *job) []int {
	workers := j.workers()
	return slices.DeleteFunc(marked(j.t.Name()), func(pid int) bool { return pid == j.cmd.Process.Pid || slices.Contains(workers, pid) })
}

// The first signal lets commands finish, and the next ends them.
func TestSignalsEndCommands(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	const script = `>started-$1; trap 'echo too soon' INT TERM; sleep 0.5; sleep 0.5; echo 1`
	j := start(t, dir, "procpool", "exec", "--procs", "1", "--journal", "j", "--retries", "0", "--grace", "60s", "9", "--", "sh", "-c", script, "sh")
	begun := func() bool {
		_, err := os.Stat(filepath.Join(dir, "started-0"))
		return err == nil
	}
	j.eventually("the command runs", begun)
	j.group(syscall.SIGINT)
	if code := j.wait(); code != 130 {
		t.Errorf("exit code %d, not 130", code)
	}
	expect(t, j.stderr.String(), `^procpool: ended by SIGINT: 1 of 9 chunks are done\nhint: journal j holds 1 of 9 chunks \(11.* %\); the same command with --resume goes on\n$`)

	os.Remove(filepath.Join(dir, "started-0"))
	j = start(t, dir, "procpool", "exec", "--procs", "1", "--grace", "60s", "9", "--", "sh", "-c", `>started-$1; trap : INT TERM; sleep 600; sleep 600`, "sh")
	j.eventually("the command runs", begun)
	j.signal(syscall.SIGTERM)
	time.Sleep(1100 * time.Millisecond) // within a second it would be the same request
	j.signal(syscall.SIGTERM)
	if code := j.wait(); code != 143 {
		t.Errorf("exit code %d, not 143", code)
	}
}
