//go:build unix

package child

import (
	"errors"
	"io"
	"os"
	"os/signal"
	"syscall"

	"golang.org/x/sys/unix"
)

// claimStdio moves the standard streams to descriptors that no task knows. What
// a task prints to stdout then goes to stderr, and its reads of stdin find
// nothing. The returned files stay open as long as the process lives. own says that a
// pool made the streams for this process.
func claimStdio(own bool) (in, out *os.File, err error) {
	inFD, err := claimStdin(own)
	if err != nil {
		return nil, nil, err
	}
	outFD, err := unix.FcntlInt(1, unix.F_DUPFD_CLOEXEC, 3)
	if err != nil {
		return nil, nil, err
	}
	if err := unix.Dup2(2, 1); err != nil {
		return nil, nil, err
	}
	empty, err := openEmpty()
	if err != nil {
		return nil, nil, err
	}
	defer unix.Close(empty)
	if err := unix.Dup2(empty, 0); err != nil {
		return nil, nil, err
	}
	return os.NewFile(uintptr(inFD), "stdin"), os.NewFile(uintptr(outFD), "stdout"), nil
}

// claimStdin returns another descriptor of standard input. If that is a pipe or a socket,
// reads do not block: one that finds nothing parks its goroutine and not a thread, and
// with GOMAXPROCS=1 the tasks go on at once.
//
// That is a property of the open file, which others may share: a shell reads on from the
// same pipe when this process has ended, however it has. So the pipe is opened anew.
// Where that is impossible (a socket, no /proc, a pipe of another user), only a file of
// this process's own is changed.
func claimStdin(own bool) (fd int, err error) {
	var st unix.Stat_t
	if err := unix.Fstat(0, &st); err != nil {
		return 0, err
	}
	kind := uint32(st.Mode) & unix.S_IFMT
	if kind == unix.S_IFIFO {
		fd, err = unix.Open("/proc/self/fd/0", unix.O_RDONLY|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
		if err == nil {
			return fd, nil
		}
	}
	fd, err = unix.FcntlInt(0, unix.F_DUPFD_CLOEXEC, 3)
	if err == nil && own && (kind == unix.S_IFIFO || kind == unix.S_IFSOCK) {
		unix.SetNonblock(fd, true)
	}
	return fd, err
}

// openEmpty opens a file in which nothing is.
func openEmpty() (fd int, err error) {
	if fd, err = unix.Open(os.DevNull, unix.O_RDONLY|unix.O_CLOEXEC, 0); err == nil {
		return fd, nil
	}
	// A container may have no devices. A pipe that nobody can write to is as empty.
	var ends [2]int
	if err := unix.Pipe(ends[:]); err != nil {
		return 0, err
	}
	unix.Close(ends[1])
	return ends[0], nil
}

// readerGone reports whether nobody can read what is written to out any more.
func readerGone(out io.Writer) bool {
	f, ok := out.(*os.File)
	if !ok {
		return false
	}
	fds := []unix.PollFd{{Fd: int32(f.Fd())}}
	n, err := unix.Poll(fds, 0)
	return err == nil && n > 0 && fds[0].Revents&(unix.POLLERR|unix.POLLHUP|unix.POLLNVAL) != 0
}

func isBrokenPipe(err error) bool { return errors.Is(err, syscall.EPIPE) }

// ignoreSignals catches and drops the signals that the whole process group gets:
// the parent decides what they mean. They are not ignored in the sense of
// signal.Ignore, because every command that a task starts would inherit that. Go's
// runtime drops SIGUSR1, SIGUSR2 and SIGXCPU by itself.
func ignoreSignals() {
	signal.Notify(make(chan os.Signal, 1), syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP)
}
