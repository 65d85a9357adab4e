// Package tasks has the built-in tasks, one in each file. Each is a pure function of
// its interval, gives the same result on every machine, and can run in several
// goroutines at once. Apart from the sums of pi they are experiments: each stresses
// one thing that goroutines share and processes do not, or the other way round. Its
// description says which of the two it expects to win.
package tasks

import (
	"context"

	"procpool/ipc"
)

// steps cuts iv at the multiples of size and calls f for each piece, in order, until
// ctx is done. Each task chooses size so that a piece takes about a millisecond.
func steps(ctx context.Context, iv ipc.Interval, size int64, f func(start, end int64) error) error {
	for start := iv.Start; start < iv.End; {
		if err := ctx.Err(); err != nil {
			return err
		}
		// The next multiple may not fit in an int64, so count from start.
		end := start + min(iv.End-start, size-start%size)
		if err := f(start, end); err != nil {
			return err
		}
		start = end
	}
	return nil
}

// mix maps x to a number that looks random, without collisions. It is the output
// function of SplitMix64 (Steele, Lea, Flood: Fast splittable pseudorandom number
// generators, 2014).
func mix(x uint64) uint64 {
	x += 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

// wrap adds checksums modulo 2^64.
func wrap(a, b uint64) uint64 { return a + b }
