package compare

import (
	"os"
	"strconv"
	"strings"
	"time"

	"procpool/placement"
)

// The disturbances of a run, as [Run.Flags] names them.
const (
	flagSteal     = "steal"      // a hypervisor kept CPUs away
	flagThrottled = "throttled"  // a CPU quota did
	flagOthers    = "other load" // other processes did
)

const (
	disturbing = 0.05 // share of the CPU time of a run that somebody else took
	tick       = 0.01 // seconds: the kernel counts in USER_HZ, which is 100 on every system that Go runs on
)

// cpuTimes are what the CPUs that may be used have done since boot, in seconds;
// cpus is 0 where the system does not report it.
type cpuTimes struct {
	cpus      int
	busy      float64 // for any process
	stolen    float64
	throttled float64
}

func readCPUTimes() (t cpuTimes) {
	system := placement.System{}
	if quota := system.Throttling(); quota != nil {
		t.throttled = quota.Seconds
	}
	mask, err := system.Mask()
	if err != nil {
		return t
	}
	stat, err := os.ReadFile("/proc/stat")
	if err != nil {
		return t
	}
	for line := range strings.Lines(string(stat)) {
		t.add(strings.Fields(line), mask)
	}
	return t
}

// add adds a line of /proc/stat if it is about one of the CPUs: its name, then
// ticks of user, nice, system, idle, iowait, irq, softirq, steal (proc_stat(5)).
func (t *cpuTimes) add(fields []string, mask placement.CPUSet) {
	if len(fields) < 9 || !strings.HasPrefix(fields[0], "cpu") {
		return
	}
	cpu, err := strconv.Atoi(fields[0][len("cpu"):])
	if err != nil || cpu >= placement.MaxCPUs || !mask.Contains(cpu) {
		return
	}
	ticks := func(i int) float64 { n, _ := strconv.ParseInt(fields[i], 10, 64); return float64(n) * tick }
	t.cpus++
	t.busy += ticks(1) + ticks(2) + ticks(3) + ticks(6) + ticks(7)
	t.stolen += ticks(8)
}

// flags names what disturbed a run between t and after, which itself used own
// seconds of CPU. Differences below the kernel's accounting tick are ignored.
func (t cpuTimes) flags(after cpuTimes, took time.Duration, own float64) (flags []string) {
	available := took.Seconds() * float64(after.cpus)
	if after.stolen-t.stolen > max(disturbing*available, tick) {
		flags = append(flags, flagSteal)
	}
	if after.throttled > t.throttled {
		flags = append(flags, flagThrottled)
	}
	others := after.busy - t.busy - own
	if after.cpus > 0 && others > disturbing*available+2*tick*float64(after.cpus) {
		flags = append(flags, flagOthers)
	}
	return flags
}
