// Package proctree ends a process together with everything that it started.
package proctree

import (
	"bytes"
	"os"
	"strconv"
	"syscall"

	"golang.org/x/sys/unix"
)

// Kill kills a child of this process and all of its descendants. It stops each of
// them before it looks for its children, so that none can start another one
// meanwhile. A descendant whose own parent has ended has left the tree: it is not found.
func Kill(p *os.Process) {
	if p.Signal(syscall.SIGSTOP) == nil { // until it is waited for, its number is no other's
		KillDescendants(p.Pid)
	}
	p.Kill()
}

// KillDescendants kills all descendants of a process, and leaves it alone.
func KillDescendants(pid int) {
	for _, child := range children(pid) {
		syscall.Kill(child, syscall.SIGSTOP)
		KillDescendants(child)
		syscall.Kill(child, syscall.SIGKILL)
	}
}

// KillOwn kills everything that this process has started and that still runs. If that
// is nothing it costs one system call.
func KillOwn() {
	options := unix.WEXITED | unix.WNOHANG | unix.WNOWAIT | unix.WALL
	if unix.Waitid(unix.P_ALL, 0, nil, options, nil) != unix.ECHILD {
		KillDescendants(os.Getpid())
	}
}

// children lists the children of all threads of a process.
func children(pid int) (pids []int) {
	dir := "/proc/" + strconv.Itoa(pid) + "/task"
	threads, err := os.ReadDir(dir)
	if err != nil {
		return nil
	}
	for _, t := range threads {
		list, err := os.ReadFile(dir + "/" + t.Name() + "/children")
		if err != nil {
			return childrenByScan(pid)
		}
		for _, field := range bytes.Fields(list) {
			if child, err := strconv.Atoi(string(field)); err == nil {
				pids = append(pids, child)
			}
		}
	}
	return pids
}

// childrenByScan looks at every process, for kernels that do not list children.
func childrenByScan(parent int) (pids []int) {
	entries, _ := os.ReadDir("/proc")
	for _, e := range entries {
		pid, err := strconv.Atoi(e.Name())
		if err != nil {
			continue
		}
		stat, err := os.ReadFile("/proc/" + e.Name() + "/stat")
		// The name of the program, in parentheses, may contain anything.
		if i := bytes.LastIndexByte(stat, ')'); err == nil && i >= 0 {
			if f := bytes.Fields(stat[i+1:]); len(f) > 1 && string(f[1]) == strconv.Itoa(parent) {
				pids = append(pids, pid)
			}
		}
	}
	return pids
}
