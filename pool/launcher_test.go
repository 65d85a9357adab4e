//go:build unix

package pool

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"procpool/ipc"
	"procpool/parent"
	"procpool/placement"
	"procpool/task"
)

// told is what a launched worker was told.
type told struct {
	Rank, Threads int
	GOMAXPROCS    string // the environment's
	Depth, Home   string
}

var tell = task.Define("tell", func(ctx context.Context, _ int) (told, error) {
	return told{task.Worker(ctx), runtime.GOMAXPROCS(0), os.Getenv("GOMAXPROCS"), os.Getenv("PROCPOOL_DEPTH"), os.Getenv("HOME")}, nil
})

// freeze stops its process the first time, when the file that it is given does not exist.
var freeze = task.Define("freeze", func(_ context.Context, mark string) (int, error) {
	if f, err := os.OpenFile(mark, os.O_CREATE|os.O_EXCL, 0o600); err == nil {
		f.Close()
		syscall.Kill(os.Getpid(), syscall.SIGSTOP)
		select {} // another thread may have taken the signal, and this one goes on for a moment
	}
	return 7, nil
})

// program skips a test that needs a program which is not here. Where
// everything is said to be here, that is a failure.
func program(t *testing.T, name string) {
	t.Helper()
	if _, err := exec.LookPath(name); err == nil {
		return
	}
	if os.Getenv("PROCPOOL_CI_STRICT") == "1" {
		t.Fatalf("there is no %s, and PROCPOOL_CI_STRICT=1", name)
	}
	t.Skipf("there is no %s here", name)
}

func launchedPool(t *testing.T, o Options) *Pool {
	t.Helper()
	p, err := New(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.Close() })
	return p
}

func TestWrappersGiveTheSameSum(t *testing.T) {
	for _, launcher := range []string{
		"nice", "env A=b", "sh -c 'exec {cmd}'", "sh -c 'cat | {cmd}'", "sh -c '{cmd} | cat'", "sh -c 'echo noise; exec {cmd}'", "timeout 600",
		"taskset -c {cpu}", "prlimit --nofile=64", "setpriv --no-new-privs", "sh -c '{cmd}; exit 0' ignored",
	} {
		t.Run(launcher, func(t *testing.T) {
			name, _, _ := strings.Cut(launcher, " ")
			program(t, name)
			p := launchedPool(t, Options{Procs: 4, Launcher: launcher})
			got, err := Sum(t.Context(), p, pi, ipc.Interval{End: 4_000_000})
			if err != nil || got != 3.1415924035897742 {
				t.Errorf("%.16f, %v", got, err)
			}
			p.Close()
			for _, s := range p.Stats() {
				if s.Restarts != 0 {
					t.Errorf("%+v", s)
				}
				if err := syscall.Kill(s.PID, 0); s.PID > 0 && err == nil {
					t.Errorf("worker %d (pid %d) is still there", s.Worker, s.PID)
				}
			}
		})
	}
}

func TestEachWorkerIsPlaced(t *testing.T) {
	program(t, "taskset")
	p := launchedPool(t, Options{Procs: 2, Launcher: "taskset -c {cpu}"})
	system := placement.System{}
	mask, err := system.Mask()
	if err != nil {
		t.Fatal(err)
	}
	binding, err := placement.NewBinding(placement.BindingOptions{Bind: "close", Workers: 2, Width: 1, Mask: mask, Topology: system.Topology()})
	if err != nil {
		t.Fatal(err)
	}
	want := binding.CPUs
	for i := range want { // until all have come
		for p.Stats()[i].CPUs == "" {
			if _, err := Sum(t.Context(), p, null, ipc.Interval{End: 2}); err != nil {
				t.Fatal(err)
			}
		}
	}
	for i, s := range p.Stats() {
		if s.CPUs != want[i].String() {
			t.Errorf("worker %d may use CPUs %s, not %s", i, s.CPUs, want[i])
		}
	}
}

// env -i passes no environment on, as ssh does.
func TestSettingsNeedNoEnvironment(t *testing.T) {
	p := launchedPool(t, Options{Procs: 1, GOMAXPROCS: 3, Launcher: "env -i"})
	for got, err := range Map(t.Context(), p, tell, slices.Values([]int{0})) {
		if want := (told{Threads: 3, GOMAXPROCS: "3", Depth: "1"}); err != nil || got != want {
			t.Errorf("%+v, %v, not %+v", got, err, want)
		}
	}
}

