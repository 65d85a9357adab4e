package pool

import (
	"context"
	"time"

	"procpool/ipc"
)

// tally counts indices.
var tally = DefineSum("tally", func(_ context.Context, iv ipc.Interval) (int64, error) { return iv.Len(), nil },
	func(a, b int64) int64 { return a + b }, Exact())

// nap sleeps for so many microseconds, or until its context is done, and gives them back.
var nap = Define("nap", takeNap)

func takeNap(ctx context.Context, us int) (int, error) {
	if us == 0 {
		return 0, nil
	}
	select {
	case <-time.After(time.Duration(us) * time.Microsecond):
		return us, nil
	case <-ctx.Done():
		return 0, ctx.Err()
	}
}

const (
	usMilli  = 1000
	usSecond = 1000 * usMilli
)

// limit is the hard end of anything that would hang.
const limit = 2 * time.Minute
