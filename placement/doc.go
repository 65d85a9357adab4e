// Package placement answers on which CPUs the workers may run: which CPUs this
// process was given, how many workers that is and who decided, which CPUs each
// worker is bound to, and what really happened to a process afterwards.
//
// Read it in this order: a [CPUSet] is a set of CPU numbers; a [System] is where
// facts are read from, [System.Limits] decides the number of workers,
// [System.Topology] knows sockets, NUMA nodes, cores and SMT siblings, [NewBinding]
// gives every worker its CPUs, [Report] shows them, [System.Activity] looks at a
// running process, and [System.Doctor] collects everything on one screen.
//
// Everything but [ThreadAffinity] and [SetThreadAffinity] is pure: it reads
// through a System, which a test replaces by a tree in memory.
package placement
