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

// KillOwn kills everything that this process has started and that still runs. It is the
// last thing that a process does: nothing else gets to wait for its children.
func KillOwn() { killChildren(func(int) bool { return true }) }

// Adopt makes this process the parent of what its descendants leave behind.
func Adopt() { unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) }

// KillStrays kills and waits for all children of this process that are in another
// session, with everything that they have started. Nothing else may wait for them.
func KillStrays() {
	session, err := unix.Getsid(0)
	if err != nil {
		return
	}
	killChildren(func(pid int) bool {
		of, err := unix.Getsid(pid)
		return err == nil && of != session
	})
}

// killChildren kills children with everything that they have started, and waits for
// them, until there are none: one that ends may leave its own to this process.
func killChildren(is func(pid int) bool) {
	for again := hasChildren(); again; {
		again = false
		for _, pid := range children(os.Getpid()) {
			if !is(pid) {
				continue
			}
			again = true
			syscall.Kill(pid, syscall.SIGSTOP)
			KillDescendants(pid)
			syscall.Kill(pid, syscall.SIGKILL)
			syscall.Wait4(pid, nil, 0, nil)
		}
	}
}

// hasChildren costs one system call.
func hasChildren() bool {
	options := unix.WEXITED | unix.WNOHANG | unix.WNOWAIT | unix.WALL
	return unix.Waitid(unix.P_ALL, 0, nil, options, nil) != unix.ECHILD
}

// Started are processes that this one has started through others: they get another
// parent when theirs ends.
type Started []descendant

type descendant struct {
	pid, parent int
	began       string // in clock ticks since boot; with pid it is no other process
}

// Grandchildren lists them.
func Grandchildren() (all Started) {
	if !hasChildren() {
		return nil
	}
	for _, child := range children(os.Getpid()) {
		all = all.below(child)
	}
	return all
}

func (all Started) below(pid int) Started {
	for _, child := range children(pid) {
		if _, began, ok := look(child); ok {
			all = append(all, descendant{child, pid, began}).below(child)
		}
	}
	return all
}

// KillOrphans kills those whose parent has ended since they were listed, with all
// that they have started.
func (all Started) KillOrphans() {
	for _, d := range all {
		if parent, began, ok := look(d.pid); ok && began == d.began && parent != d.parent {
			syscall.Kill(d.pid, syscall.SIGSTOP)
			KillDescendants(d.pid)
			syscall.Kill(d.pid, syscall.SIGKILL)
		}
	}
}

// look returns the parent of a process and when it began.
func look(pid int) (parent int, began string, ok bool) {
	stat, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	// The name of the program, in parentheses, may contain anything.
	i := bytes.LastIndexByte(stat, ')')
	if err != nil || i < 0 {
		return 0, "", false
	}
	f := bytes.Fields(stat[i+1:]) // from the third field of proc_pid_stat(5) on
	if len(f) < 20 {
		return 0, "", false
	}
	parent, err = strconv.Atoi(string(f[1]))
	return parent, string(f[19]), err == nil
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
		if of, _, ok := look(pid); ok && of == parent {
			pids = append(pids, pid)
		}
	}
	return pids
}
