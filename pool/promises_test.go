package pool

import (
	"bytes"
	"context"
	"errors"
	"iter"
	"math"
	"math/rand/v2"
	"os"
	"runtime"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"procpool/child"
	"procpool/ipc"
	"procpool/task"
)

// What the documentation promises to somebody who uses the package for the
// first time: which mistakes are told, how errors are typed, what the options do.

// one is the only output of a map over one input.
func one[In, Out any](t *testing.T, p *Pool, tk task.Task[In, Out], in In) (out Out, err error) {
	t.Helper()
	n := 0
	for out, err = range Map(t.Context(), p, tk, slices.Values([]In{in})) {
		n++
	}
	if n != 1 {
		t.Fatalf("%d outputs of one input", n)
	}
	return out, err
}

func echoTask[T any](_ context.Context, v T) (T, error) { return v, nil }

var (
	hidden = task.Define("promise-hidden", echoTask[struct{ A, b int }])
	twice1 = task.Define("promise-twice", echoTask[int])
	twice2 = task.Define("promise-twice", echoTask[string])
	unsent = task.Define("promise-unsent", echoTask[chan int])
	noName = task.Define("", echoTask[int])
	noRun  = task.Define[int, int]("promise-no-run", nil)
	noAdd  = task.DefineSum("promise-no-add", func(context.Context, ipc.Interval) (int, error) { return 1, nil }, nil)
	loose  = task.Define("promise-loose", echoTask[any])

	onlyParent task.Task[int, int] // is defined everywhere but in workers
)

func init() {
	if len(os.Args) < 2 || os.Args[1] != child.Arg {
		onlyParent = task.Define("promise-only-parent", echoTask[int])
	}
}

func TestMistakesInDefinitionsAreTold(t *testing.T) {
	late := task.Define("promise-late", echoTask[int])
	for _, backend := range backends {
		p := openPool(t, Options{Procs: 1, Backend: backend})
		for _, c := range []struct {
			text string
			run  func() error
		}{
			{"is defined too late", func() error { _, err := one(t, p, late, 1); return err }},
			{"field b is not exported", func() error { _, err := one(t, p, hidden, struct{ A, b int }{}); return err }},
			{"is defined twice", func() error { _, err := one(t, p, twice1, 1); return err }},
			{"is defined twice", func() error { _, err := one(t, p, twice2, ""); return err }},
			{"a chan cannot be sent", func() error { _, err := one(t, p, unsent, nil); return err }},
			{"a task needs a name", func() error { _, err := one(t, p, noName, 1); return err }},
			{"is defined with a nil function", func() error { _, err := one(t, p, noRun, 1); return err }},
			{"is defined with a nil function", func() error { _, err := Sum(t.Context(), p, noAdd, ipc.Interval{End: 9}); return err }},
			{"was not made by task.Define", func() error { _, err := one(t, p, task.Task[int, int]{}, 1); return err }},
		} {
			if err := c.run(); err == nil || !strings.Contains(err.Error(), c.text) || strings.Contains(err.Error(), "\n") {
				t.Errorf("%s: %v; want one line with %q", backend, err, c.text)
			}
		}
	}
}

func TestATaskThatTheWorkerDoesNotHave(t *testing.T) {
	p := openPool(t, Options{Procs: 1})
	_, err := one(t, p, onlyParent, 1)
	var failed *TaskError
	if !errors.As(err, &failed) || !strings.Contains(err.Error(), `this program has no task "promise-only-parent"`) {
		t.Error(err)
	}
}

var errand = task.Define("promise-errand", func(_ context.Context, how string) ([]byte, error) {
	switch how {
	case "error":
		return nil, errors.New("no")
	case "panic":
		panic("oh")
	case "exit":
		os.Exit(3)
	case "hang":
		select {}
	case "large":
		return make([]byte, 2<<20), nil
	}
	return []byte(how), nil
})

// Every error of an input has a type and says which input it was; the inputs
// around it are not touched.
func TestErrorsSayWhichInput(t *testing.T) {
	p := openPool(t, Options{Procs: 2, Retries: -1, MaxMessage: 1 << 20})
	how := []string{"fine", "error", "panic", "exit", "large", strings.Repeat("x", 2<<20), "fine"}
	var of []Input
	i := 0
	for out, err := range Map(t.Context(), p, errand, slices.Values(how)) {
		var failed *TaskError
		var inner *task.Error
		var lost *LostWorkerError
		var input *InputError
		ok := false
		switch i {
		case 0, 6:
			ok = err == nil && string(out) == "fine"
		case 1:
			ok = errors.As(err, &failed) && errors.As(err, &inner) && inner.Text == "no" && inner.Stack == ""
		case 2:
			ok = errors.As(err, &failed) && errors.As(err, &inner) && inner.Text == "panic: oh" && strings.Contains(inner.Stack, "promises_test.go")
		case 3:
			ok = errors.As(err, &lost) && lost.ExitCode == 3 && lost.Signal == "" && lost.PID > 0 && lost.Attempts == 1
		case 4:
			ok = errors.As(err, &failed) && strings.Contains(err.Error(), "the result of 2097157 bytes is over the limit of 1048576 bytes a message")
		case 5:
			ok = errors.As(err, &input) && strings.Contains(err.Error(), "over the limit")
		}
		if !ok || err != nil && out != nil {
			t.Errorf("input %d: %d bytes, %v", i, len(out), err)
		}
		switch {
		case failed != nil:
			of = append(of, failed.Input)
		case lost != nil:
			of = append(of, lost.Input)
		case input != nil:
			of = append(of, input.Input)
		}
		i++
	}
	for k, in := range of {
		if in != (Input{Task: "promise-errand", Index: int64(k + 1)}) {
			t.Errorf("error %d names %+v", k+1, in)
		}
	}
	if i != len(how) || len(of) != 5 {
		t.Errorf("%d outputs, %d errors with inputs", i, len(of))
	}
}

