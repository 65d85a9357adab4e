package pool_test

import (
	"context"
	"fmt"
	"os"
	"os/signal"

	"procpool/placement"
	"procpool/pool"
)

// The examples of docs/from-python.md that need Linux.

// Worker i is pinned to Bind[i], within the mask that this process was given.
func Example_cpuIds() {
	mask, err := placement.System{}.Mask()
	if err != nil {
		fmt.Println(err)
		return
	}
	var first placement.CPUSet
	for cpu := range mask.All() {
		first = placement.NewCPUSet(cpu)
		break
	}
	p := open(pool.Options{Procs: 1, Bind: []placement.CPUSet{first}})
	p.Ready(context.Background())
	p.Close()
	fmt.Println(p.Stats()[0].CPUs == first.String())
	// Output: true
}

var leaked []byte

var leak = pool.Define("python-leak", func(_ context.Context, bytes int) (int, error) {
	leaked = make([]byte, bytes)
	for i := 0; i < bytes; i += 4096 {
		leaked[i] = 1
	}
	return os.Getpid(), nil
})

// A worker that has grown beyond MaxRSS is replaced between two inputs.
func Example_memoryLeak() {
	p := open(pool.Options{Procs: 1, MaxRSS: 64 << 20})
	defer p.Close()
	before, _ := pool.Call(context.Background(), p, leak, 128<<20)
	after, err := pool.Call(context.Background(), p, pid, 0)
	fmt.Println(before != after, err)
	// Output: true <nil>
}

// An interrupt ends the calls of a context, and cancels their tasks. After stop the
// next interrupt ends the program.
func Example_keyboardInterrupt() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	begun := make(chan bool)
	p := open(pool.Options{Procs: 1, LogLine: func(int, []byte) { begun <- true }})
	defer p.Close()
	f := submit(ctx, p, untilCancelled, "a")
	<-begun
	self, _ := os.FindProcess(os.Getpid())
	self.Signal(os.Interrupt)
	<-f.done
	fmt.Println(f.err)
	// Output: context canceled
}
