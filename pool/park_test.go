package pool

import (
	"testing"
	"testing/synctest"
	"time"

	"procpool/ipc"
)

// Workers without work are ended, down to MinProcs, and come back when there is some.
func TestIdleWorkersAreEnded(t *testing.T) {
	for _, least := range []int{0, 2} {
		synctest.Test(t, func(t *testing.T) {
			system := newFakeSystem(nil)
			p := system.open(t, Options{Procs: 4, IdleTimeout: time.Minute, MinProcs: least, Heartbeat: -1})
			defer p.Close()
			running := func() (n int) {
				for _, w := range system.Workers() {
					select {
					case <-w.Process.Gone:
					default:
						n++
					}
				}
				return n
			}
			for range 3 {
				if _, err := Sum(t.Context(), p, pi, ipc.Interval{End: 4 * span}); err != nil {
					t.Fatal(err)
				}
				time.Sleep(30 * time.Second)
				if n := running(); n != 4 {
					t.Errorf("%d workers run after half the time", n)
				}
				time.Sleep(5 * time.Minute)
				if n := running(); n != least {
					t.Errorf("%d idle workers are left, not %d", n, least)
				}
			}
			if lost := system.of(WorkerLost); len(lost) > 0 {
				t.Error(lost)
			}
		})
	}
}

// One input needs one worker, whoever sleeps.
func TestParkedWorkersComeBackAsTheyAreNeeded(t *testing.T) {
	p := openPool(t, Options{Procs: 3, IdleTimeout: 20 * time.Millisecond})
	for i := range 5 {
		if out, err := Call(t.Context(), p, mirror, point{X: i}); err != nil || out.Y != i {
			t.Fatal(out, err)
		}
		time.Sleep(60 * time.Millisecond)
	}
}
