package placement

import (
	"errors"
	"fmt"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// ThreadAffinity returns the CPUs on which the kernel may run the calling
// thread: what taskset, a cpuset or Slurm left of the machine. Unless this
// process called [SetThreadAffinity], it is the mask that the process inherited.
func ThreadAffinity() (CPUSet, error) {
	// The kernel returns EINVAL if its own mask is longer than the buffer, and
	// otherwise the number of bytes it filled. Start with room for 8,192 CPUs.
	for size := 8192; ; size *= 2 {
		words := make([]uint, size/8/int(unsafe.Sizeof(uint(0))))
		n, _, errno := syscall.RawSyscall(unix.SYS_SCHED_GETAFFINITY,
			0, uintptr(size/8), uintptr(unsafe.Pointer(&words[0])))
		switch {
		case errno == 0:
			return trimmed(words[:n/unsafe.Sizeof(words[0])]), nil
		case errno != syscall.EINVAL || size >= MaxCPUs:
			return CPUSet{}, fmt.Errorf("read the CPU affinity: %w", errno)
		}
	}
}

// SetThreadAffinity lets the calling thread run on cpus only. A process that is
// started from this thread inherits the set before it has other threads. That is
// the only way to bind all threads of a Go program.
//
// The caller must hold runtime.LockOSThread, and restore the previous mask before
// it unlocks. The Go runtime starts no threads from a locked one, so the mask does
// not spread in this process.
//
// The kernel refuses a set in which no CPU is online and allowed, but silently
// drops single CPUs. Check against [ThreadAffinity] first, as [NewBinding] does.
func SetThreadAffinity(cpus CPUSet) error {
	if cpus.Empty() {
		return errors.New("set the CPU affinity: the set of CPUs is empty")
	}
	size := uintptr(len(cpus.words)) * unsafe.Sizeof(cpus.words[0])
	_, _, errno := syscall.RawSyscall(unix.SYS_SCHED_SETAFFINITY,
		0, size, uintptr(unsafe.Pointer(&cpus.words[0])))
	if errno != 0 {
		return fmt.Errorf("set the CPU affinity to %v: %w", cpus, errno)
	}
	return nil
}

// CurrentCPU returns the number of the CPU that runs the caller. The kernel may
// have moved the caller by the time it returns. ok is false if the system does not
// tell.
func CurrentCPU() (cpu int, ok bool) {
	var n uint32
	_, _, errno := syscall.RawSyscall(unix.SYS_GETCPU, uintptr(unsafe.Pointer(&n)), 0, 0)
	return int(n), errno == 0
}
