package cli

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/urfave/cli/v2"

	"procpool/compare"
	"procpool/compare/report"
	"procpool/internal/newfile"
	"procpool/journal"
	"procpool/pool"
)

// A tracer records events for --trace. A nil tracer records nothing.
type tracer struct {
	path     string
	recorder compare.Recorder
}

func newTracer(c *cli.Context, path string) (*tracer, error) {
	if !c.IsSet("trace") {
		return nil, nil
	}
	if path == "-" {
		if c.Bool("json") {
			return nil, usage("--trace - and --json both print to standard output")
		}
		return &tracer{path: path}, nil
	}
	return &tracer{path: path}, canWrite("--trace", path)
}

// toStdout reports whether the trace goes to standard output, in place of the result.
func (t *tracer) toStdout() bool { return t != nil && t.path == "-" }

// canWrite returns an error if a file could not be written, before the work is done.
func canWrite(flag, path string) error {
	dir, err := os.Stat(filepath.Dir(path))
	switch {
	case path == "":
		return usage("%s needs the name of a file", flag)
	case err != nil || !dir.IsDir():
		return usage("%s %s: there is no directory %s", flag, path, filepath.Dir(path))
	}
	if old, err := os.Stat(path); err == nil && old.IsDir() {
		return usage("%s %s: it is a directory", flag, path)
	}
	if flag != "--journal" && journal.Is(path) {
		return usage("%s %s: it is a journal, and journals are never overwritten", flag, path)
	}
	if err := newfile.Check(path); err != nil {
		return usage("%s %s: %w", flag, path, plainError(err))
	}
	return nil
}

func (t *tracer) event(e pool.Event) {
	if t != nil {
		t.recorder.Event(e)
	}
}

// write writes the timeline of a run that is over, from the command's beginning.
func (t *tracer) write(r *runCommand) error {
	if t == nil {
		return nil
	}
	run := t.recorder.Run(r.options.Backend, r.begin, r.outcome.Wall, r.stats)
	if err := run.SumPhases(); err != nil {
		return err
	}
	name := fmt.Sprintf("%s over %s, %s×%d", r.spec.Name, r.over(), r.options.Backend, len(r.stats))
	runs := []report.TraceRun{{Name: name, Run: run}}
	if t.toStdout() {
		return writing("the trace", report.TraceRuns(r.Stdout, runs))
	}
	return writeFile(t.path, "the trace", func(w io.Writer) error { return report.TraceRuns(w, runs) })
}

// writeFile writes the output of render to a file. An error of render leaves the file
// unchanged.
func writeFile(path, what string, render func(io.Writer) error) error {
	var b bytes.Buffer
	if err := render(&b); err != nil {
		return err
	}
	return writing(what+" to "+path, newfile.Write(path, b.Bytes()))
}
