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

// These tests ask the real kernel about child processes of this test binary. The
// variable childMode tells a child what to do.
const childMode = "PLACEMENT_TEST_CHILD"

// childTimeout ends a child that hangs.
const childTimeout = 2 * time.Minute

func TestMain(m *testing.M) {
	switch mode := os.Getenv(childMode); {
	case mode == "":
		os.Exit(leak.Watch(m).Run())
	case mode == "report":
	case mode == "work":
		work()
	case strings.HasPrefix(mode, "/"):
		joinAndWork(mode)
	}
	if err := json.NewEncoder(os.Stdout).Encode(surroundings()); err != nil {
		panic(err)
	}
}

// A view is what a child reports about itself.
type view struct {
	NumCPU     int
	Limits     Limits
	Throttling *Throttling
}

func surroundings() view {
	limits, err := System{}.Limits()
	if err != nil {
		panic(err)
	}
	return view{runtime.NumCPU(), limits, System{}.Throttling()}
}

// work keeps several threads busy, prints "busy", and goes on until stdin ends.
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

// spin uses 100 ms of the process's CPU time.
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

// joinAndWork enters a cgroup and works until the quota of it throttles this
// process. If it never does, the parent kills the process.
func joinAndWork(dir string) {
	if err := os.WriteFile(filepath.Join(dir, "cgroup.procs"), []byte("0"), 0); err != nil {
		panic(err)
	}
	for {
		if t := (System{}).Throttling(); t != nil && t.Periods > 0 {
			return
		}
	}
}

func child(t *testing.T, mode string, wrapper ...string) *exec.Cmd {
	ctx, cancel := context.WithTimeout(context.Background(), childTimeout)
	t.Cleanup(cancel)
	args := append(wrapper, os.Args[0])
	cmd := exec.CommandContext(ctx, args[0], args[1:]...)
	cmd.Stderr = os.Stderr
	cmd.Env = append(os.Environ(), childMode+"="+mode, "PROCPOOL_PROCS=", "SLURM_JOB_ID=")
	return cmd
}

// report runs a child to its end and returns its report.
func report(t *testing.T, cmd *exec.Cmd) (v view) {
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

// lastOf returns the last CPU of a set. A process is more likely to run on the first
// one by accident.
func lastOf(cpus CPUSet) (last int) {
	for c := range cpus.All() {
		last = c
	}
	return last
}

func TestRealMask(t *testing.T) {
	mask := realMask(t)
	for _, allowed := range allowedOfThreads(t, os.Getpid()) {
		if !allowed.Equal(mask) {
			t.Errorf("/proc allows %v, the system call %v", allowed, mask)
		}
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
	v := report(t, child(t, "report", taskset, "-c", one.String()))
	if v.NumCPU != 1 || v.Limits.Procs != 1 || v.Limits.DecidedBy != ByAffinity || v.Limits.All[0].Source != "mask "+one.String() {
		t.Errorf("under taskset -c %v: %+v", one, v)
	}
}

// A child that is started from a thread with a mask inherits it before its runtime
// starts, so all its threads have it. The mask does not spread in the parent.
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
	threads := allowedOfThreads(t, cmd.Process.Pid)
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
	for _, allowed := range threads {
		if !allowed.Equal(one) {
			t.Errorf("bound to %v, but a thread may run on %v", one, allowed)
		}
	}
	if len(threads) < 2 {
		t.Errorf("the child has %d threads", len(threads))
	}
}

// allowedOfThreads returns the affinity mask of every thread of a process.
func allowedOfThreads(t *testing.T, pid int) (masks []CPUSet) {
	t.Helper()
	files, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/status", pid))
	if err != nil || len(files) == 0 {
		t.Fatalf("no threads of process %d: %v", pid, err)
	}
	for _, file := range files {
		status, err := os.ReadFile(file)
		if err != nil {
			continue // the thread has ended
		}
		_, list, _ := strings.Cut(string(status), "\nCpus_allowed_list:\t")
		list, _, _ = strings.Cut(list, "\n")
		masks = append(masks, set(list))
	}
	return masks
}

func TestCurrentCPU(t *testing.T) {
	if cpu, ok := CurrentCPU(); !ok || !realMask(t).Contains(cpu) {
		t.Errorf("CurrentCPU returns %d, %v; the mask is %v", cpu, ok, realMask(t))
	}
}

// startBound starts cmd as a pool starts a bound worker.
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
	v := report(t, child(t, inner))
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

// quotaCgroup creates a cgroup below that of this process with a quota of 2 ms in
// 100 ms, and returns its directory and the file with the quota. It skips the test
// if that is not allowed.
func quotaCgroup(t *testing.T) (dir, file string) {
	t.Helper()
	reason := "no cgroup of ours is mounted"
	for _, g := range (System{}).cgroups("cpu") {
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

// removeCgroup removes a cgroup as soon as its last process has left.
func removeCgroup(t *testing.T, dir string) {
	var err error
	for deadline := time.Now().Add(10 * time.Second); time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
		if err = os.Remove(dir); err == nil {
			return
		}
	}
	t.Logf("cannot remove the cgroup: %v", err)
}

func TestRealDoctor(t *testing.T) {
	d := System{}.Doctor(0)
	if d.Kernel == "" || d.Affinity == nil || d.Memory.Total == nil || d.Usable.CPUs != realMask(t).Count() {
		t.Errorf("%+v", d)
	}
}
