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