func TestLauncherThatDoesNotLaunch(t *testing.T) {
	for _, c := range []struct{ launcher, want string }{
		{"sh -c 'echo some noise; echo the reason >&2; exit 3'", `noise\n" (the launcher exited with code 3); its last words: the reason`},
		{"sh -c 'kill -9 $$'", "it ended before it said hello (the launcher was ended by signal: killed)"},
		{"echo", `what it said instead begins with "` + os.Args[0][:min(20, len(os.Args[0]))]},
	} {
		t.Run(c.launcher, func(t *testing.T) {
			t.Parallel() // most of it is pauses between tries
			tries := 0
			p := launchedPool(t, Options{Procs: 1, Launcher: c.launcher, OnEvent: func(e Event) {
				if e.Kind == WorkerLost {
					tries++
				}
			}})
			_, err := Sum(t.Context(), p, null, ipc.Interval{End: 1})
			p.Close()
			var start *StartError
			var lost *LostWorkerError
			if !errors.As(err, &start) || !errors.As(err, &lost) || lost.Launcher != c.launcher || !strings.Contains(err.Error(), c.want) {
				t.Error(err)
			}
			if tries != maxFailedStarts {
				t.Errorf("%d tries, not %d", tries, maxFailedStarts)
			}
		})
	}
}

// A launcher that passes output on only at its end is found out by what comes
// when it is given up.
func TestLauncherThatHoldsOutputBack(t *testing.T) {
	t.Parallel()
	program(t, "base64")
	p := launchedPool(t, Options{Procs: 1, StartupTimeout: 200 * time.Millisecond, Launcher: `sh -c 'held=$({cmd} | base64); echo "$held" | base64 -d'`})
	_, err := Sum(t.Context(), p, null, ipc.Interval{End: 1})
	var silence *SilenceError
	if !errors.Is(err, parent.ErrHeldBack) && !errors.As(err, &silence) { // the latter where it takes longer than a second to let go
		t.Error(err)
	}
	t.Log(err)
}

// A stopped worker hears no end of input and heeds no SIGTERM. Where the
// launcher has become the worker there is nothing to be careful about.
func TestStoppedWorkerBehindAWrapperIsKilled(t *testing.T) {
	var mu sync.Mutex
	var lost []*LostWorkerError
	p := launchedPool(t, Options{Procs: 1, Heartbeat: 500 * time.Millisecond, Launcher: "nice", OnEvent: func(e Event) {
		mu.Lock()
		defer mu.Unlock()
		if l, ok := e.Err.(*LostWorkerError); ok && e.Kind == WorkerLost {
			lost = append(lost, l)
		}
	}})
	for got, err := range Map(t.Context(), p, freeze, slices.Values([]string{filepath.Join(t.TempDir(), "mark")})) {
		if err != nil || got != 7 {
			t.Errorf("%d, %v", got, err)
		}
	}
	mu.Lock()
	defer mu.Unlock()
	if len(lost) == 0 || lost[0].Signal != "killed" {
		t.Errorf("lost: %v", lost)
	}
}

func TestLauncherRefuses(t *testing.T) {
	cpus, err := placement.ParseCPUSet("0")
	if err != nil {
		t.Fatal(err)
	}
	for why, o := range map[string]Options{
		"{host} needs hosts":      {Procs: 1, Launcher: "sh {host}"},
		"hosts need a {host}":     {Procs: 1, Launcher: "nice", Hosts: []string{"a"}},
		"invalid host name":       {Procs: 1, Launcher: "nice {host}", Hosts: []string{"-oProxyCommand=x"}},
		"n[1-2]":                  {Procs: 1, Launcher: "nice {host}", Hosts: []string{"n[1-2]"}},
		"no program \"nosuch\"":   {Procs: 1, Launcher: "nosuch"},
		"heartbeats":              {Procs: 1, Launcher: "nice", Heartbeat: -1},
		"resident set":            {Procs: 1, Launcher: "nice", MaxRSS: 1 << 30},
		"a binding needs a {cpu}": {Procs: 1, Launcher: "nice", Bind: []placement.CPUSet{cpus}},
		"must be said":            {Launcher: "nice"},
		"launches nothing":        {Procs: 1, Launcher: "nice", Backend: Goroutines},
		"placeholder {nothing}":   {Procs: 1, Launcher: "nice {nothing}"},
		"there can be 1 to 4096":  {Procs: 5000, Launcher: "nice"},
	} {
		t.Setenv("SLURM_JOB_ID", "")
		_, err := New(t.Context(), o)
		var refused *OptionsError
		if !errors.As(err, &refused) || !strings.Contains(err.Error(), why) {
			t.Errorf("%+v: %v, want something about %q", o, err, why)
		}
	}
}

func TestLauncherLimits(t *testing.T) {
	for _, c := range []struct {
		job, tasks string
		hosts      []string
		want       int
		by         string
	}{
		{"7", "12", nil, 12, "slurm"},
		{"", "12", nil, 0, ""}, // a login shell's variable
		{"7", "", nil, 0, ""},
		{"7", "-1", nil, 0, ""},
		{"7", "12", []string{"a", "b"}, 2, "hosts"},
		{"", "", []string{"a"}, 1, "hosts"},
	} {
		t.Setenv("SLURM_JOB_ID", c.job)
		t.Setenv("SLURM_NTASKS", c.tasks)
		got, err := Options{Launcher: "nice", Hosts: c.hosts}.Limits()
		if got.Procs != c.want || got.DecidedBy != c.by || (err == nil) != (c.want > 0) {
			t.Errorf("%+v: %+v, %v", c, got, err)
		}
	}
}
