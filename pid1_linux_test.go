package main

import (
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

var firsts = flag.Int("firsts", 40, "how many runs TestProcessOneEndsWhenAsked starts")

// As process 1 of a container, which dies of no signal by default, a run that gets one
// in its first milliseconds ends as any other. What comes before Go's runtime handles
// signals the kernel drops, and what comes between that and main, about a millisecond,
// ends in the runtime with code 2. Neither is in our hands, and the second is counted.
func TestProcessOneEndsWhenAsked(t *testing.T) {
	long(t)
	t.Parallel()
	exe, err := exec.LookPath("procpool")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	ends := make(map[string]int)
	for i := range *firsts {
		signal := ending[i%3] // Go drops SIGUSR1 until somebody listens
		j := startAsFirst(t, dir, exe, "run", "--procs", "2", "--chunk-size", "1e6", "1e15")
		j.eventually("it handles signals", func() bool { return handles(j.cmd.Process.Pid, exe, signal.signal) })
		time.Sleep(rand.N(15 * time.Millisecond))
		j.signal(signal.signal)
		select {
		case <-j.ended:
		case <-time.After(20 * time.Second):
			t.Fatalf("it is deaf to %s; stderr: %s", signal.name, &j.stderr)
		}
		switch code := j.wait(); code {
		case signal.code:
			ends["in order"]++
			expect(t, j.stderr.String(), `^(procpool: ended by `+signal.name+`: \d+ of \d+ chunks are done\n)?$`)
		case 2:
			ends["by Go's runtime"]++
			expect(t, j.stderr.String(), `^$`)
		default:
			t.Errorf("exit code %d, stderr: %s", code, &j.stderr)
		}
	}
	t.Logf("%d runs ended: %v", *firsts, ends)
	if ends["in order"] == 0 { // how many do hangs on how long the machine takes to main
		t.Errorf("none of %d runs ended in order", *firsts)
	}
}

// startAsFirst starts a program as process 1 of a PID namespace of its own.
func startAsFirst(t *testing.T, dir, exe string, args ...string) *job {
	t.Helper()
	j := newFirst(t, t.Name(), dir, exe, args...)
	if err := j.begin(); err != nil {
		if errors.Is(err, syscall.EPERM) || errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EINVAL) {
			t.Skipf("cannot make a PID namespace: %v", err)
		}
		t.Fatal(err)
	}
	t.Cleanup(func() {
		syscall.Kill(j.cmd.Process.Pid, syscall.SIGKILL) // and with it all of its namespace
		<-j.ended
	})
	return j
}

// newFirst is a job that is to run as process 1 of a PID namespace.
func newFirst(t *testing.T, mark, dir, exe string, args ...string) *job {
	j := newJob(t, mark, dir, "/bin/sh", append([]string{"-c", `mount -t proc proc /proc && exec "$0" "$@"`, exe}, args...)...)
	a := j.cmd.SysProcAttr
	a.Cloneflags = syscall.CLONE_NEWPID | syscall.CLONE_NEWNS
	if os.Getuid() != 0 {
		a.Cloneflags |= syscall.CLONE_NEWUSER
		a.UidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getuid(), Size: 1}}
		a.GidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getgid(), Size: 1}}
	}
	return j
}

// handles reports whether a process runs exe and has a handler for a signal.
func handles(pid int, exe string, s syscall.Signal) bool {
	dir := filepath.Join("/proc", strconv.Itoa(pid))
	if to, err := os.Readlink(filepath.Join(dir, "exe")); err != nil || filepath.Base(to) != filepath.Base(exe) {
		return false
	}
	status, _ := os.ReadFile(filepath.Join(dir, "status"))
	lines := strings.Split(string(status), "\n")
	i := slices.IndexFunc(lines, func(line string) bool { return strings.HasPrefix(line, "SigCgt:") })
	if i < 0 {
		return false
	}
	var caught uint64
	fmt.Sscanf(lines[i], "SigCgt:\t%x", &caught)
	return caught>>(s-1)&1 == 1
}
