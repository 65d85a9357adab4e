package cli_test

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// slurm brings up a Slurm of 2 nodes with 2 CPUs each, and points b's commands to it.
func (b *bench) slurm() {
	b.Helper()
	for _, name := range []string{"slurmctld", "slurmd", "munged", "srun", "salloc", "sbatch", "squeue", "scontrol"} {
		program(b.T, name)
	}
	dir, err := os.MkdirTemp("", "slurm-") // munged wants a short path that everybody may search
	if err != nil {
		b.Fatal(err)
	}
	b.env = append(b.env, "SLURM_CONF="+dir+"/slurm.conf")
	b.Cleanup(func() {
		exec.Command("sh", "../testdata/slurm/down.sh", dir).Run()
		if b.Failed() {
			logs, _ := exec.Command("sh", "-c", "tail -n 15 "+dir+"/*.log").Output()
			b.Logf("%s", logs)
		}
		os.RemoveAll(dir)
	})
	ports, _ := strconv.Atoi(freePort(b.T))
	up := exec.Command("sh", "../testdata/slurm/up.sh", dir, "2", "2", strconv.Itoa(ports))
	log, err := os.Create(filepath.Join(b.dir, "up.log")) // no pipe: the daemons would keep it
	if err != nil {
		b.Fatal(err)
	}
	defer log.Close()
	up.Stdout, up.Stderr, up.WaitDelay = log, log, time.Second
	begin := time.Now()
	if err := up.Run(); err != nil {
		text, _ := os.ReadFile(log.Name())
		b.Fatalf("slurm does not come up: %v: %s", err, text)
	}
	b.Logf("Slurm was up after %v", time.Since(begin).Round(time.Millisecond))
}

// steps is the launcher in an allocation, jobs the one outside.
const (
	steps = "srun -Q -n1 -N1 -c1 --exact --mpi=none"
	jobs  = "srun -Q -n1 -N1 -I60"
)

// run with these arguments in an allocation for 4 tasks.
func (b *bench) allocated(args ...string) []string {
	return append([]string{"salloc", "-Q", "-n4", b.exe, "run", "--json"}, args...)
}

// idle waits until Slurm has nothing of a kind in its queue: no jobs, or with -s no steps.
func (b *bench) idle(kind ...string) time.Duration {
	b.Helper()
	return b.until("nothing in Slurm's queue", func() bool {
		s := b.run(append([]string{"squeue", "-h"}, kind...)...)
		return s.code == 0 && s.stdout == ""
	})
}

// matching are processes whose command line has all these words in it.
func matching(t *testing.T, words ...string) (pids []int) {
	t.Helper()
	lines, _ := filepath.Glob("/proc/[0-9]*/cmdline")
	for _, path := range lines {
		line, _ := os.ReadFile(path)
		if !slices.ContainsFunc(words, func(w string) bool { return !bytes.Contains(line, []byte(w)) }) {
			pid, _ := strconv.Atoi(strings.Split(path, "/")[2])
			pids = append(pids, pid)
		}
	}
	return pids
}

// parentOf is the process that started another.
func parentOf(pid int) int {
	stat, _ := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	_, rest, _ := strings.Cut(string(stat), ") ")
	fields := strings.Fields(rest)
	if len(fields) < 2 {
		return 0
	}
	ppid, _ := strconv.Atoi(fields[1])
	return ppid
}

