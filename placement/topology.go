package placement

import (
	"cmp"
	"path"
	"runtime"
	"slices"
	"strconv"
)

// A CPU is one hardware thread and its place in the machine.
type CPU struct {
	ID     int // the number the kernel gives it, as in a CPUSet
	Socket int // counted from 0 over the machine
	Node   int // NUMA node, by the kernel's number
	Core   int // counted from 0 over the machine, across sockets
	Thread int // counted from 0 in its core; above 0 it is an SMT sibling
}

// A Topology is every CPU of the machine that is online, inside the mask or not,
// sorted by socket, NUMA node, core and thread. Sockets, nodes and cores stand in
// the order of their lowest CPU, which is how hwloc and Open MPI number them.
type Topology struct {
	CPUs []CPU
}

// Topology reads the machine from /sys/devices/system. What is not known is
// taken as the simplest machine: each CPU a core of its own, all on one socket
// and node. A CPU of the mask is in it even where /sys does not list it.
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
			c.socket, _ = strconv.Atoi(text) // -1 for all where the firmware does not tell
		}
		// A core is named by its lowest CPU: core_id repeats from socket to socket.
		for sibling := range s.readSet(dir, "thread_siblings_list").All() {
			c.core = sibling
			break
		}
		found = append(found, c)
	}
	return arrange(found)
}

// nodeOfCPU gives the NUMA node of each CPU that has one.
func (s System) nodeOfCPU() map[int]int {
	nodes := map[int]int{}
	for node := range s.readSet("/sys/devices/system/node/online").All() {
		for cpu := range s.readSet("/sys/devices/system/node", "node"+strconv.Itoa(node), "cpulist").All() {
			nodes[cpu] = node
		}
	}
	return nodes
}

// A rawCPU has the kernel's names for its place.
type rawCPU struct{ id, socket, node, core int }

// arrange sorts the CPUs, which come in ascending order of id, and counts
// sockets, cores and threads.
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

// within is the part of the topology that a mask leaves. The numbers stay those
// of the whole machine. A CPU that t does not know counts as one more core, so
// that the zero Topology is a machine without structure.
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

// A core is the CPUs of one core in order of Thread, never empty.
type core []CPU

// cores cuts the CPUs into cores, in order.
func (t Topology) cores() []core {
	return runs[core](t.CPUs, func(c CPU) int { return c.Core })
}

// runs cuts a slice where the key changes. The parts share its memory.
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

// A Summary counts what a Topology consists of.
type Summary struct {
	Sockets int `json:"sockets"`
	Nodes   int `json:"numa_nodes"`
	Cores   int `json:"cores"`
	CPUs    int `json:"cpus"` // hardware threads
}

// Summary counts the parts of t that the mask leaves something of.
func (t Topology) Summary(mask CPUSet) Summary {
	in := t.within(mask)
	sockets, nodes := map[int]bool{}, map[int]bool{}
	for _, c := range in.CPUs {
		sockets[c.Socket], nodes[c.Node] = true, true
	}
	return Summary{len(sockets), len(nodes), len(in.cores()), len(in.CPUs)}
}

// all is the set of the CPUs of t.
func (t Topology) all() CPUSet {
	var s CPUSet
	for _, c := range t.CPUs {
		s.add(c.ID)
	}
	return s
}
