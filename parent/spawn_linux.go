package parent

import (
	"bytes"
	"os"
	"strconv"
	"syscall"

	"procpool/parent/placement"
)

// startBound starts the program that this process runs, also when its file has
// been replaced or deleted since. The process inherits the mask of this thread,
// so it is bound before its runtime counts its CPUs.
func startBound(c command, attr *os.ProcAttr) (*os.Process, error) {
	if !c.cpus.Empty() {
		mask, err := placement.ThreadAffinity()
		if err != nil {
			return nil, err
		}
		if err := placement.SetThreadAffinity(c.cpus); err != nil {
			return nil, err
		}
		defer placement.SetThreadAffinity(mask)
	}
	return os.StartProcess("/proc/self/exe", argv(c), attr)
}

// procAttr has the kernel end a worker with the thread that starts it: a
// parent that is killed leaves nobody behind, however busy they are.
func procAttr() *syscall.SysProcAttr { return &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL} }

func residentSet(pid int) int64 {
	statm, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/statm")
	if err != nil {
		return 0
	}
	fields := bytes.Fields(statm)
	if len(fields) < 2 {
		return 0
	}
	pages, _ := strconv.ParseInt(string(fields[1]), 10, 64)
	return pages * int64(os.Getpagesize())
}

func oomKills() int64 {
	if n := (placement.System{}).OOMKills(); n != nil {
		return *n
	}
	return 0
}
