package child

import (
	"time"

	"golang.org/x/sys/unix"

	"procpool/internal/procfs"
	"procpool/ipc"
)

// minCPUTime is the CPU time below which migrations are not counted. Reading
// them is cheap, but afterwards the kernel must drop the /proc entries of the
// threads as they exit, which can take longer than a short worker lives.
const minCPUTime = 50 * time.Millisecond

// peakRSS returns the peak of this process's resident set in bytes.
func peakRSS() ipc.Count {
	kib := procfs.Int(readProc("/proc/self/status"), "VmHWM")
	if kib == nil {
		return ipc.Count{}
	}
	return ipc.CountOf(*kib << 10)
}

// migrations returns how often the kernel moved a thread to another CPU, summed
// over all threads that live. (The Go runtime rarely ends a thread.) used is the CPU
// time of this process. The count is unknown if the kernel does not tell, or if
// used is below minCPUTime.
func migrations(used time.Duration) ipc.Count {
	if used < minCPUTime {
		return ipc.Count{}
	}
	sum := int64(0)
	for _, tid := range threads() {
		n := procfs.Int(readProc("/proc/self/task/"+tid+"/sched"), "se.nr_migrations")
		if n == nil {
			return ipc.Count{}
		}
		sum += *n
	}
	return ipc.CountOf(sum)
}

// threads lists the ids of this process's threads.
func threads() (ids []string) {
	fd, err := unix.Open("/proc/self/task", unix.O_RDONLY|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil
	}
	defer unix.Close(fd)
	var buf [4096]byte
	for {
		n, err := unix.ReadDirent(fd, buf[:])
		if err != nil || n <= 0 {
			return ids
		}
		_, _, ids = unix.ParseDirent(buf[:n], -1, ids)
	}
}

// readProc returns the text of a file in /proc, or "".
func readProc(path string) string {
	text, _ := procfs.Read(path)
	return string(text)
}
