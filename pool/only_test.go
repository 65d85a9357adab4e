package pool

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"procpool/ipc"
)

// A run over some chunks of a grid computes just these, numbered from 0, whatever was
// finished earlier, and its sum is that of these chunks in order.
func TestOnlySomeChunks(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	for _, backend := range []Backend{Processes, Goroutines, Serial} {
		p := openPool(t, Options{Procs: 3, Backend: backend})
		for range 60 {
			whole := ipc.Interval{Start: 7, End: 7 + r.Int64N(300)}
			grid := []ipc.Grid{ipc.EvenGrid(whole, 1+r.Int64N(40), 3), ipc.ChunkGrid(whole, 1+r.Int64N(9)), ipc.SplitGrid(whole, 5, 1)}[r.IntN(3)]
			var only, earlier ipc.Ledger
			var want float64
			n, left := int64(0), int64(0)
			for iv := range grid.All() {
				if r.IntN(3) == 0 || iv.Len() == 0 {
					continue
				}
				only.Add(iv)
				n++
				want += leibniz(iv)
				if r.IntN(8) == 0 {
					earlier.Add(iv)
					left++
				}
			}
			w := Workload{Task: pi.Spec(), Whole: whole, Grid: grid, Only: &only}
			if left > 0 && r.IntN(2) == 0 {
				w.Earlier = &earlier
			} else {
				left = 0
			}
			var seqs []int64
			w.OnChunk = func(c Chunk) error {
				if !only.Covers(c.Interval) {
					return fmt.Errorf("%v was not asked for", c.Interval)
				}
				seqs = append(seqs, c.Seq)
				return nil
			}
			out, err := p.Run(t.Context(), w)
			if err != nil || out.Chunks != n || out.Earlier != left || !slices.Equal(out.Covered, slices.Collect(only.Runs())) {
				t.Fatalf("%s: %+v of %+v: %+v, %v", backend, slices.Collect(only.Runs()), grid, out, err)
			}
			if left == 0 {
				slices.Sort(seqs)
				for i, seq := range seqs {
					if seq != int64(i) {
						t.Fatalf("%s: chunks are numbered %v", backend, seqs)
					}
				}
				if out.Value != want {
					t.Fatalf("%s: %v, not %v", backend, out.Value, want)
				}
			}
		}
	}
}

func leibniz(iv ipc.Interval) (sum float64) {
	for i := iv.Start; i < iv.End; i++ {
		sum += (4 - 8*float64(i%2)) / float64(2*i+1)
	}
	return sum
}
