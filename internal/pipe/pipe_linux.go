package pipe

import (
	"io"
	"os"

	"golang.org/x/sys/unix"
)

// size is what Widen asks for, in bytes: what an unprivileged process may have,
// and 16 times what a pipe begins with.
const size = 1 << 20

// Widen makes the pipe that w writes to hold more, so that its two ends wait
// for each other less often. It is for those who have something large to
// write: all pipes of a user share a budget, beyond which new ones are narrow.
// Where w is no pipe, or the budget is spent, nothing changes.
func Widen(w io.Writer) {
	f, ok := w.(*os.File)
	if !ok {
		return
	}
	c, err := f.SyscallConn()
	if err != nil {
		return
	}
	c.Control(func(fd uintptr) {
		if have, err := unix.FcntlInt(fd, unix.F_GETPIPE_SZ, 0); err == nil && have < size {
			unix.FcntlInt(fd, unix.F_SETPIPE_SZ, size)
		}
	})
}
