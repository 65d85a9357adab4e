package journal

import (
	"cmp"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"procpool/ipc"
)

func TestParseShare(t *testing.T) {
	for text, want := range map[string]Share{"1/1": {1, 1}, "3/4": {3, 4}, "100000/100000": {100000, 100000}} {
		if s, err := ParseShare(text); err != nil || s != want || s.String() != text {
			t.Errorf("%q gives %v, %v", text, s, err)
		}
	}
	for _, text := range []string{"", "1", "/", "1/", "/4", "0/4", "5/4", "-1/4", "1/0", "1/-4", "1/4/4", "a/b", "1.0/4", "1 /4", "99999999999999999999/4"} {
		if s, err := ParseShare(text); err == nil || !strings.Contains(err.Error(), text) {
			t.Errorf("%q gives %v, %v", text, s, err)
		}
	}
}

// All shares together have the chunks of an undivided run, in order, and the numbers of
// their chunks differ by at most one.
func TestSharesCutTheGrid(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	grids := []ipc.Grid{{}, ipc.SplitGrid(ipc.Interval{Start: 5, End: 8}, 4, 1), ipc.SplitGrid(ipc.Interval{}, 4, 1),
		ipc.ChunkGrid(ipc.Interval{}, 4), ipc.ChunkGrid(ipc.Interval{Start: 0, End: ipc.MaxIndex}, ipc.MaxIndex/7)}
	for range 300 {
		start := r.Int64N(100)
		whole := ipc.Interval{Start: start, End: start + r.Int64N(500)}
		grids = append(grids, ipc.ChunkGrid(whole, 1+r.Int64N(40)), ipc.SplitGrid(whole, 1+r.IntN(60), 1+r.Int64N(4)), ipc.EvenGrid(whole, 1+r.Int64N(60), 1))
	}
	for _, g := range grids {
		h := Header{Task: "t", Interval: g.Whole}
		h.SetGrid(g)
		if err := h.validate(); err != nil {
			t.Fatalf("%+v: %v", g, err)
		}
		var want []ipc.Interval
		for iv := range g.All() {
			if iv.Len() > 0 {
				want = append(want, iv)
			}
		}
		n := 1 + r.Int64N(2*g.N%100+2)
		for _, deal := range []string{"", Cyclic} {
			h.Deal = deal
			var got []ipc.Interval
			least, most := g.N, int64(0)
			for k := int64(1); k <= n; k++ {
				h.Share = Share{k, n}
				p := parts(h)
				got = append(got, p...)
				least, most = min(least, int64(len(p))), max(most, int64(len(p)))
				if c := coverage(&h, h.Covers(), new(ipc.Ledger)); c.Chunks != int64(len(p)) || c.Complete() != (len(p) == 0) {
					t.Fatalf("share %v of %+v has %d chunks, its coverage is %+v", h.Share, g, len(p), c)
				}
			}
			if deal == "" && !slices.Equal(got, want) {
				t.Fatalf("%d shares of %+v are not in order", n, g)
			}
			slices.SortFunc(got, func(a, b ipc.Interval) int { return cmp.Compare(a.Start, b.Start) })
			if !slices.Equal(got, want) || g.Size > 0 && most-least > 1 {
				t.Fatalf("%d shares of %+v, dealt %q, have %d chunks of %d, from %d to %d each", n, g, deal, len(got), len(want), least, most)
			}
		}
	}
}

// The grid of shares comes from N alone: 64 chunks a share, whose sizes are within one
// grain of each other. Only the last may be ragged.
func TestGridOfShares(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	for range 2000 {
		whole := ipc.Interval{End: r.Int64N(1 + r.Int64N(ipc.MaxIndex))}
		n, grain := 1+r.Int64N(500), 1+r.Int64N(20000)
		if r.IntN(2) == 0 {
			whole.End %= 100 * grain * n
		}
		g := Share{1, n}.Grid(whole, grain)
		if want := max(min(64*n, whole.Len()/grain), min(whole.Len(), 1)); g.N != want {
			t.Fatalf("%d shares of %v with grain %d have %d chunks, not %d", n, whole, grain, g.N, want)
		}
		for _, p := range []int64{0, g.Longer - 1, g.Longer, g.N / 2, g.N - 2, g.N - 1} {
			if p < 0 || p >= g.N {
				continue
			}
			iv := g.At(p)
			if least := g.At(g.N-1).Len() / grain * grain; iv.Len() < min(least, g.Size) || iv.Len() >= g.Size+2*grain || p < g.N-1 && iv.Len()%grain != 0 {
				t.Fatalf("chunk %d of %+v is %v", p, g, iv)
			}
			if g.Find(iv.Start) != p || g.Find(iv.End-1) != p || p > 0 && g.At(p-1).End != iv.Start {
				t.Fatalf("chunk %d of %+v is %v, but Find gives %d and %d", p, g, iv, g.Find(iv.Start), g.Find(iv.End-1))
			}
		}
	}
}

func TestSharesInWords(t *testing.T) {
	grid := ipc.ChunkGrid(ipc.Interval{End: 100}, 10)
	for _, c := range []struct {
		deal string
		n    int64
		gaps []ipc.Interval
		want string
	}{
		{"", 3, []ipc.Interval{{Start: 0, End: 10}}, "share 1/3"},
		{"", 3, []ipc.Interval{{Start: 30, End: 60}}, "shares 1-2 of 3"},
		{"", 10, []ipc.Interval{{Start: 0, End: 10}, {Start: 40, End: 70}}, "shares 1,5-7 of 10"},
		{Cyclic, 3, []ipc.Interval{{Start: 30, End: 40}}, "share 1/3"},
		{Cyclic, 3, []ipc.Interval{{Start: 0, End: 10}, {Start: 30, End: 40}}, "share 1/3"},
		{Cyclic, 4, []ipc.Interval{{Start: 30, End: 50}}, "shares 1,4 of 4"},
		{Cyclic, 4, []ipc.Interval{{Start: 20, End: 60}}, "shares 1-4 of 4"},
	} {
		if got := sharesOf(grid, c.n, c.deal, c.gaps); got != c.want {
			t.Errorf("%v of %d shares, dealt %q: %s, want %s", c.gaps, c.n, c.deal, got, c.want)
		}
	}
}
