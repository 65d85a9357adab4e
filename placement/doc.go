// Package placement decides where workers run: which CPUs this process may use,
// how many workers that allows and why, and which CPUs each worker is bound to.
//
//   - A [CPUSet] is a set of CPU numbers.
//   - A [System] reads the facts: [System.Mask], [System.Topology], [System.Quotas]
//     and [System.Memory].
//   - [System.Limits] decides the number of workers.
//   - [NewBinding] gives each worker its CPUs, and [Report] prints them.
//   - [System.Doctor] collects everything on one screen.
//   - [ThreadAffinity], [SetThreadAffinity] and [CurrentCPU] ask the kernel.
//
// Only these last three touch the real machine directly. Everything else reads
// through a System, which tests replace by files in memory.
package placement
