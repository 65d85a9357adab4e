package child

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"procpool/internal/leak"
	"procpool/ipc"
	"procpool/task"
)

// The test binary is also the worker that the tests talk to, and in one test the
// parent that is killed.
func TestMain(m *testing.M) {
	Main("child")
	if os.Getenv(doomedEnv) != "" {
		doomedParent()
	}
	os.Exit(leak.Watch(m).Run())
}

func add(a, b float64) float64 { return a + b }

var (
	_ = task.DefineSum("pi", func(_ context.Context, iv ipc.Interval) (float64, error) {
		sum := 0.0
		for i := iv.Start; i < iv.End; i++ {
			sum += float64(4-8*(i%2)) / float64(2*i+1)
		}
		return sum, nil
	}, add)
	_ = task.DefineSum("null", func(context.Context, ipc.Interval) (int64, error) { return 0, nil }, func(a, b int64) int64 { return a + b })
	_ = task.DefineSum("grained", func(_ context.Context, iv ipc.Interval) (float64, error) { return float64(iv.Len()), nil }, add, task.Grain(10))
	_ = task.Define("double", func(_ context.Context, n int) (int, error) { return 2 * n, nil })
	_ = task.Define("repeat", func(_ context.Context, n int) (string, error) { return strings.Repeat("x", n), nil })
	_ = task.Define("length", func(_ context.Context, b []byte) (int, error) { return len(b), nil })
	_ = task.Define("err", func(_ context.Context, text string) (int, error) { return 0, errors.New(text) })
	_ = task.Define("panic", func(_ context.Context, text string) (int, error) { panic(text) })
	_ = task.Define("goexit", func(context.Context, int) (int, error) { runtime.Goexit(); return 0, nil })
	_ = task.Define("worker", func(ctx context.Context, _ int) (int, error) { return task.Worker(ctx), nil })
	_ = task.Define("bad type", func(context.Context, chan int) (int, error) { return 0, nil })

	// now returns the wall clock in nanoseconds.
	_ = task.Define("now", func(context.Context, int) (int64, error) { return time.Now().UnixNano(), nil })
	// spin makes n rounds of a loop without a call in it, 1e9 in about a second.
	_ = task.Define("spin", func(_ context.Context, n int64) (uint64, error) {
		x := uint64(n)
		for range n {
			x = x*6364136223846793005 + 1442695040888963407
		}
		return x, nil
	})
	// fill touches n bytes.
	_ = task.Define("fill", func(_ context.Context, n int) (int, error) {
		b := make([]byte, n)
		for i := range b {
			b[i] = byte(i)
		}
		return int(b[n-1]), nil
	})
	// block waits for the test, which runs in the same process.
	_       = task.Define("block", func(context.Context, int) (int, error) { began <- true; <-release; return 1, nil })
	began   = make(chan bool, 1)
	release = make(chan bool)

	_ = task.Define("print", func(context.Context, int) (int, error) {
		fmt.Print("by fmt\n")
		println("by println")
		os.Stdout.WriteString("by os.Stdout\n")
		if _, err := syscall.Write(1, []byte("by descriptor\n")); err != nil {
			return 0, err
		}
		out, err := exec.Command("echo", "by a command").CombinedOutput()
		os.Stderr.Write(out)
		if n, _ := io.ReadFull(os.Stdin, make([]byte, 1)); n > 0 {
			return 0, errors.New("a task can read the stream")
		}
		return 1, err
	})
	_ = task.Define("hooks", func(context.Context, int) (int, error) {
		task.OnExit(func() { fmt.Println("hook 1") })
		task.OnExit(func() { fmt.Println("hook 2") })
		return 1, nil
	})
	// signal myself starts a command that sends itself a signal, and expects it to die.
	_ = task.Define("signal myself", func(_ context.Context, sig int) (int, error) {
		if exec.Command("sh", "-c", fmt.Sprintf("kill -%d $$", sig)).Run() == nil {
			return 0, errors.New("the command ignores the signal")
		}
		return 1, nil
	})
	// env returns the value of a variable in this process and in one that it starts.
	_ = task.Define("env", func(_ context.Context, name string) ([]string, error) {
		out, err := exec.Command("sh", "-c", "echo -n \"${"+name+"-unset}\"").Output()
		here, ok := os.LookupEnv(name)
		if !ok {
			here = "unset"
		}
		return []string{here, string(out)}, err
	})
)

// doomedEnv makes the test binary a parent that starts a worker, sends it an endless
// request, prints the worker's pid, and waits to be killed.
const doomedEnv = "PROCPOOL_TEST_DOOMED_PARENT"

func doomedParent() {
	os.Unsetenv(doomedEnv)
	worker := exec.Command(os.Args[0], Arg)
	worker.Env = append(os.Environ(), "GOMAXPROCS=1")
	in, err1 := worker.StdinPipe()
	out, err2 := worker.StdoutPipe()
	if err := errors.Join(err1, err2, worker.Start()); err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	r := ipc.NewReader(out, 0)
	in.Write(open(30, 1<<20))
	in.Write(call(1, "double", 1))
	in.Write(call(2, "spin", int64(1)<<50))
	r.Hello()
	r.Next() // the first result: the worker now runs the second request
	fmt.Println(worker.Process.Pid)
	worker.Wait()
	fmt.Println("the worker ended")
	os.Exit(1)
}