func TestAnInputThatTakesTooLong(t *testing.T) {
	p := openPool(t, Options{Procs: 1, Retries: 1, Timeout: 200 * time.Millisecond})
	_, err := one(t, p, errand, "hang")
	var late *TimeoutError
	if !errors.As(err, &late) || !late.Timeout() || late.Limit != 200*time.Millisecond || late.PID <= 0 || late.Attempts != 2 || late.Input.Task != "promise-errand" {
		t.Error(err)
	}
}

func TestAnInputThatCannotBeEncoded(t *testing.T) {
	p := openPool(t, Options{Procs: 1})
	var input *InputError
	if _, err := one(t, p, loose, any(make(chan int))); !errors.As(err, &input) || input.Input.Task != "promise-loose" {
		t.Error(err)
	}
	if out, err := one(t, p, loose, any("text")); out != "text" || err != nil {
		t.Error(out, err)
	}
}

// Payloads large enough to go past every buffer, there and back, and the one
// byte that is too much. PROCPOOL_TEST_PAYLOAD is their size in MiB.
func TestLargePayloads(t *testing.T) {
	size := 16 << 20
	if mib, err := strconv.Atoi(os.Getenv("PROCPOOL_TEST_PAYLOAD")); err == nil {
		size = mib << 20
	}
	around := messageOverhead + len(reverse.Spec().Name) + 5 // the request's, and the header of bin
	p := openPool(t, Options{Procs: 2, MaxMessage: int64(size + around)})
	in := make([]byte, size)
	rand.NewChaCha8([32]byte{}).Read(in) // no two parts alike: none can stand in for another
	want := bytes.Clone(in)
	want[0], want[size-1] = want[size-1], want[0]
	for range 2 { // buffers are used again
		n := 0
		for out, err := range Map(t.Context(), p, reverse, slices.Values([][]byte{in, in, in, in})) {
			if err != nil || !bytes.Equal(out, want) {
				t.Fatalf("%d bytes, %v", len(out), err)
			}
			n++
		}
		if n != 4 {
			t.Errorf("%d outputs of 4 inputs", n)
		}
	}
	var input *InputError
	if _, err := one(t, p, reverse, append(in, 'x')); !errors.As(err, &input) {
		t.Error(err)
	}
	small := openPool(t, Options{Procs: 1, MaxMessage: minMessage})
	if out, err := one(t, small, reverse, []byte("ab")); string(out) != "ba" || err != nil {
		t.Errorf("with the smallest limit: %q, %v", out, err)
	}
}

// surroundings is what a worker says of the process it runs in.
type surroundings struct {
	Procs  int
	Memory int64
	Env    []string
	Index  int
}

var look = task.Define("promise-look", func(ctx context.Context, keys []string) (s surroundings, err error) {
	s = surroundings{Procs: runtime.GOMAXPROCS(0), Memory: debug.SetMemoryLimit(-1), Index: task.Worker(ctx)}
	for _, k := range keys {
		s.Env = append(s.Env, os.Getenv(k))
	}
	return s, nil
})

