package parent

import (
	"os"
	"runtime"
	"sync"

	"golang.org/x/sys/unix"
)

// beforeFirstStart has Go's package os find out whether pidfds work, which it would do
// at the first start of a process.
//
// For that it clones a child that runs in this process's memory, on the stack of this
// thread, and with the signals that this thread does not block (Go 1.23 to 1.26,
// syscall.doCheckClonePidfd). A signal that reaches the child and for which nobody
// listens, as Ctrl-C sends it to the whole group, ends it within Go's handler, which
// leaves this thread in the middle of a handler: "fatal: morestack on gsignal", exit
// code 133. testdata/peers/pidfd shows it. With all signals blocked the child takes none.
var beforeFirstStart = sync.OnceFunc(func() {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	var all, old unix.Sigset_t
	for i := range all.Val {
		all.Val[i] = ^all.Val[i]
	}
	if unix.PthreadSigmask(unix.SIG_SETMASK, &all, &old) != nil {
		return
	}
	defer unix.PthreadSigmask(unix.SIG_SETMASK, &old, nil)
	if self, err := os.FindProcess(os.Getpid()); err == nil {
		self.Release()
	}
})
