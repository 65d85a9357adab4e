package child

import (
	"context"
	"io"
	"time"
)

const (
	// watchInterval is how often a worker checks that somebody still reads its
	// output. A short heartbeat makes it shorter.
	watchInterval = 300 * time.Millisecond

	// signalDelay is how long after open a worker installs its signal handler. The
	// handler starts a thread, which takes about 10 % of the time in which a short
	// worker starts. Until then a signal kills the worker, and the parent replaces it.
	signalDelay = 10 * time.Millisecond
)

// watch sends beats, installs the signal handler, and ends Serve if the parent
// falls silent or nobody reads the output. It counts silence in its own ticks
// rather than in time, so a job that is stopped and continued as a whole has not
// missed any.
func (s *server) watch(ctx context.Context, out io.Writer) {
	every, heartbeat := watchInterval, time.Duration(0)
	tick := time.NewTicker(every)
	defer tick.Stop()
	var handleSignals <-chan time.Time
	var silence, sinceBeat time.Duration
	for {
		select {
		case <-ctx.Done():
			return
		case heartbeat = <-s.opened:
			handleSignals = time.After(signalDelay)
			if heartbeat > 0 {
				every = max(min(watchInterval, heartbeat/8), time.Millisecond)
				tick.Reset(every)
			}
			continue
		case <-handleSignals:
			ignoreSignals()
			continue
		case <-tick.C:
		}
		s.ranOn.sample()
		if silence += every; s.gotBytes.Swap(false) || s.gotEnd.Load() {
			silence = 0
		}
		if readerGone(out) || heartbeat > 0 && silence > heartbeat {
			s.ended <- errParentLost
			return
		}
		if sinceBeat += every; heartbeat > 0 && sinceBeat >= heartbeat/4 {
			sinceBeat = 0
			go s.out.beat() // a full pipe must not block watch
		}
	}
}
