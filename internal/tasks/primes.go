package tasks

import (
	"context"

	"procpool/ipc"
	"procpool/task"
)

// Primes counts primes. The time for an index grows with its square root, so intervals
// of equal length differ in work, and small chunks balance better.
var Primes = task.DefineSum("primes", primes, func(a, b int64) int64 { return a + b }, task.Exact(), task.Version("1"),
	task.About("how many indices are prime, by trial division",
		"uneven cost, later indices being dearer: how work is handed out; a tie, imbalance is equal in both"))

func primes(ctx context.Context, iv ipc.Interval) (int64, error) {
	var count int64
	err := steps(ctx, iv, 64, func(start, end int64) error {
		for i := start; i < end; i++ {
			prime, err := isPrime(ctx, uint64(i))
			if err != nil {
				return err
			}
			if prime {
				count++
			}
		}
		return nil
	})
	return count, err
}

// isPrime divides n by 2 and by the odd numbers up to its square root. Near 2^62 that
// takes seconds, so it checks ctx as well.
func isPrime(ctx context.Context, n uint64) (bool, error) {
	if n < 4 || n%2 == 0 {
		return n == 2 || n == 3, nil
	}
	for d := uint64(3); ; d += 2 {
		quotient := n / d
		if quotient < d {
			return true, nil
		}
		if quotient*d == n {
			return false, nil
		}
		if d%(1<<20) == 1 && ctx.Err() != nil {
			return false, ctx.Err()
		}
	}
}
