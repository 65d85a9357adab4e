package tasks

import (
	"context"
	"encoding/binary"

	"procpool/ipc"
	"procpool/task"
)

// PageFault gets memory from the kernel and returns it. The threads of a process share
// its address space: they wait for the lock of its memory map, and each time memory is
// unmapped, the other cores that run the process must flush their TLBs. Processes have
// an address space each.
var PageFault = task.DefineSum("pagefault", pageFault, wrap, task.Exact(), task.Version("1"),
	task.About("a checksum through 64 KiB an index, mapped, touched and unmapped",
		"the kernel's bookkeeping of one address space; processes win, with one each"),
	task.Causes("one address space for all threads", ""))

const (
	mapBytes   = 64 << 10
	touchBytes = 4 << 10 // the smallest page; fixed, since results may not depend on the machine
)

func pageFault(ctx context.Context, iv ipc.Interval) (uint64, error) {
	var sum uint64
	err := steps(ctx, iv, 64, func(start, end int64) error {
		for i := start; i < end; i++ {
			memory, err := mapMemory()
			if err != nil {
				return err
			}
			sum += touch(memory, mix(uint64(i)))
			if err := unmapMemory(memory); err != nil {
				return err
			}
		}
		return nil
	})
	return sum, err
}

// touch writes to every page and reads it back.
func touch(memory []byte, seed uint64) uint64 {
	for at := 0; at < len(memory); at += touchBytes {
		binary.LittleEndian.PutUint64(memory[at:], mix(seed+uint64(at)))
	}
	var sum uint64
	for at := 0; at < len(memory); at += touchBytes {
		sum += binary.LittleEndian.Uint64(memory[at:])
	}
	return sum
}
