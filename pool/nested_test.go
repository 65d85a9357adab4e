package pool

import (
	"context"
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"procpool/placement"
	"procpool/task"
)

// settings is what a worker finds where it runs.
type settings struct {
	Auto    int // workers that a pool within it would have
	By      string
	GODEBUG string
	Dir     string
}

var readSettings = task.Define("nested-settings", func(context.Context, int) (s settings, err error) {
	limits, err := Options{}.Limits()
	if err != nil {
		return s, err
	}
	s.Auto, s.By, s.GODEBUG = limits.Procs, limits.DecidedBy, os.Getenv("GODEBUG")
	s.Dir, err = os.Getwd()
	return s, err
})

// A pool within a worker has its share of the CPUs, not all of them again.
func TestNestedPoolsShareTheCPUs(t *testing.T) {
	limits, err := Options{}.Limits()
	if err != nil {
		t.Fatal(err)
	}
	for _, procs := range []int{1, 2, 1000} {
		p := openPool(t, Options{Procs: min(procs, 8), IdleTimeout: 0})
		s, err := Call(t.Context(), p, readSettings, 0)
		if want := max(limits.Procs/min(procs, 8), 1); err != nil || s.Auto != want {
			t.Errorf("%d workers on %d CPUs: a pool within has %d (%s), not %d: %v", procs, limits.Procs, s.Auto, s.By, want, err)
		}
		p.Close()
	}
	if runtime.GOOS != "linux" {
		return
	}
	mask, err := placement.System{}.Mask()
	if err != nil {
		t.Fatal(err)
	}
	p := openPool(t, Options{Procs: 4, Bind: []placement.CPUSet{mask}})
	if s, err := Call(t.Context(), p, readSettings, 0); err != nil || s.Auto != mask.Count() {
		t.Errorf("a worker bound to %v has a pool of %d: %v", mask, s.Auto, err)
	}
}

// A setting that would keep a worker in a tight loop from saying that it lives does
// not reach it.
func TestWorkersArePreemptible(t *testing.T) {
	t.Setenv("GODEBUG", "asyncpreemptoff=1,madvdontneed=1")
	p := openPool(t, Options{Procs: 1})
	if s, err := Call(t.Context(), p, readSettings, 0); err != nil || s.GODEBUG != "madvdontneed=1" {
		t.Errorf("GODEBUG is %q: %v", s.GODEBUG, err)
	}
}

func TestWorkersDirectory(t *testing.T) {
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	p := openPool(t, Options{Procs: 1, Dir: dir})
	if s, err := Call(t.Context(), p, readSettings, 0); err != nil || s.Dir != dir {
		t.Errorf("workers run in %s: %v", s.Dir, err)
	}
}
