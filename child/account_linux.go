package child

import (
	"bytes"
	"strconv"

	"golang.org/x/sys/unix"
)

// Every worker reads these files on its way out, so they are read without
// package os, which would first try to poll them.

// peakRSS is the high-water mark of this process's resident set in bytes, or -1.
func peakRSS() int64 {
	var buf [4096]byte
	kib := figureAfter(readProc("/proc/self/status", buf[:]), "\nVmHWM:")
	if kib < 0 {
		return -1
	}
	return kib << 10
}

// migrations sums how often the kernel moved each thread to another CPU, or is
// -1 on kernels that do not tell. Threads that have ended are not in it; the
// Go runtime keeps its threads.
func migrations() int64 {
	var buf [4096]byte
	sum := int64(0)
	for _, tid := range threads() {
		n := figureAfter(readProc("/proc/self/task/"+tid+"/sched", buf[:]), "\nse.nr_migrations")
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

// readProc reads a file of the proc file system into buf, as much as fits.
func readProc(path string, buf []byte) []byte {
	fd, err := unix.Open(path, unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil
	}
	defer unix.Close(fd)
	total := 0
	for total < len(buf) {
		n, err := unix.Read(fd, buf[total:])
		if err != nil || n <= 0 {
			break
		}
		total += n
	}
	return buf[:total]
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

func listCPUs(mask []uint64) string {
	var list []byte
	allowed := func(cpu int) bool { return cpu < 64*len(mask) && mask[cpu/64]&(1<<(cpu%64)) != 0 }
	for cpu := 0; cpu < 64*len(mask); cpu++ {
		if !allowed(cpu) {
			continue
		}
		if len(list) > 0 {
			list = append(list, ',')
		}
		list = strconv.AppendInt(list, int64(cpu), 10)
		if first := cpu; allowed(cpu + 1) {
			for allowed(cpu + 1) {
				cpu++
			}
			if cpu == first+1 {
				list = append(list, ',')
			} else {
				list = append(list, '-')
			}
			list = strconv.AppendInt(list, int64(cpu), 10)
		}
	}
	return string(list)
}
