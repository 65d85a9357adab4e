package kernel

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
)

const maxIndex = int64(1) << 62

// onEveryPath runs f once with each implementation that works on this machine.
func onEveryPath(t *testing.T, f func(t *testing.T, im implementation)) {
	for _, im := range implementations() {
		t.Run(im.name, func(t *testing.T) { f(t, im) })
	}
}

// plain is the loop in the comment of Pi, without code of the package.
func plain(acc float64, start, end int64) float64 {
	for i := start; i < end; i++ {
		numerator := 4.0
		if i%2 == 1 {
			numerator = -4
		}
		acc += numerator / float64(2*i+1)
	}
	return acc
}

func sameBits(a, b float64) bool { return math.Float64bits(a) == math.Float64bits(b) }

func TestPiHasTheTutorialsDigits(t *testing.T) {
	onEveryPath(t, func(t *testing.T, im implementation) {
		const n = 100_000_000
		if got := fmt.Sprintf("%.16f", im.strict(0, 0, n)); got != "3.1415926435893260" {
			t.Errorf("one interval: %s", got)
		}
		sum := 0.0
		for p := range int64(4) {
			sum += im.strict(0, p*n/4, (p+1)*n/4)
		}
		if got := fmt.Sprintf("%.16f", sum); got != "3.1415926435898172" {
			t.Errorf("four intervals: %s", got)
		}
	})
}

// TestPiIsThePlainLoop tests where the assembly starts and ends (odd starts, lengths
// around four, the longest call), and where the conversion to float64 begins to
// round, at 2^53, to carry, and to reach 2^63.
func TestPiIsThePlainLoop(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	var starts []int64
	for _, edge := range []int64{0, 1 << 31, 1 << 32, 1 << 51, 1 << 52, 1 << 53, 1 << 60, 1 << 61, maxIndex} {
		for d := int64(-60); d <= 60; d++ {
			if s := edge + d; s >= 0 && s < maxIndex {
				starts = append(starts, s)
			}
		}
	}
	for range 3000 {
		starts = append(starts, rng.Int64N(maxIndex)>>rng.IntN(62))
	}
	onEveryPath(t, func(t *testing.T, im implementation) {
		for _, start := range starts {
			for _, n := range []int64{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 50 + rng.Int64N(200)} {
				end := start + min(n, maxIndex-start)
				acc := []float64{0, 3.14, -1e-20, 1e300}[rng.IntN(4)]
				if got, want := im.strict(acc, start, end), plain(acc, start, end); !sameBits(got, want) {
					t.Fatalf("Pi(%g, %d, %d) = %b, want %b", acc, start, end, got, want)
				}
			}
		}
		for _, start := range []int64{0, 7, 1<<52 - 300_000, maxIndex - 1_000_001} {
			if got, want := im.strict(0, start, start+1_000_001), plain(0, start, start+1_000_001); !sameBits(got, want) {
				t.Errorf("Pi(0, %d, +1000001) = %b, want %b", start, got, want)
			}
		}
		for _, acc := range []float64{math.NaN(), math.Inf(1), math.Inf(-1)} {
			if got, want := im.strict(acc, 0, 9), plain(acc, 0, 9); !sameBits(got, want) && !math.IsNaN(want) {
				t.Errorf("Pi(%g, 0, 9) = %g, want %g", acc, got, want)
			}
		}
		if got := im.strict(1.5, 9, 3); got != 1.5 {
			t.Errorf("Pi(1.5, 9, 3) = %g, want 1.5: the interval is empty", got)
		}
	})
}

// TestBlockBits has the bits of some blocks, so that machines of different kinds are
// tested against the same ones.
func TestBlockBits(t *testing.T) {
	onEveryPath(t, func(t *testing.T, im implementation) {
		for _, c := range []struct {
			start int64
			bits  uint64
		}{
			{0, 0x400921db54442d98},
			{PiGrain, 0x3effffffff200002},
			{1000 * PiGrain, 0x3dd0c2ad36ed7f8f},
			{1 << 53, 0x3a2fffffffffc000},
			{maxIndex - PiGrain, 0x3910000000000000},
		} {
			if got := math.Float64bits(im.block(c.start)); got != c.bits {
				t.Errorf("block %d has bits %#x, want %#x", c.start, got, c.bits)
			}
		}
	})
}

func TestBlocksAreTheSameOnEveryPath(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	onEveryPath(t, func(t *testing.T, im implementation) {
		for i := range int64(3000) {
			start := rng.Int64N(maxIndex) >> rng.IntN(62)
			if i < 500 {
				start = i * PiGrain
			}
			start -= start % PiGrain
			if got, want := im.block(start), blockGeneric(start); !sameBits(got, want) {
				t.Fatalf("block %d = %b, want %b", start, got, want)
			}
		}
	})
}

