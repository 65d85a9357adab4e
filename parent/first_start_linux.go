package parent

import (
	"os"
	"runtime"
	"sync"

	"golang.org/x/sys/unix"
)

// beforeFirstStart makes package os check whether pidfds work, with all signals blocked.
// Otherwise os would check at the first start of a process, with signals enabled.
//
// The check clones a child that shares this process's memory, the stack of this thread
// and its signal mask (Go 1.23 to 1.26, syscall.doCheckClonePidfd). If a signal reaches
// that child and the program does not catch it (Ctrl-C sends it to the whole group), the
// child ends within Go's signal handler and leaves this thread in the middle of it:
// "fatal: morestack on gsignal", exit code 133. testdata/peers/pidfd shows it.
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
