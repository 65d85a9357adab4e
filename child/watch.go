package child

import (
	"context"
	"io"
	"time"
)

// watchInterval is how often a worker checks that somebody still reads its
// output. A short heartbeat makes it shorter.
const watchInterval = 300 * time.Millisecond

// watch sends beats, and ends Serve if the parent falls silent or nobody reads the
// output. It counts silence in its own ticks rather than in time, so a job that is
// stopped and continued as a whole has not missed any.
func (s *server) watch(ctx context.Context, out io.Writer) {
	every, heartbeat := watchInterval, time.Duration(0)
	tick := time.NewTicker(every)
	defer tick.Stop()
	var silence, sinceBeat time.Duration
	for {
		select {
		case <-ctx.Done():
			return
		case heartbeat = <-s.opened:
			if heartbeat > 0 {
				every = max(min(watchInterval, heartbeat/8), time.Millisecond)
				tick.Reset(every)
			}
			continue
		case <-tick.C:
		}
		s.ranOn.sample()
		if silence += every; s.gotBytes.Swap(false) || s.gotEnd.Load() {
			silence = 0
		}
		if silent := heartbeat > 0 && silence > heartbeat; silent || readerGone(out) {
			if silent {
				s.leave()
			}
			s.ended <- errParentLost
			return
		}
		if sinceBeat += every; heartbeat > 0 && sinceBeat >= heartbeat/4 {
			sinceBeat = 0
			go s.out.beat() // a full pipe must not block watch
		}
	}
}

// leaveTime is how long a worker tries to say why it leaves: a parent that is
// stopped may have left the pipe full.
const leaveTime = 100 * time.Millisecond

// leave says bye to a parent that was silent and may come back, so that it charges
// no request with the worker's end.
func (s *server) leave() {
	said := make(chan struct{})
	go func() {
		defer close(said)
		bye := s.summary()
		bye.ParentSilent = true
		s.out.bye(bye)
	}()
	select {
	case <-said:
	case <-time.After(leaveTime):
	}
}
