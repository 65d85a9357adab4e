package compare

import (
	"cmp"
	"fmt"
	"os"
	"runtime"
	"strconv"
	"strings"

	"procpool/internal/text"
	"procpool/ipc"
	"procpool/placement"
)

// Environment lists what bears on a comparison: the machine, its limits, the
// program, and environment variables. The first names are those of the Go benchmark
// format.
func Environment() []Fact {
	system := placement.System{}
	d := system.Doctor(0)
	const unknown = "n/a (not reported by this system)"
	facts := []Fact{
		{"goos", runtime.GOOS},
		{"goarch", runtime.GOARCH},
		{"cpu", cmp.Or(cpuModel(), unknown)},
		{"go", runtime.Version()},
		{"build", ipc.Build()},
		{"kernel", cmp.Or(d.Kernel, unknown)},
		{"cpus", strconv.Itoa(d.Usable.CPUs)},
		{"machine", summary(d.Machine)},
		{"may use", summary(d.Usable)},
		{"limits", limits(d.Limits)},
		{"GOMAXPROCS", strconv.Itoa(runtime.GOMAXPROCS(0))},
	}
	if d.Memory.Total != nil {
		facts = append(facts, Fact{"memory", text.Bytes(float64(*d.Memory.Total))})
	}
	for _, v := range d.Variables {
		facts = append(facts, Fact{"$" + v.Name, v.Value})
	}
	return facts
}

// cpuModel is the name of the first CPU, or "" if unknown.
func cpuModel() string {
	info, err := os.ReadFile("/proc/cpuinfo")
	if err != nil {
		return ""
	}
	for line := range strings.Lines(string(info)) {
		if key, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(key) == "model name" {
			return strings.TrimSpace(value)
		}
	}
	return ""
}

func summary(s placement.Summary) string {
	return strings.Join([]string{text.Plural(int64(s.Sockets), "socket"), text.Plural(int64(s.Nodes), "NUMA node"),
		text.Plural(int64(s.Cores), "core"), text.Plural(int64(s.CPUs), "CPU")}, ", ")
}

func limits(l placement.Limits) string {
	parts := make([]string, 0, len(l.All))
	for _, one := range l.All {
		parts = append(parts, fmt.Sprintf("%s: %d (%s)", one.By, one.Procs, one.Source))
	}
	return strings.Join(parts, "; ")
}
