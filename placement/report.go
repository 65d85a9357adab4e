package placement

import (
	"fmt"
	"strings"
)

// Report returns a line for each worker that shows its CPUs, in the format of
// mpirun --report-bindings (Open MPI 1.7 to 4.1) followed by the CPU list:
//
//	worker 0 bound to socket 0[core 0[hwt 0]]: [B./..][../..] cpus 0
//
// Brackets enclose sockets, / separates cores, and each character is a hardware
// thread: B if the worker may use it. As in Open MPI, sockets and cores are
// numbered over the machine, and a worker with the whole mask, or with the empty
// set, is not bound.
func Report(workers []CPUSet, mask CPUSet, t Topology) []string {
	var lines []string
	for w, cpus := range workers {
		if cpus.Empty() || cpus.Equal(mask) {
			lines = append(lines, fmt.Sprintf("worker %d is not bound (or bound to all available processors) cpus %v", w, mask))
			continue
		}
		lines = append(lines, fmt.Sprintf("worker %d bound to %s: %s cpus %v", w, names(cpus, t), layout(cpus, t), cpus))
	}
	return lines
}

// names lists the cores of cpus, and the threads of each.
func names(cpus CPUSet, t Topology) string {
	var parts []string
	for _, c := range t.within(cpus).cores() {
		var threads CPUSet
		for _, cpu := range c {
			threads.add(cpu.Thread)
		}
		parts = append(parts, fmt.Sprintf("socket %d[core %d[hwt %v]]", c[0].Socket, c[0].Core, threads))
	}
	return strings.Join(parts, ", ")
}

// layout draws the machine and marks cpus in it.
func layout(cpus CPUSet, t Topology) string {
	var b strings.Builder
	whole := t.within(t.all().Or(cpus))
	for _, socket := range runs[[]core](whole.cores(), func(c core) int { return c[0].Socket }) {
		b.WriteByte('[')
		for i, c := range socket {
			if i > 0 {
				b.WriteByte('/')
			}
			for _, cpu := range c {
				if cpus.Contains(cpu.ID) {
					b.WriteByte('B')
				} else {
					b.WriteByte('.')
				}
			}
		}
		b.WriteByte(']')
	}
	return b.String()
}
