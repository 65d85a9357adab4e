// Package child is a worker process: it reads requests on its standard input,
// runs the tasks that the program defines, and writes their results on its
// standard output, as package ipc lays down. It decides no policy: what to run,
// how often and for how long is the parent's business.
//
// child.go decides whether this process is a worker, serve.go is a worker's
// life from hello to bye, queue.go what waits to be run and outbox.go what waits
// to be written. account_*.go is what the process has used, cpus*.go where it may
// run and did, stdio_*.go how it takes its standard streams, on each system.
package child

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"

	"procpool/internal/role"
	"procpool/ipc"
)

const (
	// Arg is the first argument that makes a program a worker. A second one,
	// optional, is the worker's index. KEY=VALUE arguments after it are set in the
	// environment, which not every launcher carries; GOMAXPROCS=N and GOMEMLIMIT=BYTES among them hold at once.
	Arg = "procpool-child"
	// Env does the same where arguments are not free. Main unsets it at once,
	// so that what a task starts is no worker by accident.
	Env = "PROCPOOL_CHILD"
)

// maxStack bounds a goroutine's stack in a worker, in bytes. Go's own limit is
// 1 GB: a task that recurses without end would fill memory before it dies.
const maxStack = 128 << 20

// Main must be the first statement of main, and of TestMain in packages whose
// tests use pools. In a worker process it does the work and never returns;
// anywhere else it returns at once. aliases are further first arguments,
// standing alone, that make the process a worker.
func Main(aliases ...string) {
	role.Seal()
	index, settings, is := requested(os.Args, aliases)
	if !is {
		return
	}
	os.Unsetenv(Env)
	apply(settings)
	os.Exit(run(index))
}

// requested reports whether args ask for a worker, for which, and its settings.
func requested(args, aliases []string) (index int, settings []string, is bool) {
	if len(args) >= 2 && args[1] == Arg {
		if len(args) >= 3 {
			index, _ = strconv.Atoi(args[2])
			settings = args[3:]
		}
		return index, settings, true
	}
	if len(args) == 2 && slices.Contains(aliases, args[1]) {
		return 0, nil, true
	}
	return 0, nil, os.Getenv(Env) == "1"
}

// apply makes settings hold in this process and in what it starts.
func apply(settings []string) {
	for _, s := range settings {
		key, value, ok := strings.Cut(s, "=")
		if !ok {
			continue
		}
		os.Setenv(key, value)
		n, err := strconv.ParseInt(value, 10, 64)
		switch {
		case err != nil:
		case key == "GOMAXPROCS" && n != int64(runtime.GOMAXPROCS(0)): // to set it stops the world
			runtime.GOMAXPROCS(int(n))
		case key == "GOMEMLIMIT":
			debug.SetMemoryLimit(n)
		}
	}
}

// run is a worker process from claiming its standard streams to its exit code.
func run(index int) int {
	if isTerminal(os.Stdin) {
		fmt.Fprintln(os.Stderr, "procpool: child is a worker: it reads msgpack requests on "+ipc.AtTerminal)
		fmt.Fprintln(os.Stderr, "hint: 'procpool run' starts workers by itself; the protocol is documented in package procpool/ipc")
		return 2
	}
	in, out, err := claimStdio()
	if err != nil {
		fmt.Fprintln(os.Stderr, "procpool: child:", err)
		return 1
	}
	debug.SetMaxStack(maxStack)
	err = Serve(role.WithIndex(context.Background(), index), in, out)
	var fault *ipc.Fault
	switch {
	case err == nil:
		return 0
	case errors.Is(err, errParentLost):
		// Nobody is left who could be told.
	case errors.As(err, &fault):
		fmt.Fprintln(os.Stderr, "procpool: child:", fault)
	default:
		fmt.Fprintln(os.Stderr, "procpool: child:", err)
	}
	return 1
}
