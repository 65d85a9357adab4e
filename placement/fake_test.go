package placement

import (
	"errors"
	"fmt"
	"maps"
	"strings"
	"testing/fstest"
)

// files is a fake file system: absolute paths and their text.
type files map[string]string

// system returns a machine with these files. mask is a CPU list; an empty one means
// a system without masks. env has the environment as NAME=VALUE.
func (f files) system(mask string, env ...string) System {
	tree := fstest.MapFS{"proc/self/limits": &fstest.MapFile{}}
	for name, text := range f {
		tree[fsPath(name)] = &fstest.MapFile{Data: []byte(text + "\n")}
	}
	return System{
		FS: tree,
		Getenv: func(name string) string {
			for _, e := range env {
				if v, ok := strings.CutPrefix(e, name+"="); ok {
					return v
				}
			}
			return ""
		},
		Affinity: func() (CPUSet, error) {
			if mask == "" {
				return CPUSet{}, errors.ErrUnsupported
			}
			return set(mask), nil
		},
	}
}

func (f files) with(more files) files {
	all := maps.Clone(f)
	maps.Copy(all, more)
	return all
}

func set(list string) CPUSet {
	s, err := ParseCPUSet(list)
	if err != nil {
		panic(err)
	}
	return s
}

// machine returns the /sys of a machine with a number of sockets, NUMA nodes per
// socket, cores per node and threads per core. CPUs are numbered as by Linux on x86:
// first one thread of every core, socket by socket, then the second threads in the
// same order.
func machine(sockets, nodes, cores, threads int) files {
	const cpu, node = "/sys/devices/system/cpu", "/sys/devices/system/node"
	total := sockets * nodes * cores
	f := files{
		cpu + "/online":  fmt.Sprintf("0-%d", total*threads-1),
		node + "/online": fmt.Sprintf("0-%d", sockets*nodes-1),
	}
	inNode := make([]CPUSet, sockets*nodes)
	for c := range total {
		var siblings CPUSet
		for t := range threads {
			siblings.add(c + t*total)
			inNode[c/cores].add(c + t*total)
		}
		for t := range threads {
			dir := fmt.Sprintf("%s/cpu%d/topology", cpu, c+t*total)
			f[dir+"/physical_package_id"] = fmt.Sprint(c / (nodes * cores))
			f[dir+"/thread_siblings_list"] = siblings.String()
		}
	}
	for n, cpus := range inNode {
		f[fmt.Sprintf("%s/node%d/cpulist", node, n)] = cpus.String()
	}
	return f
}
