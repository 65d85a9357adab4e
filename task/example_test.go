package task_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"

	"procpool/ipc"
	"procpool/pool"
	"procpool/task"
)

var upper = task.Define("upper", func(_ context.Context, s string) (string, error) {
	if s == "" {
		return "", errors.New("nothing to convert")
	}
	return strings.ToUpper(s), nil
})

func ExampleDefine() {
	p, err := pool.New(context.Background(), pool.Options{Procs: 2})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer p.Close()
	for out, err := range pool.Map(context.Background(), p, upper, slices.Values([]string{"a", "b"})) {
		fmt.Println(out, err)
	}
	// Output:
	// A <nil>
	// B <nil>
}

// The task works in blocks of 64 indices. Its partials are integers, whose sum does
// not depend on the order.
var ones = task.DefineSum("ones", func(_ context.Context, iv ipc.Interval) (int64, error) { return iv.Len(), nil },
	func(a, b int64) int64 { return a + b },
	task.Exact(), task.Grain(64), task.Version("2"), task.About("counts indices", "the dispatch of chunks"))

func ExampleDefineSum() {
	p, err := pool.New(context.Background(), pool.Options{Procs: 3})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer p.Close()
	fmt.Println(pool.Sum(context.Background(), p, ones, ipc.Interval{End: 1000}))
	// Output: 1000 <nil>
}

// Intervals are cut at multiples of the grain. Only the end of the last one need not
// be a multiple.
func ExampleGrain() {
	spec := ones.Spec()
	fmt.Println(slices.Collect(ipc.SplitGrid(ipc.Interval{End: 1000}, 3, spec.Grain).All()))
	// Output: [[0, 320) [320, 640) [640, 1000)]
}

// The spec has what a list of tasks prints.
func ExampleLookup() {
	spec, ok := task.Lookup("ones")
	fmt.Println(ok, spec.Version, spec.Grain, spec.Exact, spec.Sums())
	fmt.Printf("%s: %s; stresses %s\n", spec.Name, spec.Computes, spec.Stresses)
	_, ok = task.Lookup("twos")
	fmt.Println(ok)
	// Output:
	// true 2 64 true true
	// ones: counts indices; stresses the dispatch of chunks
	// false
}

func ExampleNames() {
	fmt.Println(slices.Contains(task.Names(), "upper"))
	// Output: true
}

// A task can be called like any function, here and now.
func ExampleTask_Call() {
	fmt.Println(upper.Call(context.Background(), "a"))
	// Output: A <nil>
}

func ExampleSumTask_Call() {
	a, _ := ones.Call(context.Background(), ipc.Interval{End: 64})
	b, _ := ones.Call(context.Background(), ipc.Interval{Start: 64, End: 100})
	fmt.Println(a, b, ones.Add(a, b))
	// Output: 64 36 100
}

func ExampleError() {
	_, err := upper.Call(context.Background(), "")
	var failed *task.Error
	fmt.Println(errors.As(err, &failed), failed.Text)
	// Output: true nothing to convert
}

// A worker keeps its index, and a worker that replaces it gets the same one.
var whoami = task.Define("whoami", func(ctx context.Context, _ int) (int, error) { return task.Worker(ctx), nil })

func ExampleWorker() {
	p, err := pool.New(context.Background(), pool.Options{Procs: 1})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer p.Close()
	for worker := range pool.Map(context.Background(), p, whoami, slices.Values([]int{1, 2})) {
		fmt.Println("worker", worker)
	}
	// Output:
	// worker 0
	// worker 0
}

// The dictionary is opened once in each worker, at its first input, and closed when
// the worker ends. It prints that on stderr, which the pool forwards.
var dictionary = sync.OnceValue(func() map[string]string {
	fmt.Fprintln(os.Stderr, "opened")
	task.OnExit(func() { fmt.Fprintln(os.Stderr, "closed") })
	return map[string]string{"one": "un", "two": "deux"}
})

var translate = task.Define("translate", func(_ context.Context, word string) (string, error) {
	return dictionary()[word], nil
})

func ExampleOnExit() {
	p, err := pool.New(context.Background(), pool.Options{Procs: 1, Stderr: os.Stdout})
	if err != nil {
		fmt.Println(err)
		return
	}
	var words []string
	for word := range pool.Map(context.Background(), p, translate, slices.Values([]string{"two", "one", "two"})) {
		words = append(words, word)
	}
	p.Close()
	fmt.Println(words)
	// Output:
	// [worker 0] opened
	// [worker 0] closed
	// [deux un deux]
}

// Partials are added as cents, without rounding, and printed as dollars.
type dollars struct{ Cents int64 }

func (d dollars) Value() float64 { return float64(d.Cents) / 100 }

var fees = task.DefineSum("fees", func(_ context.Context, iv ipc.Interval) (dollars, error) { return dollars{7 * iv.Len()}, nil },
	func(a, b dollars) dollars { return dollars{a.Cents + b.Cents} }, task.Exact())

func ExampleValuer() {
	p, err := pool.New(context.Background(), pool.Options{Procs: 2})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer p.Close()
	outcome, err := p.Run(context.Background(), pool.Workload{Task: fees.Spec(), Whole: ipc.Interval{End: 1001}})
	fmt.Println(outcome.Total, outcome.Value, err)
	// Output: {7007} 70.07 <nil>
}

// A worker calls Run for each request.
func ExampleSpec_Run() {
	in := "a"
	arg, _ := ipc.AppendValue(nil, &in)
	value, err := upper.Spec().Run(context.Background(), arg, nil)
	var out string
	fmt.Println(err, ipc.DecodeValue(value, &out), out)
	// Output: <nil> <nil> A
}

func ExampleSpec_Check() {
	fmt.Println(upper.Spec().Check())
	var never task.Task[int, int]
	fmt.Println(never.Spec().Check())
	// Output:
	// <nil>
	// the task was not made by task.Define or task.DefineSum
}
