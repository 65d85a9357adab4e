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
	if got := p.line(time.Second); got != "1/4 chunks  25%  ending: chunks in flight finish, a second signal cuts off" {
		t.Error(got)
	}
}
