// Command parser runs a parser that cannot be trusted over documents that
// cannot be trusted. Whatever a document does to the process that reads it, it
// costs that document one error; the others are parsed.
//
//	parser
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"procpool/pool"
)

var parse = pool.Define("parse", func(_ context.Context, doc string) (int, error) { return eval(strings.Fields(doc)) })

// eval is the parser: it adds numbers up, and has the faults that parsers have.
func eval(words []string) (int, error) {
	if len(words) == 0 {
		return 0, errors.New("empty document")
	}
	switch words[0] {
	case "at": // panics where the index is beyond the document
		n, err := strconv.Atoi(words[1])
		if err != nil {
			return 0, err
		}
		return strconv.Atoi(words[2:][n])
	case "nested": // recurses without end
		return nested(words), nil
	case "fatal": // a library that ends the program
		os.Exit(7)
	case "background": // a panic on another goroutine, which nothing can recover
		go func() { panic("lost the thread") }()
		select {}
	case "segfault": // a null pointer in C
		segfault()
	case "loop": // waits for a closing bracket that never comes
		for i := 0; ; i++ {
		}
	}
	sum := 0
	for _, w := range words {
		n, err := strconv.Atoi(w)
		if err != nil {
			return 0, err
		}
		sum += n
	}
	return sum, nil
}

// nested forgets to step past the word that it has read.
func nested(words []string) int {
	if len(words) == 0 {
		return 0
	}
	return 1 + nested(words)
}

func documents() iter.Seq[string] {
	return slices.Values([]string{"1 2 3", "1 two 3", "at 5 1 2 3", "fatal", "background", "nested", "segfault", "loop", "4 5 6"})
}

func main() {
	pool.Main()
	if err := run(context.Background(), os.Stdout, documents(), 2*time.Second); err != nil {
		fmt.Fprintln(os.Stderr, "parser:", err)
		os.Exit(1)
	}
}

// run prints a line for each document.
func run(ctx context.Context, w io.Writer, docs iter.Seq[string], timeout time.Duration) error {
	p, err := pool.New(ctx, pool.Options{
		Retries: -1,         // a document that kills the parser would kill it again
		Timeout: timeout,    // no document may take longer
		Stderr:  io.Discard, // what crashing workers say is in their errors as well
	})
	if err != nil {
		return err
	}
	defer p.Close()
	i := 0
	for sum, err := range pool.Map(ctx, p, parse, docs) {
		fmt.Fprintf(w, "document %d: %s\n", i, describe(sum, err))
		i++
	}
	return nil
}

// describe tells the errors apart by their types.
func describe(sum int, err error) string {
	var failed *pool.TaskError
	var lost *pool.LostWorkerError
	var late *pool.TimeoutError
	switch {
	case err == nil:
		return strconv.Itoa(sum)
	case errors.As(err, &late):
		return fmt.Sprintf("took longer than %v", late.Limit)
	case errors.As(err, &lost) && len(lost.Stderr) > 0:
		return fmt.Sprintf("killed the parser, exit code %d: %s", lost.ExitCode, lost.Stderr[0])
	case errors.As(err, &lost):
		return fmt.Sprintf("killed the parser, exit code %d", lost.ExitCode)
	case errors.As(err, &failed) && failed.Err.Stack != "":
		return "crashed the parser: " + failed.Err.Text
	case errors.As(err, &failed):
		return "is wrong: " + failed.Err.Text
	}
	return err.Error()
}
