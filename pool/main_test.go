package pool

import (
	"context"
	"fmt"
	"os"
	"testing"

	"procpool/child"
	"procpool/internal/leak"
	"procpool/ipc"
	"procpool/task"
)

func TestMain(m *testing.M) {
	if os.Getenv(unguardedEnv) != "" {
		_, err := New(context.Background(), Options{})
		fmt.Println(err)
		return
	}
	child.Main()
	os.Setenv("GORACE", "atexit_sleep_ms=0") // else every worker takes a second to exit under the race detector
	switch {
	case os.Getenv(echoEnv) != "":
		echoForever()
	case os.Getenv(victimEnv) != "":
		beVictim()
	}
	os.Exit(leak.Watch(m).Run())
}

const (
	// victimEnv makes the test binary a parent that is to be killed: "plain",
	// or "wrapped" for workers behind a launcher.
	victimEnv = "PROCPOOL_TEST_VICTIM"
	// unguardedEnv makes it a program that forgets child.Main.
	unguardedEnv = "PROCPOOL_TEST_UNGUARDED"
)

var pi = task.DefineSum("pi", func(ctx context.Context, iv ipc.Interval) (float64, error) {
	sum := 0.0
	for i := iv.Start; i < iv.End; i++ {
		sum += float64(4-8*(i%2)) / float64(2*i+1)
	}
	return sum, nil
}, func(a, b float64) float64 { return a + b })

var null = task.DefineSum("null", func(context.Context, ipc.Interval) (int64, error) { return 0, nil },
	func(a, b int64) int64 { return a + b }, task.Exact())
