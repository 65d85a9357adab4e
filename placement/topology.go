package placement

import (
	"cmp"
	"path"
	"runtime"
	"slices"
	"strconv"
)

// A CPU is a hardware thread and its place in the machine.
type CPU struct {
	ID     int // the kernel's number, as in a CPUSet
	Socket int // numbered from 0 over the machine
	Node   int // the kernel's number of the NUMA node
	Core   int // numbered from 0 over the machine, across sockets
	Thread int // numbered from 0 in its core; SMT siblings are above 0
}

// A Topology has every CPU of the machine that is online, inside the mask or not,
// sorted by socket, NUMA node, core and thread. Sockets, nodes and cores are in the
// order of their lowest CPU, as hwloc and Open MPI number them.
type Topology struct {
	CPUs []CPU
}

// Topology reads the machine from /sys/devices/system. If /sys says nothing about a
// CPU, it is a core of its own on the first socket and node. CPUs of the mask are
// included even if /sys does not list them.
func (s System) Topology() Topology {
	online := s.readSet("/sys/devices/system/cpu/online")
	if mask, err := s.Mask(); err == nil {
		online = online.Or(mask)
	}
	if online.Empty() {
		for c := range runtime.NumCPU() {
			online.add(c)
		}
	}
	nodes := s.nodeOfCPU()
	var found []rawCPU
	for id := range online.All() {
		dir := path.Join("/sys/devices/system/cpu", "cpu"+strconv.Itoa(id), "topology")
		c := rawCPU{id: id, core: id, node: nodes[id]}
		if text, err := s.read(dir, "physical_package_id"); err == nil {
			c.socket, _ = strconv.Atoi(text) // -1 for all CPUs if the firmware does not tell
		}
		// The lowest CPU identifies a core; core_id is only unique within a socket.
		for sibling := range s.readSet(dir, "thread_siblings_list").All() {
			c.core = sibling
			break
		}
		found = append(found, c)
	}
	return arrange(found)
}

// nodeOfCPU maps each CPU to its NUMA node. CPUs without a node are left out.
func (s System) nodeOfCPU() map[int]int {
	nodes := map[int]int{}
	for node := range s.readSet("/sys/devices/system/node/online").All() {
		for cpu := range s.readSet("/sys/devices/system/node", "node"+strconv.Itoa(node), "cpulist").All() {
			nodes[cpu] = node
		}
	}
	return nodes
}

// A rawCPU is a CPU with the kernel's numbers for its socket, node and core.
type rawCPU struct{ id, socket, node, core int }

// arrange sorts the CPUs and numbers their sockets, cores and threads. The CPUs are
// in ascending order of id.
func arrange(cpus []rawCPU) Topology {
	type nodeKey struct{ socket, node int }
	socketFirst, nodeFirst := map[int]int{}, map[nodeKey]int{}
	for _, c := range slices.Backward(cpus) {
		socketFirst[c.socket] = c.id
		nodeFirst[nodeKey{c.socket, c.node}] = c.id
	}
	slices.SortFunc(cpus, func(a, b rawCPU) int {
		return cmp.Or(
			cmp.Compare(socketFirst[a.socket], socketFirst[b.socket]),
			cmp.Compare(nodeFirst[nodeKey{a.socket, a.node}], nodeFirst[nodeKey{b.socket, b.node}]),
			cmp.Compare(a.core, b.core),
			cmp.Compare(a.id, b.id))
	})
	var t Topology
	var now CPU
	for i, c := range cpus {
		if i > 0 {
			last := cpus[i-1]
			sameSocket := c.socket == last.socket
			now.Thread++
			if !sameSocket || c.node != last.node || c.core != last.core {
				now.Core++
				now.Thread = 0
			}
			if !sameSocket {
				now.Socket++
			}
		}
		now.ID, now.Node = c.id, c.node
		t.CPUs = append(t.CPUs, now)
	}
	return t
}

// within returns the CPUs of t that are in mask, numbered as in the whole machine.
// CPUs that t does not know are cores of their own behind those of t.
func (t Topology) within(mask CPUSet) Topology {
	var in Topology
	for _, c := range t.CPUs {
		if mask.Contains(c.ID) {
			in.CPUs = append(in.CPUs, c)
		}
	}
	var next CPU
	if n := len(t.CPUs); n > 0 {
		next = t.CPUs[n-1]
		next.Core++
	}
	for id := range mask.Minus(t.all()).All() {
		in.CPUs = append(in.CPUs, CPU{ID: id, Socket: next.Socket, Node: next.Node, Core: next.Core})
		next.Core++
	}
	return in
}

// A core is the CPUs of one core in order of Thread. It is not empty.
type core []CPU

// cores divides the CPUs into cores, in order.
func (t Topology) cores() []core {
	return runs[core](t.CPUs, func(c CPU) int { return c.Core })
}

// runs splits s where the key changes. The parts share its memory.
func runs[Run ~[]E, E any](s []E, key func(E) int) []Run {
	var parts []Run
	for start := 0; start < len(s); {
		end := start + 1
		for end < len(s) && key(s[end]) == key(s[start]) {
			end++
		}
		parts = append(parts, Run(s[start:end]))
		start = end
	}
	return parts
}

// A Summary counts the parts of a Topology.
type Summary struct {
	Sockets int `json:"sockets"`
	Nodes   int `json:"numa_nodes"`
	Cores   int `json:"cores"`
	CPUs    int `json:"cpus"` // hardware threads
}

// Summary counts the sockets, nodes and cores of t that have a CPU in mask, and
// these CPUs.
func (t Topology) Summary(mask CPUSet) Summary {
	in := t.within(mask)
	sockets, nodes := map[int]bool{}, map[int]bool{}
	for _, c := range in.CPUs {
		sockets[c.Socket], nodes[c.Node] = true, true
	}
	return Summary{len(sockets), len(nodes), len(in.cores()), len(in.CPUs)}
}

// all returns the CPUs of t as a set.
func (t Topology) all() CPUSet {
	var s CPUSet
	for _, c := range t.CPUs {
		s.add(c.ID)
	}
	return s
}
