package compare

import "math/rand/v2"

// A square makes the orders in which the cells of one task run, round after round.
// Each block of n rounds is a Latin square: every cell is once in each position. It
// is the cyclic square over the zigzag 0, 1, n-1, 2, n-2, ..., in which, for even
// n, every cell also follows every other one exactly once (Williams 1949), so the
// contents of caches that a cell leaves behind affect all others alike. Every block
// relabels the cells and shuffles the rows.
type square struct {
	rng  *rand.Rand
	rows [][]int // what is left of the block
	n    int
}

func newSquare(n int, rng *rand.Rand) *square { return &square{rng: rng, n: n} }

// next is the order of the next round, and whether it ends a block.
func (s *square) next() (order []int, last bool) {
	if len(s.rows) == 0 {
		s.rows = s.block()
	}
	order, s.rows = s.rows[0], s.rows[1:]
	return order, len(s.rows) == 0
}

func (s *square) block() [][]int {
	label := s.rng.Perm(s.n)
	rows := make([][]int, s.n)
	for i, shift := range s.rng.Perm(s.n) {
		rows[i] = make([]int, s.n)
		for j := range s.n {
			zigzag := (j + 1) / 2
			if j%2 == 0 && j > 0 {
				zigzag = s.n - j/2
			}
			rows[i][j] = label[(zigzag+shift)%s.n]
		}
	}
	return rows
}
