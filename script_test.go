package main

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// scriptCommands are the commands that scripts have beside testscript's own.
var scriptCommands = map[string]func(ts *testscript.TestScript, neg bool, args []string){
	"exits":   exits,
	"refused": refused,
	"json":    jsonField,
	"keep":    keep,
	"same":    same,
	"alone":   alone,
}

// exits CODE COMMAND ARGS... runs a command that must end with that exit code;
// 128+n stands for signal n, as in a shell.
func exits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits CODE COMMAND ARGS...")
	}
	if code := exitCode(ts.Exec(args[1], args[2:]...)); strconv.Itoa(code) != args[0] {
		ts.Fatalf("exit code %d, not %s", code, args[0])
	}
}

// exitCode is that of a process as a shell has it, or -1 if it was not one that ended.
func exitCode(err error) int {
	var exit *exec.ExitError
	switch {
	case err == nil:
		return 0
	case !errors.As(err, &exit):
		return -1
	}
	if status, ok := exit.Sys().(syscall.WaitStatus); ok && status.Signaled() {
		return 128 + int(status.Signal())
	}
	return exit.ExitCode()
}

// refused ARGS... runs procpool, which must refuse what was asked for as the
// user's mistake: exit code 2, nothing on stdout, and on stderr one line and
// perhaps a hint.
func refused(ts *testscript.TestScript, neg bool, args []string) {
	if neg {
		ts.Fatalf("usage: refused ARGS...")
	}
	if code := exitCode(ts.Exec("procpool", args...)); code != 2 {
		ts.Fatalf("exit code %d, not 2", code)
	}
	if out := ts.ReadFile("stdout"); out != "" {
		ts.Fatalf("stdout is not empty")
	}
	if why := badMessage(ts.ReadFile("stderr")); why != "" {
		ts.Fatalf("stderr: %s", why)
	}
}

// badMessage says what is wrong with what a failure prints on stderr.
func badMessage(stderr string) string {
	lines := strings.Split(strings.TrimSuffix(stderr, "\n"), "\n")
	switch {
	case !strings.HasPrefix(lines[0], "procpool: "):
		return "it does not begin with 'procpool: '"
	case len(lines) > 2:
		return "there are more than two lines"
	case len(lines) == 2 && !strings.HasPrefix(lines[1], "hint: "):
		return "the second line is no hint"
	case !strings.HasSuffix(stderr, "\n"):
		return "the last line has no end"
	}
	return ""
}

// json PATH [VALUE] looks for a field in the JSON object that the last command
// printed: a.b.0.c, with len for the length of a list. VALUE is as JSON has it, or
// a string without quotes; without one the field must only be there.
func jsonField(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) < 1 || len(args) > 2 {
		ts.Fatalf("usage: json PATH [VALUE]")
	}
	dec := json.NewDecoder(strings.NewReader(ts.ReadFile("stdout")))
	dec.UseNumber()
	var v any
	if err := dec.Decode(&v); err != nil || dec.More() {
		ts.Fatalf("stdout is not one JSON value: %v", err)
	}
	text, found := lookUp(v, strings.Split(args[0], "."))
	if neg && found && (len(args) == 1 || text == args[1]) {
		ts.Fatalf("%s is %s", args[0], text)
	}
	if !neg && !found {
		ts.Fatalf("there is no %s", args[0])
	}
	if !neg && len(args) == 2 && text != args[1] {
		ts.Fatalf("%s is %s, not %s", args[0], text, args[1])
	}
}

// lookUp follows path into v and gives what is there as text.
func lookUp(v any, path []string) (text string, found bool) {
	for _, step := range path {
		switch at := v.(type) {
		case map[string]any:
			if v, found = at[step]; !found {
				return "", false
			}
		case []any:
			i, err := strconv.Atoi(step)
			switch {
			case step == "len":
				v = json.Number(strconv.Itoa(len(at)))
			case err != nil || i < 0 || i >= len(at):
				return "", false
			default:
				v = at[i]
			}
		default:
			return "", false
		}
	}
	if s, ok := v.(string); ok {
		return s, true
	}
	var b strings.Builder
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	err := enc.Encode(v)
	return strings.TrimSpace(b.String()), err == nil
}

// keep NAME keeps the first line that the last command printed in an
// environment variable. That of a result says all but the time.
func keep(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: keep NAME")
	}
	ts.Setenv(args[0], firstLine(ts))
}

// same NAME compares the first line that the last command printed with one
// that was kept.
func same(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: same NAME")
	}
	if want := ts.Getenv(args[0]); firstLine(ts) != want {
		ts.Fatalf("the first line is not %q", want)
	}
}

func firstLine(ts *testscript.TestScript) string {
	line, _, ok := strings.Cut(ts.ReadFile("stdout"), "\n")
	if !ok || line == "" {
		ts.Fatalf("stdout has no line")
	}
	return line
}

// alone waits until no process that the script started is left. That none
// outlives its parent for long is not measured here: only that none stays.
func alone(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 0 {
		ts.Fatalf("usage: alone")
	}
	var left []int
	for range 200 {
		if left = marked(ts.Getenv(marker)); len(left) == 0 {
			return
		}
		time.Sleep(50 * time.Millisecond)
	}
	ts.Fatalf("processes %v are still there", left)
}

// marked are the processes whose environment has this value of the marker, as
// far as /proc tells. A process that has ended and was not waited for has no
// environment.
func marked(value string) (pids []int) {
	entries, _ := filepath.Glob("/proc/[0-9]*/environ")
	for _, path := range entries {
		environ, err := os.ReadFile(path)
		if err != nil || !slices.Contains(strings.Split(string(environ), "\x00"), marker+"="+value) {
			continue
		}
		pid, _ := strconv.Atoi(filepath.Base(filepath.Dir(path)))
		pids = append(pids, pid)
	}
	return pids
}

// hardLimit is a context that ends only if something hangs.
func hardLimit(t testing.TB) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	t.Cleanup(cancel)
	return ctx
}
