package pipe

import (
	"io"
	"os"

	"golang.org/x/sys/unix"
)

// size is the capacity that Widen asks for, in bytes: the most that an
// unprivileged process may have, and 16 times the default.
const size = 1 << 20

// Widen enlarges the pipe that w writes to, so that the two ends wait for each
// other less often. Call it only before a large write: all pipes of a user
// share a budget, and once it is spent new pipes are small. Widen does nothing
// if w is not a pipe or the budget is spent.
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
