package parent

import (
	"context"
	"os"
	"testing"

	"procpool/child"
	"procpool/ipc"
	"procpool/task"
)

func TestMain(m *testing.M) {
	child.Main()
	if os.Getenv(echoEnv) != "" {
		echoForever()
	}
	os.Exit(m.Run())
}

var pi = task.DefineSum("pi", func(ctx context.Context, iv ipc.Interval) (float64, error) {
	sum := 0.0
	for i := iv.Start; i < iv.End; i++ {
		sum += float64(4-8*(i%2)) / float64(2*i+1)
	}
	return sum, nil
}, func(a, b float64) float64 { return a + b })

var null = task.DefineSum("null", func(context.Context, ipc.Interval) (int64, error) { return 0, nil },
	func(a, b int64) int64 { return a + b }, task.Exact())
