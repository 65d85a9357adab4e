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
// nothing. The returned files stay open as long as the process lives.
func claimStdio() (in, out *os.File, err error) {
	inFD, err := unix.FcntlInt(0, unix.F_DUPFD_CLOEXEC, 3)
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
	null, err := unix.Open(os.DevNull, unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, nil, err
	}
	defer unix.Close(null)
	if err := unix.Dup2(null, 0); err != nil {
		return nil, nil, err
	}
	// A read of a nonblocking pipe parks its goroutine and not a thread, so with
	// GOMAXPROCS=1 the tasks go on at once.
	if isPipe(inFD) {
		unix.SetNonblock(inFD, true)
	}
	return os.NewFile(uintptr(inFD), "stdin"), os.NewFile(uintptr(outFD), "stdout"), nil
}

func isPipe(fd int) bool {
	var st unix.Stat_t
	if unix.Fstat(fd, &st) != nil {
		return false
	}
	kind := uint32(st.Mode) & unix.S_IFMT
	return kind == unix.S_IFIFO || kind == unix.S_IFSOCK
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
// signal.Ignore, because every command that a task starts would inherit that.
func ignoreSignals() {
	signal.Notify(make(chan os.Signal, 1), syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP, syscall.SIGUSR1)
}
