package main

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"
	"time"
)

// pythonWorker is the command line of the worker in examples/python.
func pythonWorker(t *testing.T) string {
	t.Helper()
	const python = "/usr/bin/python3"
	if out, err := exec.Command(python, "-c", "import msgpack").CombinedOutput(); err != nil {
		if os.Getenv("PROCPOOL_CI_STRICT") == "1" {
			t.Fatalf("python3-msgpack is missing: %v: %s", err, out)
		}
		t.Skip("python3-msgpack is missing: apt-get install python3-msgpack")
	}
	worker, err := filepath.Abs("examples/python/worker.py")
	if err != nil {
		t.Fatal(err)
	}
	if lines := bytes.Count([]byte(read(t, worker)), []byte("\n")); lines > 80 {
		t.Errorf("the worker has %d lines", lines)
	}
	return fmt.Sprintf("%s '%s'", python, worker)
}

// The tutorial, in the tutorial's language: the digits are its own.
// PROCPOOL_TEST_TERMS=100000000 computes as many terms as it does.
func TestPythonWorkerComputesTheTutorial(t *testing.T) {
	t.Parallel()
	terms, want := "1000000", "PI is approximately 3.1415916535897810, Error is 0.0000010000000121"
	if os.Getenv("PROCPOOL_TEST_TERMS") == "100000000" {
		terms, want = "100000000", "PI is approximately 3.1415926435898172, Error is 0.0000000099999760"
	}
	worker := pythonWorker(t)
	for _, args := range [][]string{nil, {"--launcher", "nice"}, {"--launcher", "sh -c {cmd}", "--heartbeat", "20s"}, {"--quiet", "--bind", "close", "--max-chunks-per-child", "1"}} {
		if got := resultOf(t, append(args, "--procs", "4", "--worker", worker, "--task", "pi", terms)...); got != want {
			t.Errorf("%q: %q, not %q", args, got, want)
		}
		if terms != "1000000" {
			break
		}
	}
}

// The conformance test that doctor has finds nothing wrong with it.
func TestPythonWorkerConforms(t *testing.T) {
	t.Parallel()
	j := start(t, t.TempDir(), "procpool", "doctor", "--worker", pythonWorker(t))
	if code := j.wait(); code != 0 || bytes.Count(j.stdout.Bytes(), []byte("ok      ")) != 10 {
		t.Errorf("exit code %d, it says\n%s%s", code, &j.stdout, &j.stderr)
	}
}

// pythons are the processes of the job's workers in Python.
func (j *job) pythons() (pids []int) {
	for _, pid := range marked(j.t.Name()) {
		args, _ := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "cmdline"))
		if bytes.HasPrefix(args, []byte("/usr/bin/python3\x00")) {
			pids = append(pids, pid)
		}
	}
	return pids
}

// Workers in Python are killed and stopped, and so is their parent. The same command goes on
// with the journal, and comes to the same bits. Nobody is left behind.
func TestPythonWorkersAreKilled(t *testing.T) {
	t.Parallel()
	worker := pythonWorker(t)
	size := []string{"--chunk-size", "100000", "10000000"}
	want := resultOf(t, size...)
	dir := t.TempDir()
	args := append([]string{"run", "--worker", worker, "--procs", "2", "--heartbeat", "5s", "--retries", "100", "--journal", "j", "--resume"}, size...)
	killed, parents := 0, 0
	for parents < 3 || killed < 6 {
		j := start(t, dir, "procpool", args...)
		for range 4 {
			j.eventually("there are workers", func() bool { return len(j.pythons()) > 0 || over(j) })
			time.Sleep(time.Duration(rand.Int64N(int64(200 * time.Millisecond))))
			if pids := j.pythons(); len(pids) > 0 {
				syscall.Kill(pids[rand.IntN(len(pids))], [...]syscall.Signal{syscall.SIGKILL, syscall.SIGSEGV}[rand.IntN(2)])
				killed++
			}
		}
		j.signal(syscall.SIGKILL)
		parents++
		if code := j.wait(); code == 0 { // it was done before
			break
		}
		j.eventually("all workers are gone", func() bool { return len(j.pythons()) == 0 })
	}
	j := start(t, dir, "procpool", args...)
	if code := j.wait(); code != 0 || j.result() != want {
		t.Errorf("exit code %d, %q, not %q; stderr: %s", code, j.result(), want, &j.stderr)
	}
	t.Logf("%d workers and %d parents were killed", killed, parents)
}

// A chunk that takes too long is cancelled, and its worker, which does not heed that, is
// replaced. A signal ends the run in order.
func TestPythonWorkerIsLate(t *testing.T) {
	t.Parallel()
	worker := pythonWorker(t)
	j := start(t, t.TempDir(), "procpool", "run", "--worker", worker, "--procs", "1", "--retries", "1", "--timeout", "300ms", "1e12")
	if code := j.wait(); code != 1 || !bytes.Contains(j.stderr.Bytes(), []byte("pi over [0, 1000000000000): took longer than 300ms, 2 times; worker killed")) {
		t.Errorf("exit code %d, stderr: %s", code, &j.stderr)
	}
	j = start(t, t.TempDir(), "procpool", "run", "--worker", worker, "--procs", "2", "--chunk-size", "100000", "--journal", "j", "1e12")
	j.eventually("both workers work", func() bool {
		pids := j.pythons()
		return len(pids) == 2 && cpuTicks(pids[0]) > 20 && cpuTicks(pids[1]) > 20 || over(j)
	})
	j.group(syscall.SIGINT)
	if code := j.wait(); code != 128+int(syscall.SIGINT) || bytes.Contains(j.stderr.Bytes(), []byte("Traceback")) {
		t.Errorf("exit code %d, stderr: %s", code, &j.stderr)
	}
}

func over(j *job) bool {
	select {
	case <-j.ended:
		return true
	default:
		return false
	}
}