func TestWorkersSurroundings(t *testing.T) {
	none := int64(math.MaxInt64)
	for _, c := range []struct {
		name    string
		options Options
		limit   int64 // of this process
		want    surroundings
	}{
		{"by default", Options{}, 0, surroundings{Procs: 1, Memory: none, Env: []string{"inherited", ""}}},
		{"as the options say", Options{GOMAXPROCS: 2, GOMEMLIMIT: 1 << 30, Env: []string{"PROMISE_A=own", "PROMISE_B=1", "PROMISE_B=2"}}, 0,
			surroundings{Procs: 2, Memory: 1 << 30, Env: []string{"own", "2"}}},
		{"as Env says", Options{GOMAXPROCS: 2, GOMEMLIMIT: 1 << 30, Env: []string{"GOMAXPROCS=3", "GOMEMLIMIT=2GiB"}}, 0,
			surroundings{Procs: 3, Memory: 2 << 30, Env: []string{"inherited", ""}}},
		{"with this process's limit divided", Options{Procs: 4}, 1 << 30, surroundings{Procs: 1, Memory: 1 << 28, Env: []string{"inherited", ""}}},
		{"with a limit of its own", Options{Procs: 4, GOMEMLIMIT: 1 << 29}, 1 << 30, surroundings{Procs: 1, Memory: 1 << 29, Env: []string{"inherited", ""}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Setenv("PROMISE_A", "inherited")
			if c.limit > 0 {
				t.Setenv("GOMEMLIMIT", "1GiB")
				defer debug.SetMemoryLimit(debug.SetMemoryLimit(c.limit)) // what the runtime does with the variable at start
			} else {
				t.Setenv("GOMEMLIMIT", "")
			}
			if c.options.Procs == 0 {
				c.options.Procs = 1
			}
			got, err := one(t, openPool(t, c.options), look, []string{"PROMISE_A", "PROMISE_B"})
			got.Index = 0 // whichever worker was first
			if err != nil || got.Procs != c.want.Procs || got.Memory != c.want.Memory || !slices.Equal(got.Env, c.want.Env) {
				t.Errorf("%+v, %v; want %+v", got, err, c.want)
			}
		})
	}
}

func TestZeroOptions(t *testing.T) {
	p := openPool(t, Options{})
	if p.Procs() < 1 {
		t.Errorf("%d workers", p.Procs())
	}
	if got, err := one(t, p, look, nil); err != nil || got.Procs != 1 {
		t.Errorf("%+v, %v", got, err)
	}
}

func TestOptionsThatCannotBeHad(t *testing.T) {
	for _, c := range []struct {
		options Options
		text    string
	}{
		{Options{Procs: -1}, "-1 workers"},
		{Options{Procs: MaxProcs + 1}, "there can be 1 to"},
		{Options{Backend: "fibers"}, `unknown backend "fibers"`},
		{Options{Timeout: -1}, "negative option"},
		{Options{GOMEMLIMIT: -1}, "negative option"},
		{Options{MaxMessage: -1}, "MaxMessage"},
		{Options{MaxMessage: 1}, "MaxMessage"},
		{Options{MaxMessage: 4095}, "MaxMessage"},
		{Options{MaxMessage: 1 << 31}, "MaxMessage"},
		{Options{MaxMessage: 1 << 40}, "MaxMessage"},
		{Options{Backend: Goroutines, Timeout: 1}, "cannot keep a timeout"},
		{Options{Backend: Goroutines, MaxRSS: 1}, "no worker processes"},
		{Options{Backend: Serial, MaxChunksPerChild: 1}, "no worker processes"},
		{Options{Backend: Serial, Env: []string{"A=1"}}, "no worker processes"},
		{Options{Backend: Goroutines, GOMEMLIMIT: 1}, "no worker processes"},
	} {
		p, err := New(t.Context(), c.options)
		var refused *OptionsError
		if !errors.As(err, &refused) || !strings.Contains(err.Error(), c.text) || p != nil {
			t.Errorf("%+v: %v; want %q", c.options, err, c.text)
		}
	}
}

// nested opens a pool in its worker, and that one's worker another, until it
// is refused: it returns how deep it came, and why no deeper.
var nested task.Task[int, string]

func init() {
	nested = task.Define("promise-nested", func(ctx context.Context, depth int) (string, error) {
		p, err := New(ctx, Options{Procs: 1})
		if err != nil {
			return strings.Repeat("in ", depth) + err.Error(), nil
		}
		defer p.Close()
		return Reduce(ctx, p, nested, slices.Values([]int{depth + 1}), "", func(_, deeper string) (string, error) { return deeper, nil })
	})
}

func TestPoolsAreNestedThreeDeep(t *testing.T) {
	got, err := one(t, openPool(t, Options{Procs: 1}), nested, 1)
	if want := "in in in pools are nested 3 deep, no deeper"; got != want || err != nil {
		t.Errorf("%q, %v; want %q", got, err, want)
	}
}

// counted yields n inputs and counts how many are pulled.
func counted(n int, pulled *int) iter.Seq[int] {
	return func(yield func(int) bool) {
		for i := range n {
			*pulled++
			if !yield(i) {
				return
			}
		}
	}
}

func TestNothingHappensBeforeTheRangeBegins(t *testing.T) {
	for _, backend := range backends {
		p := openPool(t, Options{Procs: 1, Backend: backend})
		pulled := 0
		outputs := Map(t.Context(), p, increment, counted(10, &pulled))
		if pulled != 0 {
			t.Errorf("%s: %d inputs pulled before the range", backend, pulled)
		}
		for range 2 { // a map may be ranged over again: it runs again
			sum := 0
			for out, err := range outputs {
				if err != nil {
					t.Fatal(err)
				}
				sum += out
			}
			if sum != 55 {
				t.Errorf("%s: the outputs add up to %d", backend, sum)
			}
		}
		if pulled != 20 {
			t.Errorf("%s: %d inputs pulled", backend, pulled)
		}
	}
}
