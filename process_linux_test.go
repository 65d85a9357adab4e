package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// A job is a command that a test runs, in a process group of its own. When the
// test is over none of its processes may be left.
type job struct {
	t              *testing.T
	mark           string // tells its processes from all others
	cmd            *exec.Cmd
	stdout, stderr bytes.Buffer
	ended          chan struct{}
}

// start starts a command in directory dir. Where it is procpool, the test
// binary plays it.
func start(t *testing.T, dir, name string, args ...string) *job {
	t.Helper()
	j := newJob(t, t.Name(), dir, name, args...)
	if err := j.begin(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		syscall.Kill(-j.cmd.Process.Pid, syscall.SIGKILL) // of a test that failed
		<-j.ended
		j.eventually("none of its processes is left", func() bool { return len(marked(t.Name())) == 0 })
	})
	return j
}

// newJob is a command that has not begun, whose processes have a mark.
func newJob(t *testing.T, mark, dir, name string, args ...string) *job {
	j := &job{t: t, mark: mark, cmd: exec.Command(name, args...), ended: make(chan struct{})}
	j.cmd.Dir = dir
	j.cmd.Env = append(os.Environ(), marker+"="+mark)
	j.cmd.Stdout, j.cmd.Stderr = &j.stdout, &j.stderr
	j.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	return j
}

// begin starts the command.
func (j *job) begin() error {
	if err := j.cmd.Start(); err != nil {
		return err
	}
	go func() {
		j.cmd.Wait()
		close(j.ended)
	}()
	return nil
}

// workers are the processes of the job's workers.
func (j *job) workers() (pids []int) {
	for _, pid := range marked(j.mark) {
		args, _ := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "cmdline"))
		if bytes.Contains(args, []byte("\x00procpool-child\x00")) {
			pids = append(pids, pid)
		}
	}
	return pids
}

// awaitWork waits until the workers are in the middle of their work: until they
// have used more CPU time than starting takes, or the job has ended.
func (j *job) awaitWork() {
	j.t.Helper()
	j.eventually("the workers work", func() bool {
		var ticks int
		for _, pid := range j.workers() {
			ticks += cpuTicks(pid)
		}
		select {
		case <-j.ended:
			return true
		default:
			return ticks >= 20 // of 10 ms
		}
	})
}

// cpuTicks is the CPU time that a process has used.
func cpuTicks(pid int) int {
	stat, _ := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "stat"))
	_, rest, _ := strings.Cut(string(stat), ") ") // behind the name
	fields := strings.Fields(rest)
	if len(fields) < 13 {
		return 0 // it has ended
	}
	user, _ := strconv.Atoi(fields[11])
	system, _ := strconv.Atoi(fields[12])
	return user + system
}

// signal sends a signal to the job's first process, group to all.
func (j *job) signal(s syscall.Signal) { syscall.Kill(j.cmd.Process.Pid, s) }
func (j *job) group(s syscall.Signal)  { syscall.Kill(-j.cmd.Process.Pid, s) }

// wait waits for the job's end and returns its exit code; 128+n stands for signal n.
func (j *job) wait() int {
	j.t.Helper()
	select {
	case <-j.ended:
	case <-hardLimit(j.t).Done():
		j.t.Fatalf("it hangs; stderr: %s", &j.stderr)
	}
	return j.code()
}

// code is the exit code of a job that has ended; 128+n stands for signal n.
func (j *job) code() int {
	status := j.cmd.ProcessState.Sys().(syscall.WaitStatus)
	if status.Signaled() {
		return 128 + int(status.Signal())
	}
	return status.ExitStatus()
}

// result is the first line of stdout: all of a result but the time.
func (j *job) result() string {
	line, _, _ := strings.Cut(j.stdout.String(), "\n")
	return line
}

// eventually waits for something that must come about; how soon is not measured.
func (j *job) eventually(what string, done func() bool) {
	j.t.Helper()
	limit := hardLimit(j.t)
	for !done() {
		select {
		case <-limit.Done():
			j.t.Fatalf("it never came about that %s; stderr: %s", what, &j.stderr)
		case <-time.After(10 * time.Millisecond):
		}
	}
}

// resultOf runs procpool undisturbed.
func resultOf(t *testing.T, args ...string) string {
	t.Helper()
	j := start(t, t.TempDir(), "procpool", append([]string{"run"}, args...)...)
	if code := j.wait(); code != 0 || j.stderr.Len() > 0 {
		t.Fatalf("exit code %d, stderr: %s", code, &j.stderr)
	}
	return j.result()
}
