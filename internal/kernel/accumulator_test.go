package kernel

import (
	"bytes"
	"math"
	"math/big"
	"math/rand/v2"
	"testing"
)

// randomFloat returns a multiple of 2^-192 below 2^55 in magnitude. It often cancels
// most of another one.
func randomFloat(rng *rand.Rand) float64 {
	mantissa := rng.Uint64() >> (11 + rng.IntN(53))
	if rng.IntN(4) == 0 {
		mantissa = 1 << rng.IntN(53)
	}
	x := math.Ldexp(float64(mantissa), -192+rng.IntN(195))
	if rng.IntN(2) == 0 {
		x = -x
	}
	return x
}

func TestAccumulatorIsExact(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 1))
	for range 5000 {
		exact := newFloat()
		var a, b Accumulator
		var values []float64
		for range 1 + rng.IntN(12) {
			x := randomFloat(rng)
			values = append(values, x)
			exact.Add(exact, newFloat().SetFloat64(x))
			a.Add(x)
		}
		want, _ := exact.Float64()
		if got := a.Value(); !sameBits(got, want+0) {
			t.Fatalf("sum of %g is %b, want %b", values, got, want)
		}
		rng.Shuffle(len(values), func(i, j int) { values[i], values[j] = values[j], values[i] })
		split := rng.IntN(len(values) + 1)
		var c Accumulator
		for _, x := range values[:split] {
			b.Add(x)
		}
		for _, x := range values[split:] {
			c.Add(x)
		}
		b.Merge(c)
		if a != b {
			t.Fatalf("sum of %g in another order is %v, want %v", values, b, a)
		}
	}
}

func TestValueRoundsToNearestEven(t *testing.T) {
	tiny := math.Ldexp(1, -192)
	for _, c := range []struct {
		sum  []float64
		want float64
	}{
		{nil, 0},
		{[]float64{math.Copysign(0, -1)}, 0},
		{[]float64{1, -1}, 0},
		{[]float64{1, 0x1p-53}, 1},
		{[]float64{1, 0x1p-53, tiny}, 1 + 0x1p-52},
		{[]float64{1, 0x1p-53, -tiny}, 1},
		{[]float64{1 + 0x1p-52, 0x1p-53}, 1 + 0x1p-51},
		{[]float64{-1, -0x1p-53}, -1},
		{[]float64{-1, -0x1p-53, -tiny}, -1 - 0x1p-52},
		{[]float64{tiny}, tiny},
		{[]float64{-tiny}, -tiny},
		{[]float64{0x1p62, tiny}, 0x1p62},
		{[]float64{-0x1p62, -0x1p62}, -0x1p63},
		{[]float64{0x1p62, 0x1p61, 0x1p60, 0x1p10 - 0x1p-40, -tiny}, 0x1p62 + 0x1p61 + 0x1p60 + 0x1p10},
		{[]float64{0x1.fffffffffffffp62, 0x1p9}, 0x1p63}, // rounds up to a power of two
	} {
		var a Accumulator
		for _, x := range c.sum {
			a.Add(x)
		}
		if got := a.Value(); !sameBits(got, c.want) {
			t.Errorf("sum of %g is %b, want %b", c.sum, got, c.want)
		}
	}
}

// TestWhatDoesNotFitIsNaN also checks values that just fit.
func TestWhatDoesNotFitIsNaN(t *testing.T) {
	for _, c := range []struct {
		sum []float64
		nan bool
	}{
		{[]float64{math.NaN()}, true},
		{[]float64{math.Inf(1)}, true},
		{[]float64{math.Inf(-1)}, true},
		{[]float64{math.MaxFloat64}, true},
		{[]float64{math.SmallestNonzeroFloat64}, true},
		{[]float64{0x1p-1022}, true},
		{[]float64{0x1p-193}, true},
		{[]float64{0x1p-192}, false},
		{[]float64{3 * 0x1p-193}, true},
		{[]float64{0x1.0000000000001p-140}, false},
		{[]float64{0x1.0000000000001p-141}, true},
		{[]float64{0x1p63}, true},
		{[]float64{-0x1p63}, true},
		{[]float64{0x1.fffffffffffffp62}, false},
		{[]float64{0x1p62, 0x1p62}, true},
		{[]float64{0x1p62, 0x1.fffffffffffffp61}, false},
		{[]float64{-0x1p62, -0x1p62, -0x1p-192}, true},
		{[]float64{math.NaN(), 1, -1}, true}, // NaN stays NaN
	} {
		var a, all Accumulator
		for _, x := range c.sum {
			a.Add(x)
		}
		if got := math.IsNaN(a.Value()); got != c.nan {
			t.Errorf("sum of %g is %g", c.sum, a.Value())
		}
		all.Add(1)
		all.Merge(a)
		all.Merge(Accumulator{})
		if got := math.IsNaN(all.Value()); got != c.nan {
			t.Errorf("1 + sum of %g is %g", c.sum, all.Value())
		}
		if c.nan && a != notANumber {
			t.Errorf("sum of %g is another NaN than others", c.sum)
		}
	}
}

