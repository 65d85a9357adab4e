package main

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// growth asks whether time is linear: in intervals, and in chunks of the same work.
func growth(b *bench) ([]row, error) {
	most := b.rounds(10, 9)
	intervals, err := b.grow("pi-fast over 10^%d terms", 6, most, func(n string) []string {
		return []string{b.procpool, "run", "--procs", "2", "--task", "pi-fast", n}
	})
	if err != nil {
		return nil, err
	}
	// From 10 chunks on: with one, the second worker would have nothing to do.
	chunks, err := b.grow("pi in 10^%d chunks", 1, b.rounds(6, 5), func(n string) []string {
		k, _ := strconv.Atoi(n)
		return []string{b.procpool, "run", "--procs", "2", "--task", "pi", "--chunk-size", strconv.Itoa(1e8 / k), "1e8"}
	})
	if err != nil {
		return nil, err
	}
	line, chunkLine := fit(intervals), fit(chunks)
	return []row{
		{what: fmt.Sprintf("growth: pi-fast over 10^6 .. 10^%d terms, 2 workers", most), goal: goal{most: 1.25}, text: &text{
			ours: points(intervals), peer: fmt.Sprintf("fit: %.3g ms + %.3g ns a term", line.base, line.slope*1e6),
			ratio: fmt.Sprintf("farthest from the fit: x %.3f", line.worst), value: line.worst}},
		{what: fmt.Sprintf("growth: 10^8 terms of pi in 10 .. 10^%d chunks", b.rounds(6, 5)), goal: goal{most: 0.8}, text: &text{
			ours: points(chunks), peer: fmt.Sprintf("fit: %.3g ms + %.3g µs a chunk", chunkLine.base, chunkLine.slope*1e3),
			ratio: fmt.Sprintf("%.3g µs a chunk", chunkLine.slope*1e3), value: chunkLine.slope * 1e3}},
	}, nil
}

// A point is the median of a command's time at a size.
type point struct{ size, ms float64 }

// grow measures command at the powers of ten from first to last, in turn.
func (b *bench) grow(name string, first, last int, command func(n string) []string) ([]point, error) {
	var all []*contender
	for e := first; e <= last; e++ {
		n := strconv.FormatFloat(math.Pow10(e), 'f', 0, 64)
		all = append(all, timed(fmt.Sprintf(name, e), 1, command(n)...))
	}
	err := b.measure(b.rounds(7, 3), all...)
	var out []point
	for i, c := range all {
		if err == nil {
			out = append(out, point{math.Pow10(first + i), median(c.samples)})
		}
	}
	return out, err
}

func points(ps []point) string {
	var parts []string
	for _, p := range ps {
		parts = append(parts, fmt.Sprintf("%.0e: %s ms", p.size, figure(p.ms)))
	}
	return strings.Join(parts, ", ")
}

// A line is ms = base + slope * size. worst is the largest factor between a
// point and the line.
type line struct{ base, slope, worst float64 }

// fit is the line with the least squares of relative deviations (weights
// 1/ms²): sizes span powers of ten, and every one counts alike.
func fit(ps []point) line {
	var sw, sx, sy, sxx, sxy float64
	for _, p := range ps {
		w := 1 / (p.ms * p.ms)
		sw += w
		sx += w * p.size
		sy += w * p.ms
		sxx += w * p.size * p.size
		sxy += w * p.size * p.ms
	}
	slope := (sw*sxy - sx*sy) / (sw*sxx - sx*sx)
	l := line{base: (sy - slope*sx) / sw, slope: slope, worst: 1}
	for _, p := range ps {
		f := p.ms / (l.base + l.slope*p.size)
		l.worst = max(l.worst, f, 1/f)
	}
	return l
}
