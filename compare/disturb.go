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
	tick       = 0.01 // seconds: the kernel accounts in USER_HZ, which is 100 on every system that Go runs on
)

// surroundings are what the CPUs that may be used have been doing so far, in
// seconds; cpus is 0 where the system does not tell.
type surroundings struct {
	cpus      int
	busy      float64 // whoever it was
	stolen    float64
	throttled float64
}

func lookAround() (s surroundings) {
	system := placement.System{}
	if t := system.Throttling(); t != nil {
		s.throttled = t.Seconds
	}
	mask, err := system.Mask()
	if err != nil {
		return s
	}
	stat, err := os.ReadFile("/proc/stat")
	if err != nil {
		return s
	}
	for line := range strings.Lines(string(stat)) {
		s.add(strings.Fields(line), mask)
	}
	return s
}

// add adds a line of /proc/stat if it is about one of the CPUs: its name, then
// ticks of user, nice, system, idle, iowait, irq, softirq, steal (proc_stat(5)).
func (s *surroundings) add(fields []string, mask placement.CPUSet) {
	if len(fields) < 9 || !strings.HasPrefix(fields[0], "cpu") {
		return
	}
	cpu, err := strconv.Atoi(fields[0][len("cpu"):])
	if err != nil || cpu >= placement.MaxCPUs || !mask.Contains(cpu) {
		return
	}
	ticks := func(i int) float64 { n, _ := strconv.ParseInt(fields[i], 10, 64); return float64(n) * tick }
	s.cpus++
	s.busy += ticks(1) + ticks(2) + ticks(3) + ticks(6) + ticks(7)
	s.stolen += ticks(8)
}

// flags names what disturbed a run between two looks, which itself used own
// seconds of CPU. What the coarse clock of the accounts cannot tell from nothing
// is nothing.
func (s surroundings) flags(after surroundings, took time.Duration, own float64) (flags []string) {
	available := took.Seconds() * float64(after.cpus)
	if after.stolen-s.stolen > max(disturbing*available, tick) {
		flags = append(flags, flagSteal)
	}
	if after.throttled > s.throttled {
		flags = append(flags, flagThrottled)
	}
	others := after.busy - s.busy - own
	if after.cpus > 0 && others > disturbing*available+2*tick*float64(after.cpus) {
		flags = append(flags, flagOthers)
	}
	return flags
}
