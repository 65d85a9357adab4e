// Package tasks are the built-in tasks, one file each. Each is a pure function
// of its interval, the same on every machine, and safe to run on several
// goroutines at once. Beside the sums of pi they are small experiments: each
// stresses one thing that goroutines share and processes do not (or the other
// way round), and says which of the two it expects to win.
package tasks

import (
	"context"

	"procpool/ipc"
)

// steps calls f with pieces of iv, in order, cut at the multiples of size, and
// looks at ctx before each. size is chosen by each task to make a piece take
// about a millisecond.
func steps(ctx context.Context, iv ipc.Interval, size int64, f func(start, end int64) error) error {
	for start := iv.Start; start < iv.End; {
		if err := ctx.Err(); err != nil {
			return err
		}
		// Counted from start, since the next multiple may be beyond int64.
		end := start + min(iv.End-start, size-start%size)
		if err := f(start, end); err != nil {
			return err
		}
		start = end
	}
	return nil
}

// mix is a bijection that looks random: the output function of SplitMix64
// (Steele, Lea, Flood: Fast splittable pseudorandom number generators, 2014).
func mix(x uint64) uint64 {
	x += 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

// wrap adds checksums, modulo 2^64.
func wrap(a, b uint64) uint64 { return a + b }