func TestAccumulatorTravels(t *testing.T) {
	rng := rand.New(rand.NewPCG(2, 2))
	accumulators := []Accumulator{{}, notANumber, fixed(1), fixed(-1), fixed(0x1p-192), fixed(-0x1p-192),
		fixed(127), fixed(128), fixed(-128), fixed(-129), {limbs: [4]uint64{0, 0, 0, 1 << 63}}, {limbs: [4]uint64{1, 0, 0, 1 << 63}}}
	for range 5000 {
		var a Accumulator
		for range 1 + rng.IntN(3) {
			a.Add(randomFloat(rng))
		}
		accumulators = append(accumulators, a)
	}
	seen := map[string]Accumulator{}
	for _, a := range accumulators {
		data, err := a.AppendBinary([]byte("before"))
		if err != nil || !bytes.HasPrefix(data, []byte("before")) || len(data) > 6+33 {
			t.Fatalf("%v is encoded as %x, %v", a, data, err)
		}
		data = data[6:]
		if b, ok := seen[string(data)]; ok && a != b {
			t.Fatalf("%v and %v have the same bytes", a, b)
		}
		seen[string(data)] = a
		got := fixed(42)
		if err := got.UnmarshalBinary(data); err != nil || got != a {
			t.Fatalf("%v comes back from %x as %v, %v", a, data, got, err)
		}
	}
}

func TestEncodingIsTheDocumentedOne(t *testing.T) {
	for _, c := range []struct {
		a    Accumulator
		want []byte
	}{
		{Accumulator{}, []byte{0}},
		{notANumber, []byte{255}},
		{fixed(1), []byte{24, 1}},
		{fixed(-1), []byte{24, 255}},
		{fixed(128), []byte{24, 0, 128}},
		{fixed(-128), []byte{24, 128}},
		{fixed(-1.5), []byte{23, 254, 128}},
		{fixed(0x1p-192), []byte{0, 1}},
	} {
		if got, _ := c.a.AppendBinary(nil); !bytes.Equal(got, c.want) {
			t.Errorf("%g is encoded as %v, want %v", c.a.Value(), got, c.want)
		}
	}
}

func TestHostileBytes(t *testing.T) {
	for _, data := range [][]byte{
		nil, {1}, {254}, {0, 0}, {24, 1, 0}, {24, 0, 1}, {24, 255, 128}, {32, 1}, {255, 1}, {31, 1, 1},
		make([]byte, 33), append(make([]byte, 33), 1), bytes.Repeat([]byte{1}, 34), bytes.Repeat([]byte{7}, 1000),
	} {
		a := fixed(42)
		if err := a.UnmarshalBinary(data); err == nil || a != fixed(42) {
			t.Errorf("%x is taken for %v", data, a)
		}
	}
}

func FuzzUnmarshalBinary(f *testing.F) {
	for _, x := range []float64{0, 1, -1, 3.14, math.NaN(), -0x1p-192} {
		data, _ := fixed(x).AppendBinary(nil)
		f.Add(data)
	}
	f.Add([]byte{24, 255, 128})
	f.Fuzz(func(t *testing.T, data []byte) {
		var a Accumulator
		if a.UnmarshalBinary(data) != nil {
			return
		}
		if again, _ := a.AppendBinary(nil); !bytes.Equal(again, data) {
			t.Errorf("%x is taken for %v, which is %x", data, a, again)
		}
		if a.nan {
			return
		}
		want, _ := a.big().Float64()
		if got := a.Value(); !sameBits(got, want) {
			t.Errorf("value of %x is %b, want %b", data, got, want)
		}
	})
}

// big returns the sum as a big.Float, computed by the definition of two's complement.
func (a Accumulator) big() *big.Float {
	sum := newFloat()
	for i, limb := range a.limbs {
		part := newFloat().SetUint64(limb)
		if i == 3 {
			part.SetInt64(int64(limb))
		}
		sum.Add(sum, part.SetMantExp(part, 64*i-192))
	}
	return sum
}
