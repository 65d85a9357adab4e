package child

import (
	"bytes"
	"strconv"
	"time"

	"golang.org/x/sys/unix"
)

// Every worker reads its account on its way out, so it is read without package
// os, which would first try to poll the files.

// worthCounting is the CPU time below which migrations are not counted. It is
// no matter of reading: a process that has looked at its threads in the proc file
// system leaves entries behind, and while its threads end the kernel
// waits, spinning, to drop them: milliseconds for a process that lived for one.
const worthCounting = 50 * time.Millisecond

// peakRSS is the high-water mark of this process's resident set in bytes, or -1.
func peakRSS() int64 {
	kib := figureAfter(readProc("/proc/self/status"), "\nVmHWM:")
	if kib < 0 {
		return -1
	}
	return kib << 10
}

// migrations sums how often the kernel moved each thread to another CPU, or is
// -1 on kernels that do not tell, and in a process that has used too little CPU
// time to ask. Threads that have ended are not in it; the Go runtime keeps its threads.
func migrations(used time.Duration) int64 {
	if used < worthCounting {
		return -1
	}
	sum := int64(0)
	for _, tid := range threads() {
		n := figureAfter(readProc("/proc/self/task/"+tid+"/sched"), "\nse.nr_migrations")
		if n < 0 {
			return -1
		}
		sum += n
	}
	return sum
}

// threads lists the identifiers of this process's threads.
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

// readProc reads the beginning of a file of the proc file system, whose files
// here are shorter than 3 KiB and come with one read. The buffer is returned,
// and so on the heap: a stack that must grow for it costs more.
func readProc(path string) []byte {
	fd, err := unix.Open(path, unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil
	}
	defer unix.Close(fd)
	buf := make([]byte, 4<<10)
	n, err := unix.Read(fd, buf)
	if err != nil {
		return nil
	}
	return buf[:n]
}

// figureAfter reads the first integer behind key in a file of the proc file
// system, or -1.
func figureAfter(file []byte, key string) int64 {
	_, rest, ok := bytes.Cut(file, []byte(key))
	if !ok {
		return -1
	}
	rest = bytes.TrimLeft(rest, " \t:")
	end := bytes.IndexAny(rest, " \t\n")
	v, err := strconv.ParseInt(string(rest[:max(end, 0)]), 10, 64)
	if err != nil {
		return -1
	}
	return v
}
