package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"procpool/child"

	"procpool/compare"
	"procpool/internal/leak"
	_ "procpool/internal/tasks"
	"procpool/ipc"
	"procpool/pool"
	"procpool/task"
)

func TestMain(m *testing.M) {
	child.Main()
	os.Setenv("GORACE", "atexit_sleep_ms=0") // or each of many processes takes a second to end
	os.Setenv("LC_ALL", "C.UTF-8")
	if dir, err := os.UserCacheDir(); err == nil && os.Getenv("GOCACHE") == "" {
		os.Setenv("GOCACHE", filepath.Join(dir, "go-build")) // else 'go build' would begin with the standard library
	}
	cache, err := os.MkdirTemp("", "procpool-cli")
	if err != nil {
		panic(err)
	}
	os.Setenv("XDG_CACHE_HOME", cache)
	code := leak.Watch(m).Run()
	os.RemoveAll(cache)
	os.Exit(code)
}

// whoami breaks the rule of compare: its value depends on the process.
var _ = task.DefineSum("whoami", func(context.Context, ipc.Interval) (int, error) { return os.Getpid(), nil },
	func(a, b int) int { return a + b })

// letters has inputs, and no intervals.
var letters = task.Define("letters", func(_ context.Context, s string) (int, error) { return len(s), nil })

var _ = compare.Inputs(letters, func(i int64) string { return strings.Repeat("x", int(i%7)) })

// procpool runs one command line in this process.
func procpool(args ...string) (code int, stdout, stderr string) {
	var out, err bytes.Buffer
	code = Main(Options{Name: "procpool", Tutorial: "pi", Args: append([]string{"procpool"}, args...), Stdout: &out, Stderr: &err})
	return code, out.String(), err.String()
}

// quick is a small experiment.
func quick(args ...string) []string {
	return append([]string{"compare", "--procs", "1", "--size", "2000", "--chunks", "8", "--max-pairs", "7", "--max-time", "1h"}, args...)
}

func TestCompareRendersAgainByteForByte(t *testing.T) {
	dir := t.TempDir()
	args, again := quick("pi"), []string{"compare"}
	for _, f := range formats {
		args = append(args, "--export-"+f.name, filepath.Join(dir, f.name))
	}
	code, table, stderr := procpool(args...)
	if code != 0 || stderr != "1 worker on 1 task, at most 3.6e+03 s (Ctrl-C: what is known so far)\n" {
		t.Fatalf("exit code %d: %q", code, stderr)
	}
	saved := filepath.Join(os.Getenv("XDG_CACHE_HOME"), "procpool", "last")
	again = append(again, "--from", filepath.Join(dir, "json"))
	for _, args := range [][]string{again, {"compare", "--from", saved}} {
		code, out, stderr := procpool(args...)
		if want := strings.Replace(table, saved, args[2], 1); code != 0 || strings.Join(strings.Fields(out), " ") != strings.Join(strings.Fields(want), " ") || stderr != "" {
			t.Errorf("exit code %d, %q; the table is\n%s\nnot\n%s", code, stderr, out, want)
		}
	}
	for _, f := range formats {
		want, err := os.ReadFile(filepath.Join(dir, f.name))
		if err != nil || len(want) == 0 {
			t.Fatal(f.name, err)
		}
		if code, out, stderr := procpool(append(again, "--export-"+f.name, "-")...); code != 0 || out != string(want) {
			t.Errorf("%s: exit code %d, %q; rendered again it is other bytes", f.name, code, stderr)
		}
	}
	checkExpectations(t, again)
}

// checkTrace checks that a trace can be read and has spans of these phases.
func checkTrace(t *testing.T, trace []byte, phases ...string) {
	t.Helper()
	var events struct {
		TraceEvents []struct {
			Ph, Name string
			Dur      float64
		}
	}
	if err := json.Unmarshal(trace, &events); err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for _, e := range events.TraceEvents {
		seen[e.Name] = seen[e.Name] || e.Ph == "X" && e.Dur > 0
	}
	for _, p := range phases {
		if !seen[p] {
			t.Errorf("no %s in the trace", p)
		}
	}
}

func checkExpectations(t *testing.T, from []string) {
	t.Helper()
	for _, c := range []struct {
		claims string
		code   int
		stderr string
	}{
		{"pi@1: processes/goroutines <= 1e9", 0, ": met\n"},
		{"pi@1: processes/goroutines <= 1e-9", exitExpect, ": not met, the ratio is "},
		{"pi@1: processes/goroutines <= 1e9; pi@1: processes/goroutines > 1e9", exitExpect, "procpool: not shown to hold: pi@1: processes/goroutines > 1e9\n"},
		{"pi@7: processes/goroutines < 2", exitUsage, "the experiment does not compare processes with goroutines on pi with 7 workers\n"},
		{"pi: fast", exitUsage, "want TASK@WORKERS: BACKEND/BACKEND <= NUMBER"},
	} {
		if code, _, stderr := procpool(append(from, "--expect", c.claims)...); code != c.code || !strings.Contains(stderr, c.stderr) {
			t.Errorf("%s: exit code %d, %q", c.claims, code, stderr)
		}
	}
}

func TestCompareResultsThatDifferAreExitCode3(t *testing.T) {
	code, stdout, stderr := procpool(quick("whoami")...)
	if code != exitDiffer || stdout != "" || !strings.Contains(stderr, "procpool: results differ: ") || !strings.Contains(stderr, "\nhint: ") {
		t.Errorf("exit code %d, stdout %q, stderr %q", code, stdout, stderr)
	}
}

