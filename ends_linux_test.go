package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"procpool/ipc"
	"procpool/journal"
	"procpool/task"
)

// longJournal writes a journal of pi with so many chunks that reading it takes seconds.
func longJournal(t *testing.T, path string, chunks int64) {
	t.Helper()
	spec, _ := task.Lookup("pi")
	whole := ipc.Interval{End: chunks}
	grid := ipc.ChunkGrid(whole, 1)
	w, err := journal.Create(path, journal.Header{
		Task: spec.Name, TaskVersion: spec.Version, Interval: whole, Grain: spec.Grain, ChunkSize: grid.Size, Chunks: grid.N,
	})
	if err != nil {
		t.Fatal(err)
	}
	partial, err := ipc.AppendValue(nil, new(float64))
	if err != nil {
		t.Fatal(err)
	}
	for iv := range w.Header().Parts(whole) {
		if err := w.Append(journal.Entry{Interval: iv, Partial: partial, Attempts: 1}); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
}

// Every phase of every command ends soon after it was asked to, by the signal or with
// its code, and leaves no temporary file. What is timed is only told.
func TestEveryPhaseEndsWhenAsked(t *testing.T) {
	long(t)
	dir := t.TempDir()
	const chunks = 600_000
	longJournal(t, filepath.Join(dir, "whole"), chunks)
	if err := syscall.Mkfifo(filepath.Join(dir, "fifo"), 0o666); err != nil {
		t.Fatal(err)
	}
	n := fmt.Sprint(chunks)
	for _, c := range []struct {
		name string
		args []string
	}{
		{"merge", []string{"merge", "whole"}},
		{"merge to a journal", []string{"merge", "whole", "--journal", "merged"}},
		{"resume", []string{"run", "--procs", "1", "--chunk-size", "1", "--journal", "whole", "--resume", n}},
		{"resume, JSON", []string{"run", "--procs", "1", "--chunk-size", "1", "--journal", "whole", "--resume", "--json", n}},
		{"serial", []string{"run", "--backend", "serial", "--grace", "0.1", "1e15"}},
		{"goroutines", []string{"run", "--backend", "goroutines", "--grace", "0.1", "1e15"}},
		{"a record that never comes", []string{"compare", "--from", "fifo"}},
		{"a launcher that never launches", []string{"doctor", "--launcher", "sh -c 'cat >/dev/null'"}},
		{"intervals that nobody reads", []string{"intervals", "--chunk-size", "1", "1e7"}},
	} {
		for _, s := range []int{0, 1, 3} {
			signal := ending[s]
			t.Run(c.name+"/"+signal.name, func(t *testing.T) {
				command, args := "procpool", c.args
				if c.name == "intervals that nobody reads" {
					command, args = "sh", append([]string{"-c", `procpool "$@" | sleep 600`, "sh"}, args...)
				}
				j := start(t, dir, command, args...)
				time.Sleep(300 * time.Millisecond)
				select {
				case <-j.ended:
					t.Skip("it was over before it could be asked")
				default:
				}
				asked := time.Now()
				if command == "sh" {
					j.group(signal.signal)
				} else {
					j.signal(signal.signal)
				}
				code := j.wait()
				t.Logf("exit code %d after %v: %s", code, time.Since(asked).Round(time.Millisecond), strings.TrimSpace(j.stderr.String()))
				if code != signal.code {
					t.Errorf("exit code %d, not %d", code, signal.code)
				}
				if code != 128+int(signal.signal) || j.stderr.Len() > 0 {
					expect(t, j.stderr.String(), `^(procpool: ended by `+signal.name+`.*\n(hint: .*\n)?)?$`)
				}
				if temps, _ := filepath.Glob(filepath.Join(dir, ".procpool-*")); len(temps) > 0 {
					t.Errorf("files are left: %v", temps)
				}
				if _, err := os.Stat(filepath.Join(dir, "merged")); err == nil {
					t.Error("a merge that was cut off has a result")
				}
			})
		}
	}
}

// A deadline is one for every phase and every backend.
func TestDeadlinesHoldEverywhere(t *testing.T) {
	long(t)
	dir := t.TempDir()
	longJournal(t, filepath.Join(dir, "whole"), 600_000)
	for _, c := range []struct {
		name string
		args []string
		want string
	}{
		{"serial", []string{"--backend", "serial", "1e15"}, `the deadline has passed: 0 of 1 chunks are done`},
		{"serial chunks", []string{"--backend", "serial", "--chunk-size", "1e6", "1e15"}, `the deadline has passed: \d+ of 1000000000 chunks are done`},
		{"goroutines", []string{"--backend", "goroutines", "--procs", "2", "1e15"}, `the deadline has passed: 0 of 2 chunks are done`},
		{"resume", []string{"--procs", "1", "--chunk-size", "1", "--journal", "whole", "--resume", "6e5"}, `the deadline has passed: (while reading journal whole|600000 of 600000 chunks are done)`},
	} {
		t.Run(c.name, func(t *testing.T) {
			j := start(t, dir, "procpool", append([]string{"run", "--deadline", "300ms", "--json"}, c.args...)...)
			if code := j.wait(); code != 124 {
				t.Errorf("exit code %d, not 124", code)
			}
			expect(t, j.stderr.String(), `^procpool: `+c.want+`\nhint: .*\n$`)
			var report struct {
				Status string
				Value  any
				Wall   float64 `json:"wall_seconds"`
			}
			if err := json.NewDecoder(bytes.NewReader(j.stdout.Bytes())).Decode(&report); err != nil || report.Status != "deadline" || report.Value != nil {
				t.Errorf("%v: %s", err, &j.stdout)
			}
			t.Logf("it ended after %.3f s", report.Wall)
		})
	}
}

// Signals within a second are one request, and the first gives the exit code: timeout(1)
// sends one to the process and one to its group, systemd sends SIGTERM and SIGHUP. (Of
// two that wait, the kernel delivers the one with the lower number first.)
func TestARepeatedSignalIsTheSameRequest(t *testing.T) {
	long(t)
	for _, c := range []struct {
		name    string
		signals []syscall.Signal
	}{
		{"timeout", []syscall.Signal{syscall.SIGTERM, syscall.SIGTERM, syscall.SIGTERM}},
		{"systemd", []syscall.Signal{syscall.SIGTERM, syscall.SIGHUP}},
		{"Grid Engine", []syscall.Signal{syscall.SIGUSR2, syscall.SIGXCPU, syscall.SIGTERM}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			j := start(t, t.TempDir(), "procpool", "run", "--procs", "2", "--chunk-size", "3e8", "1e15")
			j.awaitWork()
			for _, s := range c.signals {
				j.signal(s)
				time.Sleep(20 * time.Millisecond)
			}
			if code := j.wait(); code != 128+int(c.signals[0]) {
				t.Errorf("exit code %d, not that of the first", code)
			}
			// Had it cut off, the chunks in flight would not have finished.
			expect(t, j.stderr.String(), `^procpool: ended by SIG\w+: [1-9]\d* of \d+ chunks are done\n$`)
		})
	}
}

