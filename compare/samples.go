package compare

import "math"

// samples are the wall times by cell and round. A cell has all rounds from 0 to
// the last one of its task.
type samples [][]float64

func newSamples(runs []Run, cells int) samples {
	s := make(samples, cells)
	for _, r := range runs { // in the order of rounds
		s[r.Cell] = append(s[r.Cell], r.Wall)
	}
	return s
}

// rounds is the number of rounds that all these cells have.
func (s samples) rounds(cells ...int) int {
	n := math.MaxInt
	for _, c := range cells {
		n = min(n, len(s[c]))
	}
	return n
}

// logRatios are the paired log-ratios of the times of a and b, by round.
func (s samples) logRatios(a, b int) []float64 {
	out := make([]float64, s.rounds(a, b))
	for i := range out {
		out[i] = math.Log(s[a][i] / s[b][i])
	}
	return out
}

// differences are the paired differences of the times of a and b, by round.
func (s samples) differences(a, b int) []float64 {
	out := make([]float64, s.rounds(a, b))
	for i := range out {
		out[i] = s[a][i] - s[b][i]
	}
	return out
}

// minus is x - y, element by element, as far as both go.
func minus(x, y []float64) []float64 {
	out := make([]float64, min(len(x), len(y)))
	for i := range out {
		out[i] = x[i] - y[i]
	}
	return out
}
