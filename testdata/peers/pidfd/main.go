//go:build linux

// Pidfd shows what a signal can do to a Go program while package os tests whether pidfds
// work, once in each process: at the first os.StartProcess, os.FindProcess or exec.Cmd.
//
//	go build -o pidfd . && unshare --pid --fork --mount-proc ./pidfd 300 plain
//	unshare --pid --fork --mount-proc ./pidfd 300 masked
//
// Each run starts a victim, which has the test made, and meanwhile sends SIGINT to the
// process with the next free number: the child that the test clones. It prints how the
// victims ended. As seen with Go 1.26.8 on Linux 6.18, about half of the plain ones ended
// with "fatal: morestack on gsignal" and SIGTRAP, though no signal was sent to them. Of
// those that block all signals on the thread of the test, none did. The same holds for
// a victim that listens to SIGINT (os/signal): the handler does not end the child then.
//
// It runs in a PID namespace of its own only, since it sends signals to numbers.
package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"time"
	"unsafe"
)

func main() {
	switch self, _ := os.Readlink("/proc/self"); {
	case len(os.Args) == 2:
		victim(os.Args[1])
	case len(os.Args) != 3:
		fmt.Fprintln(os.Stderr, "usage: pidfd RUNS plain|masked|idle")
		os.Exit(2)
	case self != strconv.Itoa(os.Getpid()) || os.Getpid() > 10:
		fmt.Fprintln(os.Stderr, "pidfd: this is no PID namespace of its own: see unshare(1)")
		os.Exit(2)
	}
	runs, _ := strconv.Atoi(os.Args[1])
	ends := make(map[string]int)
	for range runs {
		ends[run(os.Args[2])]++
	}
	for end, n := range ends {
		fmt.Println(n, end)
	}
}

// run starts a victim, sends signals behind it and says how it ended.
func run(kind string) string {
	cmd := exec.Command("/proc/self/exe", kind)
	var stderr strings.Builder
	cmd.Stderr = &stderr
	ready, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		return err.Error()
	}
	ready.Read(make([]byte, 1))
	last := 0 // number of a thread
	threads, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*", cmd.Process.Pid))
	for _, t := range threads {
		n, _ := strconv.Atoi(filepath.Base(t))
		last = max(last, n)
	}
	var stop atomic.Bool
	stopped := make(chan struct{})
	go func() {
		defer close(stopped)
		for !stop.Load() {
			for pid := last + 1; pid < last+4; pid++ {
				syscall.Kill(pid, syscall.SIGINT)
			}
		}
	}()
	time.Sleep(6 * time.Millisecond)
	stop.Store(true)
	<-stopped
	cmd.Wait()
	first, _, _ := strings.Cut(stderr.String(), "\n")
	return fmt.Sprintf("%v %s", cmd.ProcessState, first)
}

// victim has package os test pidfds, unless it is idle.
func victim(kind string) {
	runtime.LockOSThread()
	for range 20 { // so that no thread gets a number that signals are sent to
		go func() { runtime.LockOSThread(); select {} }()
	}
	time.Sleep(3 * time.Millisecond)
	os.Stdout.WriteString("r")
	time.Sleep(2 * time.Millisecond)
	if kind == "masked" {
		var all [16]uint64
		for i := range all {
			all[i] = ^all[i]
		}
		const setMask = 2
		syscall.RawSyscall6(syscall.SYS_RT_SIGPROCMASK, setMask, uintptr(unsafe.Pointer(&all)), 0, 8, 0, 0)
	}
	if kind != "idle" {
		os.FindProcess(os.Getpid())
	}
	os.Exit(0)
}