// timeout(1) loses no work in hand.
func TestTimeoutLosesNoWork(t *testing.T) {
	long(t)
	t.Parallel()
	if _, err := exec.LookPath("timeout"); err != nil {
		t.Skip(err)
	}
	j := start(t, t.TempDir(), "timeout", "2", "procpool", "run", "--procs", "2", "--chunk-size", "3e8", "1e15")
	code := j.wait()
	if code != 124 { // timeout's own
		t.Errorf("exit code %d, not 124", code)
	}
	expect(t, j.stderr.String(), `^(procpool: ended by SIGTERM: [1-9]\d* of \d+ chunks are done\n)?$`)
}

// Workers that reach the limit of CPU time are told as such. Only a chunk that needs more
// than that by itself fails.
func TestLimitOfCPUTime(t *testing.T) {
	long(t)
	for _, c := range []struct {
		name, args, stderr string
		code               int
	}{
		{"many chunks", "--chunk-size 2e7 3e9", `^(procpool: worker 0 \(pid \d+\) was ended by signal: killed, at its limit of CPU time, 1 s \(ulimit -t\); its work goes to another\n)+$`, 0},
		{"one chunk", "--retries 0 1e15", `limit of CPU time, 1 s \(ulimit -t\).*\nhint: a chunk needs more CPU time.*\n$`, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			j := start(t, t.TempDir(), "sh", "-c", "ulimit -t 1; exec procpool run --procs 1 "+c.args)
			if code := j.wait(); code != c.code {
				t.Errorf("exit code %d, not %d", code, c.code)
			}
			expect(t, j.stderr.String(), c.stderr)
		})
	}
}
