package placement

import (
	"fmt"
	"syscall"
	"unsafe"
)

// ThreadAffinity is the set of CPUs on which the kernel may run the calling
// thread: what taskset, a cpuset or Slurm left of the machine. Unless something
// in this process called [SetThreadAffinity], it is the inherited mask.
func ThreadAffinity() (CPUSet, error) {
	// The kernel answers EINVAL while its own mask is longer than the buffer; it
	// tells by the result how many bytes it filled. Start at 8,192 CPUs.
	for size := 8192; ; size *= 2 {
		words := make([]uint, size/8/int(unsafe.Sizeof(uint(0))))
		n, _, errno := syscall.RawSyscall(syscall.SYS_SCHED_GETAFFINITY,
			0, uintptr(size/8), uintptr(unsafe.Pointer(&words[0])))
		switch {
		case errno == 0:
			return trimmed(words[:n/unsafe.Sizeof(words[0])]), nil
		case errno != syscall.EINVAL || size >= MaxCPUs:
			return CPUSet{}, fmt.Errorf("reading the CPU affinity: %w", errno)
		}
	}
}

// SetThreadAffinity lets the calling thread run on cpus only. A process started
// from this thread inherits the set before its own threads exist, which is the
// only way to bind all threads of a Go program.
//
// The caller holds runtime.LockOSThread, and sets the former mask again before
// it unlocks; the Go runtime does not start its own threads from a locked one, so
// the mask does not spread.
//
// The kernel refuses a set without a CPU that is online and allowed, but drops
// single CPUs in silence: check against [ThreadAffinity] first, as [NewBinding] does.
func SetThreadAffinity(cpus CPUSet) error {
	if cpus.Empty() {
		return fmt.Errorf("setting the CPU affinity: the set of CPUs is empty")
	}
	size := uintptr(len(cpus.words)) * unsafe.Sizeof(cpus.words[0])
	_, _, errno := syscall.RawSyscall(syscall.SYS_SCHED_SETAFFINITY,
		0, size, uintptr(unsafe.Pointer(&cpus.words[0])))
	if errno != 0 {
		return fmt.Errorf("setting the CPU affinity to %v: %w", cpus, errno)
	}
	return nil
}
