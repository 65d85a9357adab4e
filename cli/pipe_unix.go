//go:build unix

package cli

import (
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strconv"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// dieOfPipe ends this process by SIGPIPE. Go does so by itself when a write to
// standard output fails; this is for writers that do not get that far.
func dieOfPipe() {
	signal.Reset(syscall.SIGPIPE)
	syscall.Kill(os.Getpid(), syscall.SIGPIPE)
}

// writeWithoutSIGPIPE writes to a descriptor. Package os ends a program by SIGPIPE that
// writes to standard error when nobody reads.
func writeWithoutSIGPIPE(fd uintptr, b []byte) {
	for len(b) > 0 {
		n, err := syscall.Write(int(fd), b)
		switch err {
		case nil:
			b = b[n:]
		case syscall.EINTR:
		case syscall.EAGAIN:
			time.Sleep(time.Millisecond)
		default:
			return
		}
	}
}

// stdoutClosed reports whether standard output was closed when this process started, as
// a shell does for >&-. Go's runtime has opened /dev/null in its place, for reading and
// writing. As some programs do that too (Python's DEVNULL), it only counts when a shell
// has started this process that does not have such a standard output itself. So it does
// not show behind a shell that has become this process (sh -c 'procpool run 10 >&-').
func stdoutClosed() bool {
	flags, err := unix.FcntlInt(1, unix.F_GETFL, 0)
	if err != nil || flags&unix.O_ACCMODE != unix.O_RDWR || !isNull("self") {
		return false
	}
	parent := strconv.Itoa(os.Getppid())
	shell, _ := os.Readlink(filepath.Join("/proc", parent, "exe"))
	return slices.Contains(closingShells, filepath.Base(shell)) && !isNull(parent)
}

var closingShells = []string{"sh", "dash", "bash", "ash", "busybox", "zsh", "ksh", "ksh93", "mksh", "fish"}

// isNull reports whether a process's standard output is /dev/null.
func isNull(pid string) bool {
	to, _ := os.Readlink(filepath.Join("/proc", pid, "fd/1"))
	return to == os.DevNull
}
