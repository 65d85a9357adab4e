package placement

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"procpool/internal/leak"
)

// These tests ask the real kernel. Their subject is this test binary, started
// again with the variable childMode, which says what it does in place of testing.
const childMode = "PLACEMENT_TEST_CHILD"

// hang is the hard end of a child that hangs; no child needs a part of it.
const hang = 2 * time.Minute

func TestMain(m *testing.M) {
	switch mode := os.Getenv(childMode); {
	case mode == "":
		os.Exit(leak.Watch(m).Run())
	case mode == "look":
	case mode == "work":
		work()
	case strings.HasPrefix(mode, "/"):
		joinAndWork(mode)
	}
	if err := json.NewEncoder(os.Stdout).Encode(look()); err != nil {
		panic(err)
	}
}

// A view is what a child sees of its own surroundings.
type view struct {
	NumCPU     int
	Limits     Limits
	Activity   Activity
	Throttling *Throttling
}

func look() view {
	limits, err := System{}.Limits()
	if err != nil {
		panic(err)
	}
	return view{runtime.NumCPU(), limits, System{}.Activity(0), System{}.Throttling(0)}
}

// work keeps several threads busy, says so, and goes on until stdin ends.
func work() {
	for range 4 {
		go func() {
			for {
				spin()
			}
		}()
	}
	spin()
	fmt.Println("busy")
	io.Copy(io.Discard, os.Stdin)
}

// spin takes 100 ms of the process's CPU time, however long that takes.
func spin() {
	for end := cpuTime() + 100*time.Millisecond; cpuTime() < end; {
	}
}

func cpuTime() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		panic(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// joinAndWork enters a cgroup and works until its quota bites. The parent kills
// a process that waits in vain.
func joinAndWork(dir string) {
	if err := os.WriteFile(filepath.Join(dir, "cgroup.procs"), []byte("0"), 0); err != nil {
		panic(err)
	}
	for {
		if t := (System{}).Throttling(0); t != nil && t.Periods > 0 {
			return
		}
	}
}

func child(t *testing.T, mode string, wrapper ...string) *exec.Cmd {
	ctx, cancel := context.WithTimeout(context.Background(), hang)
	t.Cleanup(cancel)
	args := append(wrapper, os.Args[0])
	cmd := exec.CommandContext(ctx, args[0], args[1:]...)
	cmd.Stderr = os.Stderr
	cmd.Env = append(os.Environ(), childMode+"="+mode, "PROCPOOL_PROCS=", "SLURM_JOB_ID=")
	return cmd
}

// seen runs a child to its end and gives what it saw.
func seen(t *testing.T, cmd *exec.Cmd) (v view) {
	t.Helper()
	out, err := cmd.Output()
	if err == nil {
		err = json.Unmarshal(out, &v)
	}
	if err != nil {
		t.Fatalf("%v: %v, output %q", cmd.Args, err, out)
	}
	return v
}

func realMask(t *testing.T) CPUSet {
	t.Helper()
	mask, err := System{}.Mask()
	if err != nil || mask.Empty() {
		t.Fatalf("the mask is %v, %v", mask, err)
	}
	return mask
}

// lastOf is the last CPU of a set: the first one is the likely one by accident.
func lastOf(cpus CPUSet) (last int) {
	for c := range cpus.All() {
		last = c
	}
	return last
}

func TestRealMask(t *testing.T) {
	mask := realMask(t)
	if a := (System{}).Activity(0); a.Allowed == nil || !a.Allowed.Equal(mask) {
		t.Errorf("/proc allows %v, the kernel call %v", a.Allowed, mask)
	}
	if mask.Count() != runtime.NumCPU() {
		t.Errorf("mask %v, but the runtime counts %d CPUs", mask, runtime.NumCPU())
	}
	if known := (System{}).Topology().all(); !mask.Minus(known).Empty() {
		t.Errorf("the topology has CPUs %v, the mask %v", known, mask)
	}
}

func TestRealTaskset(t *testing.T) {
	taskset, err := exec.LookPath("taskset")
	if err != nil {
		t.Skip("no taskset here")
	}
	one := NewCPUSet(lastOf(realMask(t)))
	v := seen(t, child(t, "look", taskset, "-c", one.String()))
	if v.NumCPU != 1 || v.Limits.Procs != 1 || v.Limits.DecidedBy != ByAffinity || v.Limits.All[0].Source != "mask "+one.String() {
		t.Errorf("under taskset -c %v: %+v", one, v)
	}
}

// A child started from a thread with a mask has the mask before its runtime
// starts, all its threads stay inside, and the mask does not spread in the parent.
func TestRealBinding(t *testing.T) {
	mask := realMask(t)
	one := NewCPUSet(lastOf(mask))
	cmd := child(t, "work")
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	startBound(t, cmd, one, mask)
	lines := bufio.NewScanner(stdout)
	if !lines.Scan() || lines.Text() != "busy" {
		t.Fatalf("the child says %q, %v", lines.Text(), lines.Err())
	}
	before := System{}.Activity(cmd.Process.Pid)
	spin() // the child works beside us
	after := System{}.Activity(cmd.Process.Pid)
	stdin.Close()
	if !lines.Scan() {
		t.Fatalf("no answer from the child: %v", lines.Err())
	}
	var v view
	if err := json.Unmarshal(lines.Bytes(), &v); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err != nil {
		t.Fatal(err)
	}
	if v.NumCPU != 1 || v.Limits.Procs != 1 {
		t.Errorf("the child counts %d CPUs and would start %+v", v.NumCPU, v.Limits)
	}
	for _, a := range []Activity{before, after} {
		if a.Allowed == nil || !a.Allowed.Equal(one) || a.LastCPUs == nil || !a.LastCPUs.Equal(one) {
			t.Errorf("bound to %v: allowed %v, ran on %v", one, a.Allowed, a.LastCPUs)
		}
		if a.VoluntarySwitches == nil || a.InvoluntarySwitches == nil {
			t.Error("no context switches to be read on this Linux")
		}
	}
	if before.Migrations != nil && *before.Migrations != *after.Migrations {
		t.Errorf("%d migrations while bound to one CPU", *after.Migrations-*before.Migrations)
	}
}

// startBound starts cmd the way a pool does.
func startBound(t *testing.T, cmd *exec.Cmd, cpus, mask CPUSet) {
	t.Helper()
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	if err := SetThreadAffinity(cpus); err != nil {
		t.Fatal(err)
	}
	if got, err := ThreadAffinity(); err != nil || !got.Equal(cpus) {
		t.Errorf("set %v, got %v, %v", cpus, got, err)
	}
	startErr := cmd.Start()
	if err := SetThreadAffinity(mask); err != nil {
		t.Fatal(err)
	}
	if got, err := ThreadAffinity(); err != nil || !got.Equal(mask) {
		t.Errorf("restored %v, got %v, %v", mask, got, err)
	}
	if startErr != nil {
		t.Fatal(startErr)
	}
}

func TestRealAffinityErrors(t *testing.T) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	mask := realMask(t)
	if err := SetThreadAffinity(CPUSet{}); err == nil {
		t.Error("an empty set is accepted")
	}
	beyond := NewCPUSet(MaxCPUs - 1)
	if err := SetThreadAffinity(beyond); err == nil || !strings.Contains(err.Error(), beyond.String()) {
		t.Errorf("CPU %v: error %v", beyond, err)
	}
	if !realMask(t).Equal(mask) {
		t.Error("a refused set changed the mask")
	}
}

