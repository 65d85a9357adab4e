package pool_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"procpool/pool"
)

// The examples of docs/from-python.md on errors.

var errNotFound = errors.New("not found")

var lookUp = pool.Define("python-look-up", func(_ context.Context, key string) (string, error) {
	if key == "gamma" {
		return "", fmt.Errorf("key %q: %w", key, errNotFound)
	}
	return strings.ToUpper(key), nil
}, pool.Errors(errNotFound))

// An error crosses as its text. Those that the task names by Errors keep their identity.
func Example_exceptionType() {
	p := open(pool.Options{Procs: 1})
	defer p.Close()
	_, err := pool.Call(context.Background(), p, lookUp, "gamma")
	fmt.Println(err)
	fmt.Println(errors.Is(err, errNotFound))
	// Output:
	// python-look-up of input 0: key "gamma": not found
	// true
}

// The error of one input does not end the map.
func Example_returnExceptions() {
	p := open(pool.Options{Procs: 2})
	defer p.Close()
	for out, err := range pool.Map(context.Background(), p, lookUp, slices.Values([]string{"alpha", "gamma", "delta"})) {
		fmt.Printf("%q %v\n", out, err)
	}
	// Output:
	// "ALPHA" <nil>
	// "" python-look-up of input 1: key "gamma": not found
	// "DELTA" <nil>
}

// Collect ends at the first error, as Python's map does, and returns what came before.
func Example_raiseFirst() {
	p := open(pool.Options{Procs: 2})
	defer p.Close()
	fmt.Println(pool.Collect(pool.Map(context.Background(), p, lookUp, slices.Values([]string{"alpha", "gamma", "delta"}))))
	// Output: [ALPHA] python-look-up of input 1: key "gamma": not found
}

var element = pool.Define("python-element", func(_ context.Context, i int) (int, error) { return []int{1, 2, 3}[i], nil })

// A panic is an error with the stack of the worker.
func Example_traceback() {
	p := open(pool.Options{Procs: 1})
	defer p.Close()
	_, err := pool.Call(context.Background(), p, element, 7)
	var failed *pool.TaskError
	if errors.As(err, &failed) {
		fmt.Println(failed.Err.Text)
		fmt.Println(strings.Contains(failed.Err.Stack, "example_python_errors_test.go"))
	}
	// Output:
	// panic: runtime error: index out of range [7] with length 3
	// true
}

func Example_whichInput() {
	p := open(pool.Options{Procs: 2})
	defer p.Close()
	ctx, cancel := context.WithCancel(context.Background())
	for _, err := range pool.Map(ctx, p, lookUp, slices.Values([]string{"alpha", "gamma", "delta"})) {
		if input, ok := pool.InputOf(err); ok {
			fmt.Println("input", input.Index)
		}
	}
	cancel()
	for _, err := range pool.Map(ctx, p, lookUp, slices.Values([]string{"alpha"})) {
		_, ok := pool.InputOf(err)
		fmt.Println(err, ok) // it is the whole map's
	}
	// Output:
	// input 1
	// context canceled false
}

// A worker that dies costs its own input an error, and is replaced.
func Example_brokenProcessPool() {
	p := open(pool.Options{Procs: 2})
	defer p.Close()
	for out, err := range pool.Map(context.Background(), p, fetch, slices.Values([]string{"one", "fatal", "three"})) {
		var lost *pool.LostWorkerError
		if errors.As(err, &lost) {
			fmt.Println("exit code", lost.ExitCode, "in each of", lost.Attempts, "workers")
			continue
		}
		fmt.Println(out, err)
	}
	// Output:
	// 3 <nil>
	// exit code 3 in each of 3 workers
	// 5 <nil>
}

// flaky loses its worker the first time.
var flaky = pool.Define("python-flaky", func(ctx context.Context, n int) (int, error) {
	if pool.Attempt(ctx) == 0 {
		os.Exit(1)
	}
	return n, nil
})

func Example_retries() {
	p := open(pool.Options{Procs: 1})
	defer p.Close()
	for r, err := range pool.MapUnordered(context.Background(), p, flaky, slices.Values([]int{7}), pool.Retries(1)) {
		fmt.Println(r.Value, r.Attempts, err)
	}
	// Output: 7 2 <nil>
}

// Retries(0) runs an input again only where it is not known which of several killed
// the worker. Below 0 none is ever sent twice.
func Example_atMostOnce() {
	p := open(pool.Options{Procs: 1})
	defer p.Close()
	for out, err := range pool.Map(context.Background(), p, flaky, slices.Values([]int{7}), pool.Retries(-1)) {
		var lost *pool.LostWorkerError
		fmt.Println(out, errors.As(err, &lost))
	}
	// Output: 0 true
}

var echoAny = pool.Define("python-any", func(_ context.Context, v any) (any, error) { return v, nil })

var callBack = pool.Define("python-call-back", func(_ context.Context, f func()) (int, error) { f(); return 0, nil })

// An input that cannot travel has an error of its own. A type of which nothing can
// travel is an error of the whole map, before anything runs.
func Example_picklingError() {
	p := open(pool.Options{Procs: 1})
	defer p.Close()
	for out, err := range pool.Map(context.Background(), p, echoAny, slices.Values([]any{"text", make(chan int)})) {
		var input *pool.InputError
		fmt.Println(out, errors.As(err, &input))
	}
	_, err := pool.Call(context.Background(), p, callBack, func() {})
	fmt.Println(err != nil)
	// Output:
	// text false
	// <nil> true
	// true
}

func Example_poolNotRunning() {
	p := open(pool.Options{Procs: 1})
	p.Close()
	_, err := pool.Call(context.Background(), p, square, 3)
	fmt.Println(err, errors.Is(err, pool.ErrClosed))
	// Output: the pool is closed true
}

// What a worker prints can do no harm: it goes to the pool's Stderr, with the
// worker's tag, from standard output as well.
var chatty = pool.Define("python-chatty", func(_ context.Context, n int) (int, error) {
	fmt.Println("result is on its way")
	return n, nil
})

func Example_print() {
	r, w := io.Pipe()
	p := open(pool.Options{Procs: 1, Stderr: w})
	go func() {
		defer w.Close()
		defer p.Close()
		if out, err := pool.Call(context.Background(), p, chatty, 7); out != 7 || err != nil {
			fmt.Fprintln(w, out, err)
		}
	}()
	text, _ := io.ReadAll(r)
	fmt.Printf("%s", text)
	// Output: [worker 0] result is on its way
}
