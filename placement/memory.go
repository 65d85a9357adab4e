package placement

import (
	"path"
	"strconv"
)

// MinAddressSpace is the least RLIMIT_AS, in bytes, with which a Go program
// starts reliably: its runtime reserves about 1.2 GiB of addresses at once,
// whatever it uses. See https://go.dev/issue/38010.
const MinAddressSpace = 1288490189 // 1.2 GiB

// Memory is the memory there is. Nil, in JSON null, means not known; for
// AddressSpace also that there is no limit. All sizes are in bytes.
type Memory struct {
	Total        *int64        `json:"total_bytes"`
	Available    *int64        `json:"available_bytes"`     // without swapping, as the kernel estimates
	AddressSpace *int64        `json:"address_space_bytes"` // RLIMIT_AS (ulimit -v), soft
	Limits       []MemoryLimit `json:"limits"`              // of cgroups, the nearest first
}

// A MemoryLimit is the limit that a cgroup sets for all its processes together.
type MemoryLimit struct {
	Path  string `json:"path"` // the file that says so
	Bytes int64  `json:"bytes"`
}

// Memory reads the memory limits of this process.
func (s System) Memory() Memory {
	m := Memory{Limits: []MemoryLimit{}}
	if text, err := s.read("/proc/meminfo"); err == nil {
		m.Total = kibibytes(number(text, "MemTotal"))
		m.Available = kibibytes(number(text, "MemAvailable"))
	}
	if text, err := s.read("/proc/self/limits"); err == nil {
		m.AddressSpace = number(text, "Max address space")
	}
	for _, g := range s.cgroups(0, "memory") {
		name := "memory.max"
		if g.version == 1 {
			name = "memory.limit_in_bytes"
		}
		for _, dir := range g.dirs {
			file := path.Join(dir, name)
			text, err := s.read(file)
			if err != nil {
				continue
			}
			// Version 2 says "max" for no limit, version 1 the largest multiple of the
			// page size in an int64.
			n, err := strconv.ParseInt(text, 10, 64)
			if err == nil && n < 1<<62 {
				m.Limits = append(m.Limits, MemoryLimit{file, n})
			}
		}
	}
	return m
}

// least is the smallest of the cgroup limits; ok is false where there is none.
func (m Memory) least() (limit MemoryLimit, ok bool) {
	for _, l := range m.Limits {
		if !ok || l.Bytes < limit.Bytes {
			limit, ok = l, true
		}
	}
	return limit, ok
}

func kibibytes(n *int64) *int64 {
	if n != nil {
		*n *= 1024
	}
	return n
}

// OOMKills counts the processes of this process's own cgroup that the kernel
// killed for want of memory, since the cgroup was made. Nil means not
// available. If it rose while a worker that shares the cgroup died of SIGKILL,
// that is evidence, though not proof, of what killed it.
func (s System) OOMKills() *int64 {
	var total *int64
	for _, g := range s.cgroups(0, "memory") {
		name := "memory.events"
		if g.version == 1 {
			name = "memory.oom_control"
		}
		if text, err := s.read(g.dirs[0], name); err == nil {
			sum(&total, number(text, "oom_kill"))
		}
	}
	return total
}
