package placement

import (
	"fmt"
	"runtime"
	"strings"
	"testing"
)

// at returns every CPU as ID:socket/node/core/thread.
func at(t Topology) string {
	var all []string
	for _, c := range t.CPUs {
		all = append(all, fmt.Sprintf("%d:%d/%d/%d/%d", c.ID, c.Socket, c.Node, c.Core, c.Thread))
	}
	return strings.Join(all, " ")
}

func TestTopology(t *testing.T) {
	const dir = "/sys/devices/system/"
	for _, c := range []struct {
		name  string
		files files
		mask  string
		want  string
	}{
		{"one socket", machine(1, 1, 2, 1), "0-1", "0:0/0/0/0 1:0/0/1/0"},
		{"the mask does not hide the machine", machine(1, 1, 2, 1), "1", "0:0/0/0/0 1:0/0/1/0"},
		{"SMT", machine(1, 1, 2, 2), "0-3", "0:0/0/0/0 2:0/0/0/1 1:0/0/1/0 3:0/0/1/1"},
		{"two sockets", machine(2, 1, 2, 1), "0-3", "0:0/0/0/0 1:0/0/1/0 2:1/1/2/0 3:1/1/3/0"},
		{"two NUMA nodes a socket", machine(2, 2, 1, 1), "0-3", "0:0/0/0/0 1:0/1/1/0 2:1/2/2/0 3:1/3/3/0"},
		{"alternating sockets", machine(1, 1, 4, 1).with(files{
			dir + "cpu/cpu1/topology/physical_package_id": "1",
			dir + "cpu/cpu3/topology/physical_package_id": "1",
		}), "0-3", "0:0/0/0/0 2:0/0/1/0 1:1/0/2/0 3:1/0/3/0"},
		{"sockets with odd numbers", machine(1, 1, 2, 1).with(files{
			dir + "cpu/cpu0/topology/physical_package_id": "36",
			dir + "cpu/cpu1/topology/physical_package_id": "0",
		}), "0-1", "0:0/0/0/0 1:1/0/1/0"},
		{"CPUs offline", machine(1, 1, 4, 1).with(files{dir + "cpu/online": "0,2-3"}), "0,2-3",
			"0:0/0/0/0 2:0/0/1/0 3:0/0/2/0"},
		{"firmware that does not tell", files{
			dir + "cpu/online": "0-1",
			dir + "cpu/cpu0/topology/physical_package_id": "-1",
			dir + "cpu/cpu1/topology/physical_package_id": "-1",
		}, "0-1", "0:0/0/0/0 1:0/0/1/0"},
		{"a memory-only node", machine(1, 1, 1, 1).with(files{
			dir + "node/online":        "0-1",
			dir + "node/node1/cpulist": "",
		}), "0", "0:0/0/0/0"},
		{"no /sys", files{}, "3,5", "3:0/0/0/0 5:0/0/1/0"},
		{"a /sys that hides CPUs", machine(1, 1, 1, 1), "0,7", "0:0/0/0/0 7:0/0/1/0"},
	} {
		if got := at(c.files.system(c.mask).Topology()); got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
	}
	if got := len((files{}).system("").Topology().CPUs); got != runtime.NumCPU() {
		t.Errorf("without /sys and a mask: %d CPUs, want %d", got, runtime.NumCPU())
	}
}

func TestSummary(t *testing.T) {
	topology := machine(2, 2, 4, 2).system("0").Topology()
	for mask, want := range map[string]Summary{
		"0-31":      {Sockets: 2, Nodes: 4, Cores: 16, CPUs: 32},
		"0-3,16-19": {Sockets: 1, Nodes: 1, Cores: 4, CPUs: 8},
		"0,8":       {Sockets: 2, Nodes: 2, Cores: 2, CPUs: 2},
		"0,16":      {Sockets: 1, Nodes: 1, Cores: 1, CPUs: 2},
	} {
		if got := topology.Summary(set(mask)); got != want {
			t.Errorf("mask %s: %+v, want %+v", mask, got, want)
		}
	}
}
