package tasks

import (
	"context"

	"procpool/ipc"
	"procpool/task"
)

// Alloc allocates memory and drops it. Goroutines share a heap and its collector:
// they stop together, help to mark, and wait for its locks. Each process has its own
// heap, which may grow to 4 MiB before its collector starts, so a part of their
// advantage is that they may use more memory.
var Alloc = task.DefineSum("alloc", alloc, wrap, task.Exact(), task.Version("1"),
	task.About("a checksum over a tree of 127 nodes an index, built on the heap and folded",
		"the allocator and the garbage collector; processes win, with a heap each"),
	task.Causes("one heap for all threads", ""))

func alloc(ctx context.Context, iv ipc.Interval) (uint64, error) {
	var sum uint64
	err := steps(ctx, iv, 256, func(start, end int64) error {
		for i := start; i < end; i++ {
			sum += grow(mix(uint64(i)), 7).fold()
		}
		return nil
	})
	return sum, err
}

type node struct {
	left, right *node
	value       uint64
}

// grow builds the complete tree of 2^height - 1 nodes. The value of a node depends on
// its place, which is numbered as in a heap stored in an array.
func grow(place uint64, height int) *node {
	if height == 0 {
		return nil
	}
	return &node{grow(2*place, height-1), grow(2*place+1, height-1), mix(place)}
}

func (n *node) fold() uint64 {
	if n == nil {
		return 0
	}
	return n.value + 3*n.left.fold() + 5*n.right.fold()
}
