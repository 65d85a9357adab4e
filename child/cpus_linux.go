package child

import (
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// currentCPU is the CPU that runs the caller, or -1.
func currentCPU() int {
	var cpu uint32
	if _, _, errno := syscall.RawSyscall(unix.SYS_GETCPU, uintptr(unsafe.Pointer(&cpu)), 0, 0); errno != 0 {
		return -1
	}
	return int(cpu)
}

// allowedCPUs lists the CPUs that this process may run on, as taskset -c does.
func allowedCPUs() string {
	for words := 16; words <= 1<<12; words *= 4 { // 1,024 CPUs at first
		mask := make([]uint64, words)
		n, err := schedGetaffinity(mask)
		if err == unix.EINVAL {
			continue // the kernel's masks are longer
		}
		if err != nil {
			return ""
		}
		return listCPUs(mask[:n/8])
	}
	return ""
}

// schedGetaffinity reads this thread's mask of any length, which
// unix.SchedGetaffinity with its 1,024 CPUs cannot. It returns the bytes that
// the kernel filled.
func schedGetaffinity(mask []uint64) (int, error) {
	n, _, errno := syscall.RawSyscall(unix.SYS_SCHED_GETAFFINITY, 0, uintptr(8*len(mask)), uintptr(unsafe.Pointer(&mask[0])))
	if errno != 0 {
		return 0, errno
	}
	return int(n), nil
}