func TestSlurm(t *testing.T) {
	engine(t)
	t.Parallel()
	b := newBench(t)
	b.slurm()
	want := b.undisturbed(work...)
	timed := func(name string, test func(t *testing.T)) {
		t.Run(name, func(t *testing.T) {
			begin := time.Now()
			test(t)
			t.Logf("took %v", time.Since(begin).Round(10*time.Millisecond))
		})
	}
	done := func(t *testing.T, s said) report {
		t.Helper()
		r := s.report(b)
		if s.code != 0 || r.Status != "done" || r.Value.String() != want {
			t.Errorf("%+v, want %s", s, want)
		}
		return r
	}
	timed("a steps give the same bits", func(t *testing.T) {
		r := done(t, b.run(b.allocated(append([]string{"--launcher", steps}, work...)...)...))
		if r.Procs != 4 || r.Limits.By != "slurm" {
			t.Errorf("%d workers by %s, not 4 by slurm", r.Procs, r.Limits.By)
		}
		pi := []string{"--chunk-size", "1_000_000", "1e8"} // whose bits depend on the cuts
		if got, here := b.run(b.allocated(append([]string{"--launcher", steps}, pi...)...)...).report(b).Value, b.undisturbed(pi...); got.String() != here {
			t.Errorf("%s, not %s", got, here)
		}
		b.env = append(b.env, "SLURM_LABELIO=1")
		done(t, b.run(b.allocated(append([]string{"--launcher", steps}, work...)...)...))
		b.env = b.env[:len(b.env)-1]
	})
	timed("b a killed task", func(t *testing.T) {
		_, end := b.start(b.allocated(append([]string{"--launcher", steps, "--journal", "b"}, work...)...)...)
		pid := b.working("b", 4)[1]
		syscall.Kill(pid, syscall.SIGKILL)
		s := end()
		if done(t, s); !strings.Contains(s.stderr, fmt.Sprintf("pid %d", pid)) {
			t.Errorf("%+v", s)
		}
	})
	timed("c a killed node", func(t *testing.T) {
		_, end := b.start(b.allocated(append([]string{"--launcher", steps, "--journal", "c", "--heartbeat", "2s"}, work...)...)...)
		worker := b.working("c", 4)[1]
		syscall.Kill(parentOf(worker), syscall.SIGKILL) // slurmstepd, and what it looked after
		syscall.Kill(worker, syscall.SIGKILL)
		s := end()
		if done(t, s); !strings.Contains(s.stderr, "silent for longer than 2s") {
			t.Errorf("%+v", s)
		}
		t.Logf("%s", s.stderr)
	})
	timed("d everything killed on this side", func(t *testing.T) {
		cmd, end := b.start(b.exe, "run", "--procs", "3", "--launcher", jobs, "--journal", "d", "--heartbeat", "2s", "--task", "pi-fast", "--chunk-size", "10_000_000", "1e15")
		b.working("d", 3)
		launchers := matching(t, "srun\x00", b.dir)
		if len(launchers) < 3 {
			t.Fatalf("%d launchers", len(launchers))
		}
		cmd.Process.Kill()
		for _, pid := range launchers {
			syscall.Kill(-pid, syscall.SIGKILL) // with srun's shepherd
		}
		end()
		t.Logf("workers were gone after %v", b.until("workers gone", b.noWorkers).Round(10*time.Millisecond))
		t.Logf("and their steps after %v more", b.idle("-s").Round(10*time.Millisecond))
		b.run("scancel", "--user="+strconv.Itoa(os.Getuid())) // without srun nobody gives the jobs back
	})
	timed("e more workers than slots", func(t *testing.T) {
		s := b.run(b.allocated(append([]string{"--procs", "5", "--launcher", steps + " -I1"}, "--task", "pi-fast", "--chunk-size", "10_000_000", "2e11")...)...)
		if s.code != 0 || !strings.Contains(s.stderr, "Requested nodes are busy; it is tried again") {
			t.Errorf("%+v", s)
		}
		t.Logf("%s", s.stderr)
		s = b.run(b.allocated("--launcher", steps+" -w nowhere", "10")...)
		if s.code != 1 || !strings.Contains(s.stderr, "no worker can be started") {
			t.Errorf("%+v", s)
		}
	})
	timed("f an array and its sum", func(t *testing.T) { b.array(t, want) })
	timed("the script for steps", func(t *testing.T) { b.stepsScript(t, want) })
	timed("the scripts for programs", func(t *testing.T) { b.execScripts(t) })
	timed("the script that is requeued", func(t *testing.T) { b.requeueScript(t) })
	timed("doctor", func(t *testing.T) {
		s := b.run("salloc", "-Q", "-n4", b.exe, "doctor", "--launcher", steps)
		if s.code != 0 || !strings.Contains(s.stdout, "round trip") {
			t.Errorf("%+v", s)
		}
		t.Logf("%s", s.stdout[strings.Index(s.stdout, "launcher"):])
	})
	b.idle()
}