// A real quota, set in the cgroup above that of the process.
func TestRealQuota(t *testing.T) {
	outer, file := quotaCgroup(t)
	inner := filepath.Join(outer, "inner")
	if err := os.Mkdir(inner, 0o777); err != nil {
		t.Skipf("no cgroup in a cgroup: %v", err)
	}
	t.Cleanup(func() { removeCgroup(t, inner) })
	v := seen(t, child(t, inner))
	var found *Limit
	for _, l := range v.Limits.All {
		if l.By == ByCgroup && strings.HasPrefix(l.Source, file+" = 2000/100000") {
			found = &l
		}
	}
	if found == nil || found.Procs != 1 || v.Limits.Procs != 1 {
		t.Errorf("a quota of 2 ms in 100: %+v", v.Limits)
	}
	if realMask(t).Count() > 1 && v.Limits.DecidedBy != ByCgroup {
		t.Errorf("decided by %s", v.Limits.DecidedBy)
	}
	if v.Throttling == nil || filepath.Dir(v.Throttling.Path) != outer || v.Throttling.Seconds <= 0 {
		t.Errorf("throttling %+v, want some of %s", v.Throttling, outer)
	}
}

// quotaCgroup makes a cgroup below our own with 2 ms of CPU time in 100 ms, which
// the slowest machine exceeds at once, and gives its directory and the file that
// says so. The test is skipped where that is not allowed.
func quotaCgroup(t *testing.T) (dir, file string) {
	t.Helper()
	reason := "no cgroup of ours is mounted"
	for _, g := range (System{}).cgroups(0, "cpu") {
		dir := filepath.Join(g.dirs[0], fmt.Sprintf("procpool-test-%d", os.Getpid()))
		file, text := filepath.Join(dir, "cpu.max"), "2000 100000"
		if g.version == 1 {
			file, text = filepath.Join(dir, "cpu.cfs_quota_us"), "2000"
		}
		if err := os.Mkdir(dir, 0o777); err != nil {
			reason = err.Error()
			continue
		}
		t.Cleanup(func() { removeCgroup(t, dir) })
		if err := os.WriteFile(file, []byte(text), 0); err != nil {
			reason = err.Error()
			continue
		}
		return dir, file
	}
	t.Skipf("no cgroup with a quota can be made here: %s", reason)
	return "", ""
}

// removeCgroup waits for the kernel to see that the last process has left.
func removeCgroup(t *testing.T, dir string) {
	var err error
	for deadline := time.Now().Add(10 * time.Second); time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
		if err = os.Remove(dir); err == nil {
			return
		}
	}
	t.Logf("left behind: %v", err)
}

func TestRealDoctor(t *testing.T) {
	d := System{}.Doctor(0)
	if d.Kernel == "" || d.Affinity == nil || d.Memory.Total == nil || d.Usable.CPUs != realMask(t).Count() {
		t.Errorf("%+v", d)
	}
}