// TestPiFastDoesNotDependOnCuts cuts an interval at random multiples of the
// grain and merges the parts in random order.
func TestPiFastDoesNotDependOnCuts(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 6))
	onEveryPath(t, func(t *testing.T, im implementation) {
		for round := range 60 {
			start := rng.Int64N(maxIndex-100*PiGrain) >> rng.IntN(62)
			if round%3 == 0 {
				start = maxIndex - 90*PiGrain + rng.Int64N(PiGrain)
			}
			end := start + rng.Int64N(90*PiGrain)
			end = min(end, maxIndex)
			whole := generic.fast(start, end)

			cuts := []int64{start}
			for at := start - start%PiGrain; at < end; at += PiGrain * (1 + rng.Int64N(20)) {
				if at > start {
					cuts = append(cuts, at)
				}
			}
			cuts = append(cuts, end)
			parts := make([]Accumulator, len(cuts)-1)
			for i := range parts {
				parts[i] = im.fast(cuts[i], cuts[i+1])
			}
			for len(parts) > 1 {
				i := rng.IntN(len(parts) - 1)
				rng.Shuffle(len(parts), func(i, j int) { parts[i], parts[j] = parts[j], parts[i] })
				parts[i].Merge(parts[len(parts)-1])
				parts = parts[:len(parts)-1]
			}
			if parts[0] != whole {
				t.Fatalf("[%d, %d) cut at %v: %v, want %v", start, end, cuts, parts[0], whole)
			}
		}
	})
}

func TestPiFastAtTheEnds(t *testing.T) {
	onEveryPath(t, func(t *testing.T, im implementation) {
		for _, c := range [][2]int64{{0, 0}, {5, 5}, {7, 3}, {maxIndex, maxIndex}} {
			if got := im.fast(c[0], c[1]); got != (Accumulator{}) {
				t.Errorf("PiFast(%d, %d) = %v, want zero", c[0], c[1], got.Value())
			}
		}
		got := im.fast(maxIndex-2*PiGrain-1, maxIndex)
		if rel := distance(got.Value(), exactSum(maxIndex-2*PiGrain-1, maxIndex)) / got.Value(); !(math.Abs(rel) < 4) {
			t.Errorf("PiFast up to 2^62 is off by %g * 2^-53", rel)
		}
	})
}

// TestErrorOfPi checks the documented bound of Pi, and the much smaller one of a random
// walk, which a wrong term or an extra rounding would exceed.
func TestErrorOfPi(t *testing.T) {
	for n := int64(1); n < 20_000_000; n += n/3 + 1 {
		// In units of 2^-53, like both bounds.
		err := math.Abs(distance(Pi(0, 0, n), exactSum(0, n)))
		if proved, walk := 3*float64(n), 8+4*math.Sqrt(float64(n)); !(err <= proved && err <= walk) {
			t.Errorf("%d terms: off by %g * 2^-53", n, err)
		}
	}
}

func TestErrorOfPiFast(t *testing.T) {
	rng := rand.New(rand.NewPCG(7, 8))
	worst := 0.0
	check := func(n int64) {
		sum := PiFast(0, n)
		err := math.Abs(distance(sum.Value(), exactSum(0, n)))
		if !(err <= 8) {
			t.Errorf("%d terms: off by %g * 2^-53", n, err)
		}
		worst = max(worst, err)
	}
	for n := int64(1); n < 200_000_000; n += n/4 + 1 {
		check(n)
	}
	for range 300 {
		check(1 + rng.Int64N(1<<22)>>rng.IntN(22))
		check(PiGrain * (1 + rng.Int64N(100)))
	}
	t.Logf("largest error: %.2f * 2^-53", worst)
}

func TestErrorOfBlocks(t *testing.T) {
	rng := rand.New(rand.NewPCG(9, 10))
	worst := 0.0
	for i := range int64(2000) {
		start := rng.Int64N(maxIndex) >> rng.IntN(62)
		if i < 200 {
			start = i * PiGrain
		}
		start -= start % PiGrain
		got := current().use.block(start)
		rel := math.Abs(distance(got, exactSum(start, start+PiGrain)) / got)
		if !(rel <= 525) {
			t.Errorf("block %d: relative error %g * 2^-53", start, rel)
		}
		worst = max(worst, rel)
	}
	t.Logf("largest relative error: %.2f * 2^-53", worst)
}

func TestNoAllocations(t *testing.T) {
	var sum Accumulator
	if n := testing.AllocsPerRun(10, func() {
		part := PiFast(0, 3*PiGrain+5)
		sum.Merge(part)
		sum.Add(Pi(0, 3, 1000))
	}); n != 0 {
		t.Errorf("%g allocations", n)
	}
	if math.IsNaN(sum.Value()) {
		t.Error("not a number")
	}
}

func BenchmarkPi(b *testing.B) {
	const n = 1_000_000
	for _, im := range implementations() {
		b.Run(im.name, func(b *testing.B) {
			for b.Loop() {
				im.strict(0, 0, n)
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/n, "ns/term")
		})
	}
}

func BenchmarkPiFast(b *testing.B) {
	const n = 256 * PiGrain
	for _, im := range implementations() {
		b.Run(im.name, func(b *testing.B) {
			for b.Loop() {
				im.fast(0, n)
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/n, "ns/term")
		})
	}
}
