package cli_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// script is one of the project's job scripts.
func script(t *testing.T, name string) string {
	t.Helper()
	path, err := filepath.Abs(filepath.Join("../examples/jobs", name))
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// job is a bench in a directory of its own, with what a job script reads.
func (b *bench) job(t *testing.T, dir string, env ...string) *bench {
	t.Helper()
	c := &bench{T: t, dir: filepath.Join(b.dir, dir), exe: b.exe}
	if err := os.Mkdir(c.dir, 0o755); err != nil {
		t.Fatal(err)
	}
	c.env = append(append(b.env[:len(b.env):len(b.env)], "DIR="+c.dir, "CHUNK_SIZE=10_000_000", "INTERVALS=5e10"), env...)
	return c
}

func (b *bench) read(name string) string {
	text, _ := os.ReadFile(filepath.Join(b.dir, name))
	return string(text)
}

// merged is what merge makes of journals.
func (b *bench) merged(journals ...string) (value string, s said) {
	b.Helper()
	s = b.run(append([]string{b.exe, "merge", "--json"}, journals...)...)
	var r struct{ Value json.Number }
	json.Unmarshal([]byte(s.stdout), &r)
	return r.Value.String(), s
}

func (b *bench) array(t *testing.T, want string) {
	c := b.job(t, "array", "SHARES=4")
	if s := c.run("sh", script(t, "slurm-array-submit.sh")); s.code != 0 {
		t.Fatalf("%+v", s)
	}
	c.until("merge.log", func() bool { return strings.Contains(c.read("merge.log"), "pi-fast over [0, 50000000000) = ") })
	if log := c.read("merge.log"); !strings.Contains(log, " = "+want) {
		t.Errorf("the sum is %q, not %s", log, want)
	}
	shares := []string{"share-1.journal", "share-2.journal", "share-3.journal", "share-4.journal"}
	if got, s := c.merged(shares...); got != want {
		t.Errorf("%+v, not %s", s, want)
	}
	if _, s := c.merged(shares[:3]...); s.code == 0 || !strings.Contains(s.stderr, "4") {
		t.Errorf("without a share: %+v", s)
	}
	c.run(c.exe, "run", "--task", "pi-fast", "--chunk-size", "10_000_000", "--share", "4/4", "--journal", "foreign", "3e10")
	if _, s := c.merged(append(shares[:3], "foreign")...); s.code == 0 || !strings.Contains(s.stderr, "foreign") {
		t.Errorf("with a share of something else: %+v", s)
	}
}

func (b *bench) stepsScript(t *testing.T, want string) {
	c := b.job(t, "steps")
	if s := c.run("sbatch", "--output="+c.dir+"/log", script(t, "slurm-steps.sh")); s.code != 0 {
		t.Fatalf("%+v", s)
	}
	c.until("the result", func() bool { return strings.Contains(c.read("log"), "Time = ") }) // --wait looks every 10 s
	if log := c.read("log"); !strings.Contains(log, " = "+want) {
		t.Errorf("%q, not %s", log, want)
	}
}

// requeueScript is a job that puts itself into the queue again before its time
// is over, and is preempted on its second start.
func (b *bench) requeueScript(t *testing.T) {
	c := b.job(t, "requeue", "INTERVALS=1e11")
	s := c.run("sbatch", "--parsable", "--output="+c.dir+"/log", script(t, "slurm-requeue.sh"))
	id := strings.TrimSpace(s.stdout)
	lines := func() int { return strings.Count(c.read("requeue.journal"), "\n") }
	c.until("a journal", func() bool { return lines() > 2 })
	c.run("scancel", "--batch", "--signal=USR1", id)
	c.until("the end of the first start", func() bool { return strings.Contains(c.read("log"), "ended by SIGUSR1") })
	before := lines()
	c.until("the second start", func() bool { return lines() > before })
	c.run("scontrol", "requeue", id)
	c.until("the result", func() bool { return strings.Contains(c.read("log"), "pi-fast over") })
	log := c.read("log")
	if !strings.Contains(log, " = "+b.undisturbed("--task", "pi-fast", "--chunk-size", "10_000_000", "1e11")) {
		t.Errorf("%s", log)
	}
	t.Logf("%s", log)
}

func TestCronScript(t *testing.T) {
	program(t, "flock")
	b := newBench(t)
	c := b.job(t, "cron", "DEADLINE=700ms", "INTERVALS=1e11", "PROCPOOL_PROCS=1")
	cron := []string{"sh", script(t, "cron.sh")}
	calls := 0
	c.until("the result", func() bool {
		s := c.run(cron...)
		if s.code != 0 || s.stdout+s.stderr != "" {
			t.Fatalf("%+v", s)
		}
		calls++
		return c.read("result") != ""
	})
	t.Logf("%d calls", calls)
	if calls < 2 {
		t.Errorf("one call was enough, so nothing was continued")
	}
	if want := b.undisturbed("--task", "pi-fast", "--chunk-size", "10_000_000", "1e11"); !strings.Contains(c.read("result"), " = "+want) {
		t.Errorf("%q, not %s", c.read("result"), want)
	}
	if s := c.run(cron...); s.code != 0 || s.stdout+s.stderr != "" {
		t.Errorf("after the end: %+v", s)
	}

	c = b.job(t, "locked", "INTERVALS=1e15")
	cmd, end := c.start(cron...)
	c.until("a journal", func() bool { return c.read("cron.journal") != "" })
	if s := c.run(cron...); s.code != 0 || s.stdout+s.stderr != "" {
		t.Errorf("beside another: %+v", s)
	}
	cmd.Process.Kill() // only the shell
	end()

	c = b.job(t, "broken", "TASK=nosuch")
	if s := c.run(cron...); s.code != 2 || !strings.Contains(s.stderr, "unknown task") {
		t.Errorf("a mistake: %+v", s)
	}
}
