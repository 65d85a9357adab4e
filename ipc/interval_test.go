package ipc

import (
	"slices"
	"testing"
)

func TestSplitGrid(t *testing.T) {
	for _, c := range []struct {
		whole Interval
		parts int
		grain int64
		want  []Interval
	}{
		{Interval{0, 100000000}, 4, 1, []Interval{{0, 25000000}, {25000000, 50000000}, {50000000, 75000000}, {75000000, 100000000}}},
		{Interval{0, 10}, 3, 1, []Interval{{0, 3}, {3, 6}, {6, 10}}},
		{Interval{0, 3}, 4, 1, []Interval{{0, 0}, {0, 0}, {0, 0}, {0, 3}}},
		{Interval{0, 0}, 2, 1, []Interval{{0, 0}, {0, 0}}},
		{Interval{5, 9}, 2, 1, []Interval{{5, 7}, {7, 9}}},
		{Interval{0, 45}, 2, 10, []Interval{{0, 20}, {20, 45}}},
		{Interval{0, 9}, 2, 10, []Interval{{0, 0}, {0, 9}}},
		{Interval{0, MaxIndex}, 2, 1, []Interval{{0, MaxIndex / 2}, {MaxIndex / 2, MaxIndex}}},
		{Interval{0, 9}, 0, 1, nil},
	} {
		got := slices.Collect(SplitGrid(c.whole, c.parts, c.grain).All())
		if !slices.Equal(got, c.want) {
			t.Errorf("SplitGrid(%v, %d, %d) = %v, want %v", c.whole, c.parts, c.grain, got, c.want)
		}
	}
}

func TestEvenGrid(t *testing.T) {
	for _, c := range []struct {
		whole        Interval
		parts, grain int64
		want         []Interval
	}{
		{Interval{0, 10}, 4, 1, []Interval{{0, 3}, {3, 6}, {6, 8}, {8, 10}}},
		{Interval{5, 9}, 2, 1, []Interval{{5, 7}, {7, 9}}},
		{Interval{0, 3}, 4, 1, []Interval{{0, 1}, {1, 2}, {2, 3}}},
		{Interval{0, 55}, 3, 10, []Interval{{0, 20}, {20, 40}, {40, 55}}},
		{Interval{0, 39}, 7, 10, []Interval{{0, 10}, {10, 20}, {20, 39}}},
		{Interval{0, 9}, 2, 10, []Interval{{0, 9}}},
		{Interval{4, 4}, 2, 1, nil},
		{Interval{0, MaxIndex}, 2, 1, []Interval{{0, MaxIndex / 2}, {MaxIndex / 2, MaxIndex}}},
	} {
		got := slices.Collect(EvenGrid(c.whole, c.parts, c.grain).All())
		if !slices.Equal(got, c.want) {
			t.Errorf("EvenGrid(%v, %d, %d) = %v, want %v", c.whole, c.parts, c.grain, got, c.want)
		}
	}
}

func TestChunkGrid(t *testing.T) {
	for _, c := range []struct {
		whole Interval
		size  int64
		n     int64
	}{
		{Interval{0, 10}, 3, 4}, {Interval{7, 10}, 3, 1}, {Interval{0, 0}, 3, 0}, {Interval{0, 10}, 0, 0},
		{Interval{MaxIndex - 5, MaxIndex}, 2, 3}, {Interval{0, MaxIndex}, MaxIndex, 1}, {Interval{0, 12}, 3, 4},
	} {
		g := ChunkGrid(c.whole, c.size)
		if g.N != c.n {
			t.Errorf("ChunkGrid(%v, %d).N = %d, want %d", c.whole, c.size, g.N, c.n)
		}
		next := c.whole.Start
		for iv := range g.All() {
			if iv.Start != next || iv.Len() < 1 || iv.Len() > c.size {
				t.Errorf("ChunkGrid(%v, %d) yields %v after %d", c.whole, c.size, iv, next)
			}
			next = iv.End
		}
		if c.n > 0 && next != c.whole.End {
			t.Errorf("ChunkGrid(%v, %d) ends at %d", c.whole, c.size, next)
		}
	}
}

func TestValidate(t *testing.T) {
	for _, iv := range []Interval{{-1, 0}, {2, 1}, {0, MaxIndex + 1}, {5, -5}} {
		if iv.Validate() == nil {
			t.Errorf("%v is valid", iv)
		}
	}
	for _, iv := range []Interval{{}, {0, MaxIndex}, {MaxIndex, MaxIndex}} {
		if err := iv.Validate(); err != nil {
			t.Error(err)
		}
	}
}

// Within finds the parts that looking at each of them finds.
func TestGridWithin(t *testing.T) {
	for _, g := range []Grid{
		{}, ChunkGrid(Interval{}, 3), ChunkGrid(Interval{2, 14}, 3), ChunkGrid(Interval{2, 15}, 3), ChunkGrid(Interval{0, 2}, 5),
		SplitGrid(Interval{0, 10}, 4, 1), SplitGrid(Interval{1, 3}, 4, 1), SplitGrid(Interval{0, 20}, 3, 4), SplitGrid(Interval{3, 3}, 2, 1),
		EvenGrid(Interval{0, 10}, 4, 1), EvenGrid(Interval{1, 20}, 3, 4), EvenGrid(Interval{2, 21}, 4, 3), EvenGrid(Interval{2, 4}, 4, 3), EvenGrid(Interval{3, 3}, 4, 1),
	} {
		for start := int64(0); start <= 21; start++ {
			for end := start; end <= 21; end++ {
				var first, after int64 = -1, -1
				for p := range g.N {
					if part := g.At(p); part.Len() > 0 && part.Start >= start && part.End <= end {
						if first < 0 {
							first = p
						}
						after = p + 1
					}
				}
				got, gotEnd := g.Within(Interval{start, end})
				if first < 0 && got != gotEnd || first >= 0 && (got != first || gotEnd != after) {
					t.Fatalf("%+v within [%d, %d): [%d, %d), not [%d, %d)", g, start, end, got, gotEnd, first, after)
				}
			}
		}
	}
}
