package compare

import (
	"fmt"
	"os"
	"runtime"
	"strconv"
	"strings"

	"procpool/ipc"
	"procpool/placement"
)

// Environment is what this machine, its managers and this program are, as far as
// they bear on a comparison. The first names are those of the Go benchmark format.
func Environment() []Fact {
	system := placement.System{}
	d := system.Doctor(0)
	facts := []Fact{
		{"goos", runtime.GOOS},
		{"goarch", runtime.GOARCH},
		{"cpu", orUnknown(cpuModel())},
		{"go", runtime.Version()},
		{"build", ipc.Build()},
		{"kernel", orUnknown(d.Kernel)},
		{"cpus", strconv.Itoa(d.Usable.CPUs)},
		{"machine", summary(d.Machine)},
		{"may use", summary(d.Usable)},
		{"limits", limits(d.Limits)},
		{"GOMAXPROCS", strconv.Itoa(runtime.GOMAXPROCS(0))},
	}
	if d.Memory.Total != nil {
		facts = append(facts, Fact{"memory", fmt.Sprintf("%.1f GiB", float64(*d.Memory.Total)/(1<<30))})
	}
	for _, v := range d.Variables {
		facts = append(facts, Fact{"$" + v.Name, v.Value})
	}
	return facts
}

func orUnknown(s string) string {
	if s == "" {
		return "n/a (not told by this system)"
	}
	return s
}

// cpuModel is the name of the first CPU, "" where it is not known.
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
	count := func(n int, what string) string {
		if n != 1 {
			what += "s"
		}
		return strconv.Itoa(n) + " " + what
	}
	return strings.Join([]string{count(s.Sockets, "socket"), count(s.Nodes, "NUMA node"), count(s.Cores, "core"), count(s.CPUs, "CPU")}, ", ")
}

func limits(l placement.Limits) string {
	parts := make([]string, 0, len(l.All))
	for _, one := range l.All {
		parts = append(parts, fmt.Sprintf("%s: %d (%s)", one.By, one.Procs, one.Source))
	}
	return strings.Join(parts, "; ")
}
