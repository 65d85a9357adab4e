package child

import (
	"strconv"
	"sync"
)

// A cpusSeen collects the CPUs on which this process was seen: a look between
// chunks and a few times a second, so a short visit may be missed.
type cpusSeen struct {
	mu   sync.Mutex
	mask []uint64
}

// look notes the CPU that runs the caller.
func (c *cpusSeen) look() {
	cpu := currentCPU()
	if cpu < 0 {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for cpu/64 >= len(c.mask) {
		c.mask = append(c.mask, 0)
	}
	c.mask[cpu/64] |= 1 << (cpu % 64)
}

// list is what was seen, as taskset -c has it; "" if unknown.
func (c *cpusSeen) list() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return listCPUs(c.mask)
}

// listCPUs prints a mask as taskset -c does.
func listCPUs(mask []uint64) string {
	var list []byte
	allowed := func(cpu int) bool { return cpu < 64*len(mask) && mask[cpu/64]&(1<<(cpu%64)) != 0 }
	for cpu := 0; cpu < 64*len(mask); cpu++ {
		if !allowed(cpu) {
			continue
		}
		if len(list) > 0 {
			list = append(list, ',')
		}
		list = strconv.AppendInt(list, int64(cpu), 10)
		if first := cpu; allowed(cpu + 1) {
			for allowed(cpu + 1) {
				cpu++
			}
			if cpu == first+1 {
				list = append(list, ',')
			} else {
				list = append(list, '-')
			}
			list = strconv.AppendInt(list, int64(cpu), 10)
		}
	}
	return string(list)
}
