package child

import (
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// deathSignal is the signal that the kernel sends to this process when its parent ends;
// 0 for none. It belongs to the thread that the process began with, and so does the
// initialisation of packages.
var deathSignal = func() (s syscall.Signal) {
	var number int32
	if unix.Prctl(unix.PR_GET_PDEATHSIG, uintptr(unsafe.Pointer(&number)), 0, 0, 0) == nil {
		s = syscall.Signal(number)
	}
	return s
}()

// endWithParent has the kernel kill this process with its parent, if a launcher such as
// nice has become this process. A launcher is asked to terminate with the parent, and a
// worker ignores that once it is open; if it is stopped, it cannot notice either.
//
// A launcher that started this process as a child of its own has handed no such signal
// on, and none is set then: the kernel sends it when the thread ends that started the
// child, which may be sooner than the launcher does.
func endWithParent() {
	if deathSignal == syscall.SIGTERM {
		unix.Prctl(unix.PR_SET_PDEATHSIG, uintptr(syscall.SIGKILL), 0, 0, 0)
	}
}
