package placement

import (
	"path"
	"strconv"

	"procpool/internal/procfs"
)

// MinAddressSpace is the smallest RLIMIT_AS, in bytes, with which a Go program
// starts reliably: its runtime reserves about 1.2 GiB of addresses at once, however
// little it uses. See https://go.dev/issue/38010.
const MinAddressSpace = 1288490189 // 1.2 GiB

// Memory is the memory of the machine and the limits on it, in bytes. Nil (null
// in JSON) means unknown; for AddressSpace it can also mean no limit.
type Memory struct {
	Total        *int64        `json:"total_bytes"`
	Available    *int64        `json:"available_bytes"`     // without swapping, as the kernel estimates it
	AddressSpace *int64        `json:"address_space_bytes"` // soft RLIMIT_AS (ulimit -v)
	Limits       []MemoryLimit `json:"limits"`              // of the process's cgroup and those above it, nearest first
}

// A MemoryLimit is a limit that a cgroup sets for all its processes together.
type MemoryLimit struct {
	Path  string `json:"path"` // file that states it
	Bytes int64  `json:"bytes"`
}

// Memory reads the memory limits of this process.
func (s System) Memory() Memory {
	m := Memory{Limits: []MemoryLimit{}}
	if text, err := s.read("/proc/meminfo"); err == nil {
		m.Total = kibibytes(procfs.Int(text, "MemTotal"))
		m.Available = kibibytes(procfs.Int(text, "MemAvailable"))
	}
	if text, err := s.read("/proc/self/limits"); err == nil {
		m.AddressSpace = procfs.Int(text, "Max address space")
	}
	for _, g := range s.cgroups("memory") {
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
			// Without a limit, version 2 says "max", and version 1 the largest multiple of
			// the page size in an int64.
			n, err := strconv.ParseInt(text, 10, 64)
			if err == nil && n < 1<<62 {
				m.Limits = append(m.Limits, MemoryLimit{file, n})
			}
		}
	}
	return m
}

// least returns the smallest cgroup limit, if there is any.
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

// OOMKills returns how many processes of this process's cgroup the kernel killed
// for lack of memory since the cgroup was created, or nil if that is unknown. If
// the count rises while a worker in the same cgroup dies of SIGKILL, lack of memory
// is the likely cause, though not a proven one.
func (s System) OOMKills() *int64 {
	var total *int64
	for _, g := range s.cgroups("memory") {
		name := "memory.events"
		if g.version == 1 {
			name = "memory.oom_control"
		}
		text, _ := s.read(g.dirs[0], name)
		switch n := procfs.Int(text, "oom_kill"); {
		case total == nil:
			total = n
		case n != nil:
			*total += *n
		}
	}
	return total
}
