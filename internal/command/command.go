// Package command defines the task of 'procpool exec', which runs the user's command once
// for each interval and reduces the outputs. Package cli puts a [Call] into the request
// of each chunk, by pool.Workload.With, and an [Index] finds the lines of an input file.
//
// The command's words travel in the requests, so a worker needs no flags or files of its
// own, and any launcher can start it.
//
// command.go defines the task, process.go runs one command, output.go reads its output,
// partial.go and number.go reduce outputs, index.go indexes the input file.
package command

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"strings"

	"procpool/internal/role"
	"procpool/ipc"
	"procpool/task"
)

// Name is the name of the task.
const Name = "exec"

// Task runs the command that the request of a chunk carries, a [Call].
var Task = task.DefineSum(Name, run, add, task.Exact(), task.Version("1"), task.Errors(ErrExit, ErrChanged),
	task.About("what a program of the user's prints, reduced", "whatever the program does"))

// ErrExit is wrapped by the error of a command that exited with a code other than 0, or
// was ended by a signal. Such a chunk is worth a retry.
var ErrExit = errors.New("the command failed")

// A Call tells a worker which command to run for one chunk.
type Call struct {
	Words  []string `msgpack:"words"`
	Reduce string   `msgpack:"reduce"` // one of the constants of partial.go
	Chunk  int64    `msgpack:"chunk"`  // its number, from 0
	Lines  *Part    `msgpack:"lines"`  // that the command reads; nil if it reads nothing
}

// Append appends the encoded call to dst.
func (c *Call) Append(dst []byte) []byte {
	dst, _ = ipc.AppendValue(dst, c) // text of any kind can be sent
	return dst
}

// placeholders are replaced by values of the chunk.
var placeholders = [...]string{"{start}", "{end}", "{len}", "{chunk}", "{worker}"}

// HasPlaceholder reports whether any of the words has a placeholder.
func HasPlaceholder(words ...string) bool {
	return slices.ContainsFunc(words, func(w string) bool {
		return slices.ContainsFunc(placeholders[:], func(p string) bool { return strings.Contains(w, p) })
	})
}

// For returns the command line for a chunk. It appends the bounds of the interval if the
// words have no placeholder and the command reads no lines, because then nothing else
// would tell it which chunk to compute.
func (c *Call) For(iv ipc.Interval, worker string) []string {
	start, end := strconv.FormatInt(iv.Start, 10), strconv.FormatInt(iv.End, 10)
	if !HasPlaceholder(c.Words...) {
		if c.Lines != nil {
			return c.Words
		}
		return append(slices.Clone(c.Words), start, end)
	}
	values := [len(placeholders)]string{start, end, strconv.FormatInt(iv.Len(), 10), strconv.FormatInt(c.Chunk, 10), worker}
	var pairs []string
	for i, p := range placeholders {
		pairs = append(pairs, p, values[i])
	}
	replacer := strings.NewReplacer(pairs...)
	words := make([]string, len(c.Words))
	for i, w := range c.Words {
		words[i] = replacer.Replace(w)
	}
	return words
}

// Environment returns the variables that are added to the worker's environment.
func (c *Call) Environment(iv ipc.Interval, worker string) []string {
	return []string{
		"PROCPOOL_START=" + strconv.FormatInt(iv.Start, 10), "PROCPOOL_END=" + strconv.FormatInt(iv.End, 10),
		"PROCPOOL_CHUNK=" + strconv.FormatInt(c.Chunk, 10), "PROCPOOL_WORKER=" + worker,
	}
}

// run is the task.
func run(ctx context.Context, iv ipc.Interval) (Partial, error) {
	with := role.CallOf(ctx).With
	if len(with) == 0 {
		return Partial{}, errors.New("the request has no command")
	}
	var c Call
	if err := ipc.DecodeValue(with, &c); err != nil {
		return Partial{}, err
	}
	switch {
	case len(c.Words) == 0:
		return Partial{}, errors.New("the command has no words")
	case iv.Len() == 0 && c.Reduce == Sum: // no command runs for an empty interval
		return Partial{Reduce: Sum, Number: "0"}, nil
	case iv.Len() == 0:
		return Partial{Reduce: c.Reduce}, nil
	}
	out, err := c.execute(ctx, iv, strconv.Itoa(role.CallOf(ctx).Worker))
	if err != nil {
		return Partial{}, err
	}
	return out.partial(c.Reduce)
}
