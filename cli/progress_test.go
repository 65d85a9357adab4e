package cli

import (
	"testing"
	"time"
)

// Who asked for the end and sees nothing happen is told what is waited for.
func TestProgressTellsThatTheRunEnds(t *testing.T) {
	ending := make(chan struct{})
	p := &progress{ending: ending, chunks: 4, done: 1}
	if got := p.line(time.Second); got != "1/4 chunks  25%  1/s  ETA 3s" {
		t.Error(got)
	}
	close(ending)
	if got := p.line(time.Second); got != "1/4 chunks  25%  ending: chunks in flight finish; a second signal stops them" {
		t.Error(got)
	}
}

// A run of few chunks shows the time, and how long it takes still where a chunk
// that is finished tells: by rounds, in which each worker computes one.
func TestProgressOfFewChunks(t *testing.T) {
	p := &progress{chunks: 4, workers: 2}
	for _, c := range []struct {
		elapsed time.Duration
		done    []float64 // seconds that each chunk took
		want    string
	}{
		{2 * time.Second, nil, "2s elapsed"},
		{11 * time.Second, []float64{10}, "11s elapsed  ETA 9s"},
		{21 * time.Second, []float64{12, 8}, "21s elapsed"}, // longer than it was to take
	} {
		for _, seconds := range c.done {
			p.chunk(seconds)
		}
		if got := p.line(c.elapsed); got != c.want {
			t.Errorf("%q, want %q", got, c.want)
		}
	}
}

// What an earlier run finished counts as done, but not as this run's speed.
func TestProgressOfAResumedRun(t *testing.T) {
	p := &progress{chunks: 100, earlier: 80, done: 5}
	if got := p.line(5 * time.Second); got != "85/100 chunks  85%  1/s  ETA 15s" {
		t.Error(got)
	}
}
