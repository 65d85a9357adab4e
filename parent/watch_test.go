package parent

import (
	"testing"
	"time"
)

// A worker is looked at as often as the limits that count now need, and seldom
// when none does: one short timeout does not cost a wake-up each millisecond for
// ever.
func TestWatchLooksAsOftenAsItMust(t *testing.T) {
	p := &Process{config: Config{Heartbeat: 30 * time.Second, StartupTimeout: 80 * time.Millisecond, Grace: 4 * time.Second, CancelGrace: 2 * time.Second}}
	wants := func(when string, every time.Duration) {
		t.Helper()
		if got := p.tick(); got != every {
			t.Errorf("%s: every %v, want %v", when, got, every)
		}
	}
	wants("before its hello", 10*time.Millisecond)
	p.ready = true
	wants("idle", time.Second)
	p.timeouts = map[uint64]time.Duration{2: 8 * time.Millisecond}
	p.askedBack = map[uint64]bool{3: true, 4: false}
	wants("before the request with a timeout runs", time.Second)
	p.answered = 1
	wants("while it runs", time.Millisecond)
	p.answered = 2
	wants("while a cancelled one runs", 250*time.Millisecond)
	p.answered = 3
	wants("while one runs that was only asked back", time.Second)
	p.ending = true
	wants("while it ends", 500*time.Millisecond)
}
