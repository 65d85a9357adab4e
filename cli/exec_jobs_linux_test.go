package cli_test

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// execJob is a job whose program is the Python example.
func (b *bench) execJob(t *testing.T, dir string, env ...string) *bench {
	t.Helper()
	return b.job(t, dir, append([]string{"CHUNK_SIZE=100_000", "INTERVALS=1e6", "PROGRAM=" + script(t, "approx_pi.py"), "SHARES=3"}, env...)...)
}

// piByPython is the line that a run of the example prints.
func (b *bench) piByPython(t *testing.T) string {
	t.Helper()
	program(t, "python3")
	b.env = append(b.env, "PATH="+b.dir+":/usr/bin:"+os.Getenv("PATH")+":/usr/sbin") // Debian's Python starts faster than a shim
	s := b.run(b.exe, "exec", "--chunk-size", "100_000", "1e6", "--", "python3", script(t, "approx_pi.py"))
	line, _, _ := strings.Cut(s.stdout, "\n")
	if s.code != 0 || !strings.HasPrefix(line, "exec over [0, 1000000) = 3.141591653589") {
		t.Fatalf("%+v", s)
	}
	return line
}

func TestExecUnderParallel(t *testing.T) {
	long(t)
	t.Parallel()
	program(t, "parallel")
	b := newBench(t)
	want := b.piByPython(t)
	c := b.execJob(t, "parallel")
	for range 2 { // the second time everything is there
		s := c.run("sh", script(t, "exec-parallel.sh"))
		if s.code != 0 || s.stdout != want+"\n" {
			t.Errorf("%+v, not %s", s, want)
		}
	}
	c = b.execJob(t, "broken", "PROGRAM=nosuch.py")
	if s := c.run("sh", script(t, "exec-parallel.sh")); s.code == 0 || !strings.Contains(s.stderr, "exited with code 2") {
		t.Errorf("%+v", s)
	}
}

func TestExecUnderMake(t *testing.T) {
	long(t)
	t.Parallel()
	program(t, "make")
	b := newBench(t)
	want := b.piByPython(t)
	c := b.execJob(t, "make")
	make := []string{"make", "-C", c.dir, "-f", script(t, "exec.mk"), "-j3"}
	if s := c.run(append(make, "PROGRAM=nosuch.py")...); s.code == 0 || c.read("result") != "" {
		t.Errorf("with a program that is not there: %+v", s)
	}
	c.run("sh", "-c", "rm share-*") // they are of that program
	if s := c.run(make...); s.code != 0 || c.read("result") != want+"\n" {
		t.Errorf("%+v: %q, not %s", s, c.read("result"), want)
	}
	// A share that is not done goes on where it was.
	c.run("sh", "-c", "rm result share-2.done && head -n 3 share-2.journal >j && mv j share-2.journal")
	if s := c.run(make...); s.code != 0 || c.read("result") != want+"\n" || strings.Contains(s.stdout, "share 1/3") {
		t.Errorf("%+v: %q, not %s", s, c.read("result"), want)
	}
	if s := c.run(append(make, "-q")...); s.code != 0 {
		t.Errorf("all is done, and make would do more: %+v", s)
	}
}

func TestExecUnderCron(t *testing.T) {
	long(t)
	t.Parallel()
	b := newBench(t)
	want := b.piByPython(t)
	c := b.execJob(t, "cron", "DEADLINE=5s", "PROCPOOL_PROCS=1")
	cron := []string{"sh", script(t, "exec-cron.sh")}
	calls := 0
	c.until("the result", func() bool {
		if s := c.run(cron...); s.code != 0 || s.stdout+s.stderr != "" {
			t.Fatalf("%+v", s)
		}
		calls++
		return c.read("result") != ""
	})
	if !strings.HasPrefix(c.read("result"), want+"\n") {
		t.Errorf("%q, not %s", c.read("result"), want)
	}
	if files, _ := filepath.Glob(filepath.Join(c.dir, "*.[0-9]*")); len(files) > 0 {
		t.Errorf("%d calls left %q", calls, files)
	}

	c = b.execJob(t, "used", "INTERVALS=1e9")
	cmd, end := c.start(cron...)
	c.until("a journal", func() bool { return c.read("cron.journal") != "" })
	if s := c.run(cron...); s.code != 0 || s.stdout+s.stderr != "" {
		t.Errorf("beside another: %+v", s)
	}
	cmd.Process.Kill() // only the shell
	for _, pid := range c.processes() {
		syscall.Kill(pid, syscall.SIGKILL)
	}
	end()

	c = b.execJob(t, "wrong", "INTERVALS=many")
	if s := c.run(cron...); s.code != 2 || !strings.Contains(s.stderr, "INTERVALS is") {
		t.Errorf("a mistake: %+v", s)
	}
}

// execScripts are the job scripts for Slurm.
func (b *bench) execScripts(t *testing.T) {
	want := b.piByPython(t)
	array := b.execJob(t, "exec-array", "SCRIPT=exec-slurm-array.sh")
	steps := b.execJob(t, "exec-steps")
	if s := array.run("sh", script(t, "slurm-array-submit.sh")); s.code != 0 {
		t.Fatalf("%+v", s)
	}
	if s := steps.run("sbatch", "--output="+steps.dir+"/log", script(t, "exec-slurm-steps.sh")); s.code != 0 {
		t.Fatalf("%+v", s)
	}
	steps.until("the result of the steps", func() bool { return strings.Contains(steps.read("log"), "Time = ") })
	array.until("the merge of the array", func() bool { return strings.Contains(array.read("merge.log"), "exec over") })
	for name, log := range map[string]string{"array": array.read("merge.log"), "steps": steps.read("log")} {
		if !strings.Contains(log, want+"\n") {
			t.Errorf("%s: %q, not %s", name, log, want)
		}
	}
}
