package comparetest_test

import (
	"context"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"

	"procpool/compare/comparetest"
	"procpool/internal/leak"
	"procpool/pool"
)

func TestMain(m *testing.M) {
	pool.Main()
	os.Setenv("GORACE", "atexit_sleep_ms=0") // or each of many processes takes a second to end
	os.Exit(leak.Watch(m).Run())
}

// upper is a task with inputs; count is one over intervals.
var (
	upper = pool.Define("upper", func(_ context.Context, s string) (string, error) { return strings.ToUpper(s), nil })
	count = pool.DefineSum("count", func(_ context.Context, iv pool.Interval) (int64, error) { return iv.Len(), nil },
		func(a, b int64) int64 { return a + b }, pool.Exact())
	where = pool.Define("where", func(context.Context, int) (int, error) { return os.Getpid(), nil })
)

func BenchmarkUpper(b *testing.B) { comparetest.Run(b, upper, []string{"a", "b", "c", "d"}) }

func BenchmarkCount(b *testing.B) { comparetest.RunSum(b, count, pool.Interval{End: 1e6}) }

// The value of where differs from process to process, which ends a benchmark.
func BenchmarkWhere(b *testing.B) { comparetest.Run(b, where, []int{1}) }

func TestBenchmarksReportBothSidesAndTheirRatio(t *testing.T) {
	bench := func(name string) (string, error) {
		cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run", "^$", "-test.bench", "^Benchmark"+name+"$", "-test.benchtime", "3x")
		out, err := cmd.CombinedOutput()
		return string(out), err
	}
	line := regexp.MustCompile(`(?m)^Benchmark(Upper|Count)\S*\s+3\s+\d\S* goroutines-ns/op\s+\d\S* processes-ns/op\s+\d\S* ratio$`)
	for _, name := range []string{"Upper", "Count"} {
		if out, err := bench(name); err != nil || !line.MatchString(out) {
			t.Errorf("%s: %v\n%s", name, err, out)
		}
	}
	if out, err := bench("Where"); err == nil || !strings.Contains(out, "processes and goroutines compute different results") {
		t.Errorf("a task that breaks the rules: %v\n%s", err, out)
	}
}
