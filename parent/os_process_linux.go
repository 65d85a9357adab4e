package parent

import (
	"bytes"
	"os"
	"strconv"
	"syscall"

	"golang.org/x/sys/unix"

	"procpool/placement"
)

// self returns a path of the program that this process runs. /proc/self/exe stays valid
// when the program's file is replaced or deleted.
func self() (string, error) {
	const exe = "/proc/self/exe"
	if unix.Access(exe, unix.X_OK) == nil {
		return exe, nil
	}
	return programFile()
}

// startBound starts a program bound to cpus. The process inherits the mask of this
// thread, so it is bound before its runtime counts its CPUs.
func startBound(path string, words []string, cpus placement.CPUSet, attr *os.ProcAttr) (*os.Process, error) {
	if !cpus.Empty() {
		mask, err := placement.ThreadAffinity()
		if err != nil {
			return nil, err
		}
		if err := placement.SetThreadAffinity(cpus); err != nil {
			return nil, err
		}
		defer placement.SetThreadAffinity(mask)
	}
	return os.StartProcess(path, words, attr)
}

// procAttr makes the kernel kill a worker when the thread that started it ends, so that a
// parent that is killed leaves no worker behind, however busy. A worker with EndsOwn must
// first end what it started; it notices by its streams that the parent is gone.
func procAttr(c Command) *syscall.SysProcAttr {
	if c.EndsOwn {
		return nil
	}
	return &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
}

// awaitExit waits until p has ended, by a pidfd in the runtime's poller. Process.Wait
// alone would block a thread for each process. If the kernel has no pidfds, awaitExit
// returns at once.
func awaitExit(p *os.Process) {
	fd := -1
	err := p.WithHandle(func(handle uintptr) {
		fd, _ = unix.FcntlInt(handle, unix.F_DUPFD_CLOEXEC, 0)
	})
	if err != nil || fd < 0 {
		return
	}
	unix.SetNonblock(fd, true)
	f := os.NewFile(uintptr(fd), "process")
	defer f.Close()
	conn, err := f.SyscallConn()
	if err != nil {
		return
	}
	conn.Read(func(fd uintptr) bool {
		fds := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}
		n, err := unix.Poll(fds, 0)
		return n != 0 || err != nil
	})
}

func residentSet(pid int) int64 {
	statm, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/statm")
	if err != nil {
		return 0
	}
	fields := bytes.Fields(statm)
	if len(fields) < 2 {
		return 0
	}
	pages, _ := strconv.ParseInt(string(fields[1]), 10, 64)
	return pages * int64(os.Getpagesize())
}

func oomKills() int64 {
	if n := (placement.System{}).OOMKills(); n != nil {
		return *n
	}
	return 0
}
