// Package child implements a worker process. It reads requests on standard
// input, runs the tasks that the program defines, and writes their results to
// standard output, in the protocol of package ipc. It decides no policy: the parent
// says what to run, how often and for how long.
//
// A program that uses package pool does not need this package: pool.Main calls
// [Main].
//
// child.go decides whether this process is a worker. serve.go holds the
// conversation from hello to bye, requests.go the requests that wait to run,
// sendqueue.go the messages that wait to be written. usage_*.go and cpus.go measure
// the process, stdio_*.go take over its standard streams on each system.
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

	"procpool/internal/proctree"
	"procpool/internal/role"
	"procpool/internal/terminal"
	"procpool/ipc"
)

const (
	// Arg as the first argument makes a program a worker. The second argument, if
	// any, is the worker's index. Further ones are KEY=VALUE: Main sets them in the
	// environment, which some launchers do not carry, and applies GOMAXPROCS=N and
	// GOMEMLIMIT=BYTES at once.
	Arg = "procpool-child"
	// Env=1 in the environment makes a program a worker where arguments cannot be
	// passed: if it has none, and its standard input is a pipe, a socket or a file. In
	// any other process the variable means nothing: somebody may have left it behind,
	// and a program must not say hello and exit 0 in place of its work. Main unsets it
	// in either case, so that what the program starts is not a worker too.
	Env = "PROCPOOL_CHILD"
)

// maxStack limits the stack of each goroutine in a worker, in bytes. Go's own
// limit is 1 GB, so endless recursion would fill the memory before it fails.
const maxStack = 128 << 20

// Main turns this process into a worker if it was started as one. It then serves
// requests and exits; in any other process it returns at once. Main must be the
// first statement of main, and of TestMain in packages whose tests use pools.
//
// A process also becomes a worker if its only argument is one of aliases.
func Main(aliases ...string) {
	role.SetMainRan()
	index, settings, isWorker := parseArgs(os.Args, aliases)
	os.Unsetenv(Env)
	if !isWorker {
		return
	}
	applySettings(settings)
	os.Exit(run(index, len(os.Args) > 1 && os.Args[1] == Arg))
}

// parseArgs reports whether this process was started as a worker, and returns
// the worker's index and settings.
func parseArgs(args, aliases []string) (index int, settings []string, isWorker bool) {
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
	return 0, nil, len(args) <= 1 && os.Getenv(Env) == "1" && isStream(os.Stdin)
}

// isStream reports whether f may hold requests: it is no terminal and no other device.
func isStream(f *os.File) bool {
	info, err := f.Stat()
	return err == nil && (info.Mode().IsRegular() || info.Mode()&(os.ModeNamedPipe|os.ModeSocket) != 0)
}

// applySettings sets the KEY=VALUE settings in this process and, through the
// environment, in the processes that it starts.
func applySettings(settings []string) {
	for _, s := range settings {
		key, value, ok := strings.Cut(s, "=")
		if !ok {
			continue
		}
		os.Setenv(key, value)
		n, err := strconv.ParseInt(value, 10, 64)
		switch {
		case err != nil:
		case key == "GOMAXPROCS" && n != int64(runtime.GOMAXPROCS(0)): // setting it stops the world
			runtime.GOMAXPROCS(int(n))
		case key == "GOMEMLIMIT":
			debug.SetMemoryLimit(n)
		}
	}
}

// run serves requests on the standard streams, which a pool made if own is set, and
// returns the exit code.
func run(index int, own bool) int {
	if terminal.Is(os.Stdin) {
		fmt.Fprintln(os.Stderr, "procpool: child is a worker: it reads msgpack requests on "+ipc.AtTerminal)
		fmt.Fprintln(os.Stderr, "hint: 'procpool run' starts workers by itself; the protocol is documented in package procpool/ipc")
		return 2
	}
	in, out, err := claimStdio(own)
	if err != nil {
		fmt.Fprintln(os.Stderr, "procpool: child:", err)
		return 1
	}
	if own {
		endWithParent()
	}
	debug.SetMaxStack(maxStack)
	err = Serve(role.WithCall(context.Background(), role.Call{Worker: index}), in, out)
	proctree.KillOwn() // what tasks have started ends with the worker
	switch {
	case err == nil:
		return 0
	case !errors.Is(err, errParentLost): // otherwise nobody is left to be told
		fmt.Fprintln(os.Stderr, "procpool: child:", err)
	}
	return 1
}
