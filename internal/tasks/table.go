package tasks

import (
	"context"
	"math/bits"
	"sync"

	"procpool/ipc"
	"procpool/task"
)

// Table reads a large table. Goroutines share one of 8 MiB. Each process builds its
// own, which takes about 30 ms, and the tables of all processes compete for the
// last-level cache. 8 MiB is more than the private caches of most cores, and a
// fraction of the shared cache of most servers. The size is fixed because results must
// not depend on the machine.
var Table = task.DefineSum("table", table, wrap, task.Exact(), task.Version("1"),
	task.About("a checksum over walks of 64 hops an index through a fixed random permutation of 8 MiB",
		"read-only data in the caches; goroutines win, one table serves them all while each process builds its own"),
	task.Causes("", "each process builds its own table"))

const (
	tableEntries = 1 << 21 // of four bytes
	tableHops    = 64
)

func table(ctx context.Context, iv ipc.Interval) (uint64, error) {
	next := permutation()
	var sum uint64
	err := steps(ctx, iv, 256, func(start, end int64) error {
		for i := start; i < end; i++ {
			at := uint32(mix(uint64(i)) % tableEntries)
			for range tableHops {
				at = next[at%tableEntries]
			}
			sum += uint64(at)
		}
		return nil
	})
	return sum, err
}

// permutation returns a permutation with a single cycle (Sattolo's shuffle, 1986), so
// that no walk stays in a small part of the table. The first call builds it; after that
// it does not change.
var permutation = sync.OnceValue(func() *[tableEntries]uint32 {
	next := new([tableEntries]uint32)
	for i := range next {
		next[i] = uint32(i)
	}
	for i := uint64(tableEntries - 1); i > 0; i-- {
		j, _ := bits.Mul64(mix(i), i) // below i
		next[i], next[j] = next[j], next[i]
	}
	return next
})
