package child

import (
	"sync"

	"procpool/placement"
)

// A cpuLog collects the CPUs that this process ran on. It is sampled between
// chunks and a few times a second, so it may miss a short visit.
type cpuLog struct {
	mu   sync.Mutex
	cpus placement.CPUSet
}

// sample records the CPU that runs the caller.
func (l *cpuLog) sample() {
	cpu, ok := placement.CurrentCPU()
	if !ok {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.cpus.Contains(cpu) {
		l.cpus = l.cpus.Or(placement.NewCPUSet(cpu))
	}
}

// String lists the recorded CPUs; it is empty on systems that do not tell.
func (l *cpuLog) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.cpus.String()
}

// allowedCPUs lists the CPUs that this process may run on; it is empty on
// systems that do not tell.
func allowedCPUs() string {
	cpus, _ := placement.ThreadAffinity()
	return cpus.String()
}