func TestCompareWithoutTimeIsExitCode2(t *testing.T) {
	code, stdout, stderr := procpool("compare", "--max-time", "1ms", "pi")
	if code != exitUsage || stdout != "" || !strings.Contains(stderr, "the budget is 1ms\nhint: ") {
		t.Errorf("exit code %d, stdout %q, stderr %q", code, stdout, stderr)
	}
}

func TestCompareRefuses(t *testing.T) {
	dir := t.TempDir()
	for _, c := range []struct {
		args []string
		want string
	}{
		{[]string{"compare", "nil"}, `unknown task "nil"`},
		{[]string{"compare", "compare.run"}, `unknown task "compare.run"`},
		{[]string{"compare", "null"}, "name another task"},
		{[]string{"compare", "-n", "2,x", "pi"}, `--procs is "2,x"`},
		{[]string{"compare", "-n", "3..2", "pi"}, "runs backwards"},
		{[]string{"compare", "-b", "fibers", "pi"}, `unknown backend "fibers"`},
		{[]string{"compare", "--equivalence", "2", "pi"}, `--equivalence is "2"`},
		{[]string{"compare", "--backends", "serial", "pi"}, "nothing to compare serial with"},
		{[]string{"compare", "--heap", "big", "pi"}, `--heap is "big"`},
		{[]string{"compare", "--export-html", "-", "--json", "pi"}, "more than one export to stdout"},
		{[]string{"compare", "--export-html", filepath.Join(dir, "no", "file"), "pi"}, "there is no directory"},
		{[]string{"compare", "--export-html", dir, "pi"}, "it is a directory"},
		{[]string{"compare", "--from", filepath.Join(dir, "nothing")}, "no such file"},
		{[]string{"compare", "--from", dir, "--why"}, "--why cannot be used with --from"},
		{[]string{"compare", "--from", dir, "pi"}, "it takes no tasks"},
		{[]string{"compare", "--max-pairs", "501", "pi"}, `--max-pairs is "501"`},
		{[]string{"compare", "--baseline", filepath.Join(dir, "nothing"), "pi"}, "no such file"},
	} {
		code, stdout, stderr := procpool(c.args...)
		if code != exitUsage || stdout != "" || !strings.HasPrefix(stderr, "procpool: ") || !strings.Contains(stderr, c.want) {
			t.Errorf("%s: exit code %d, stdout %q, stderr %q, want %q", c.args, code, stdout, stderr, c.want)
		}
	}
}

func TestCompareDryRunPrintsThePlan(t *testing.T) {
	code, stdout, stderr := procpool(quick("--dry-run", "pi")...)
	if code != 0 || !strings.HasPrefix(stdout, "plan: 1 comparison of 3 cells, at most 3600 s; seed ") || stderr != "" {
		t.Errorf("exit code %d, stdout %q, stderr %q", code, stdout, stderr)
	}
}

// A program's own tasks are compared, those with inputs as well; the task of exec is none.
func TestCompareTasksWithInputs(t *testing.T) {
	code, stdout, stderr := procpool("compare", "-q", "--procs", "2", "--warm", "--size", "40", "--max-pairs", "2", "--max-time", "1h", "letters")
	if code != 0 || !strings.Contains(stdout, "\nletters ") || stderr != "" {
		t.Errorf("exit code %d, %q\n%s", code, stderr, stdout)
	}
	if names := comparedTasks(); !slices.Contains(names, "letters") || !slices.Contains(names, "pi") || slices.Contains(names, "exec") || slices.Contains(names, compare.Null) {
		t.Errorf("what can be compared: %q", names)
	}
}

// An experiment that a signal cut short leaves a report of what is complete.
func TestCompareCutShortIsReported(t *testing.T) {
	path := filepath.Join(t.TempDir(), "record")
	if code, _, stderr := procpool(quick("pi", "--export-json", path)...); code != 0 {
		t.Fatal(stderr)
	}
	file, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	rec, err := compare.Read(file)
	if err != nil {
		t.Fatal(err)
	}
	var out, errs bytes.Buffer
	m := &compareCommand{program: &program{Options: Options{Name: "procpool", Stdout: &out, Stderr: &errs}}, signal: syscall.SIGINT}
	rec.Status = pool.Interrupted
	if code := m.exit(m.finish(rec, context.Canceled)); code != 130 {
		t.Errorf("exit code %d", code)
	}
	if !strings.HasPrefix(out.String(), "task  processes take") || errs.String() != "procpool: ended by SIGINT: 7 rounds are complete\n" {
		t.Errorf("stderr %q, stdout\n%s", errs.String(), out.String())
	}
}

func TestRunWritesATrace(t *testing.T) {
	for backend, phases := range map[string][]string{"processes": {"spawn", "hello", "compute"}, "goroutines": {"compute"}, "serial": {"compute"}} {
		path := filepath.Join(t.TempDir(), "trace.json")
		if code, _, stderr := procpool("run", "--trace", path, "--backend", backend, "--procs", "2", "--chunk-size", "1000", "10_000"); code != 0 {
			t.Fatal(backend, stderr)
		}
		trace, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		checkTrace(t, trace, phases...)
		if n := bytes.Count(trace, []byte(`"name":"compute"`)); n != 10 {
			t.Errorf("%s: %d spans of computing for 10 chunks", backend, n)
		}
	}
	if code, _, stderr := procpool("run", "--trace", "/no/such/place", "10"); code != exitUsage || !strings.Contains(stderr, "there is no directory /no/such") {
		t.Errorf("exit code %d, %q", code, stderr)
	}
}
