package cli_test

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
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
	c := &bench{T: t, dir: filepath.Join(b.dir, dir), exe: b.exe, work: b.work}
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

// exampleJobs are the outputs of job that examples/jobs has.
var exampleJobs = map[string]string{
	"slurm": "slurm-array.sh", "gridengine": "gridengine-array.sh", "pbs": "pbs-array.sh", "lsf": "lsf-array.sh",
	"kubernetes": "kubernetes-indexed.yaml", "aws-batch": "aws-batch.sh", "parallel": "parallel.sh", "make": "job.mk",
}

// printed is what job prints for an engine, with 4 shares of the benches' work.
func (b *bench) printed(engine string, flags ...string) string {
	b.Helper()
	args := slices.Concat([]string{"procpool", "job", "--engine", engine, "--shares", "4"}, flags, []string{"--", "run"}, b.work)
	s := b.run(append([]string{"env"}, args...)...)
	if s.code != 0 || s.stderr != "" {
		b.Fatalf("%+v", s)
	}
	return s.stdout
}

// job prints the jobs of examples/jobs. PROCPOOL_UPDATE=1 writes them there.
func TestJobsAreTheExamples(t *testing.T) {
	b := newBench(t)
	for engine, name := range exampleJobs {
		s := b.run("env", "procpool", "job", "--engine", engine, "--shares", "100", "--procs", "2", "--", "run", "--task", "pi-fast", "1e13")
		if s.code != 0 || s.stderr != "" {
			t.Fatalf("%s: %+v", engine, s)
		}
		if os.Getenv("PROCPOOL_UPDATE") != "" {
			if err := os.WriteFile(script(t, name), []byte(s.stdout), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		if want, _ := os.ReadFile(script(t, name)); s.stdout != string(want) {
			t.Errorf("job --engine %s prints something else than examples/jobs/%s has; PROCPOOL_UPDATE=1 writes it there", engine, name)
		}
	}
}

// Engines that run here compute the sum.
func TestJobsOfParallelAndMake(t *testing.T) {
	long(t)
	b := newBench(t)
	b.work = littleWork
	want := b.undisturbed(b.work...)
	for engine, command := range map[string][]string{"parallel": {"sh", "job"}, "make": {"make", "-f", "job", "-j2"}} {
		t.Run(engine, func(t *testing.T) {
			program(t, engine)
			c := b.job(t, engine)
			os.WriteFile(filepath.Join(c.dir, "job"), []byte(c.printed(engine)), 0o644)
			for range 2 { // the second finds everything done
				if s := c.run(command...); s.code != 0 {
					t.Fatalf("%+v", s)
				}
				if sum := c.read("procpool.sum"); !strings.Contains(sum, " = "+want) {
					t.Fatalf("%q, not %s", sum, want)
				}
			}
		})
	}
}

// standIn plays qsub and bsub: it runs what it is given at once, for each task of an
// array with the variables of all engines.
const standIn = `#!/bin/sh
script=$(cat)
n=$(printf '%s' "$*" | grep -o '[^0-9]1-[0-9]*' | head -n 1)
[ -z "$n" ] && { sh -c "$script" >merged; exit; }
for k in $(seq "${n##*-}"); do
    export SGE_TASK_ID=$k PBS_ARRAY_INDEX=$k LSB_JOBINDEX=$k PBS_O_WORKDIR="$PWD"
    sh -c "$script" >"$k.out" 2>&1 || exit
done
echo 'Job <7> is submitted'
`

// Engines that are not here are played by a script, so that what the jobs do is tried, but
// not how the engines understand their flags.
func TestJobsOfEnginesThatAreNotHere(t *testing.T) {
	long(t)
	b := newBench(t)
	b.work = littleWork
	want := b.undisturbed(b.work...)
	for _, engine := range []string{"gridengine", "pbs", "lsf"} {
		c := b.job(t, engine)
		os.WriteFile(filepath.Join(c.dir, "job"), []byte(c.printed(engine, "--mem", "1G", "--procs", "2")), 0o644)
		for _, name := range []string{"qsub", "bsub"} {
			os.WriteFile(filepath.Join(c.dir, name), []byte(standIn), 0o755)
		}
		c.env = append(c.env, "PATH="+c.dir+":"+b.dir+":"+os.Getenv("PATH"))
		if s := c.run("sh", "job"); s.code != 0 {
			t.Fatalf("%s: %+v", engine, s)
		}
		if sum := c.read("merged"); !strings.Contains(sum, " = "+want) {
			t.Errorf("%s: %q, not %s; %s", engine, sum, want, c.read("1.out"))
		}
	}
	aws := b.printed("aws-batch")
	for _, quoted := range strings.Split(aws, "--container-overrides '")[1:] {
		var overrides struct{ Command []string }
		text, _, _ := strings.Cut(quoted, "'")
		if err := json.Unmarshal([]byte(text), &overrides); err != nil || len(overrides.Command) < 6 {
			t.Errorf("%v: %s", err, text)
		}
	}
}

// kubectl reads the manifest, and knows each of its fields: it prints as many.
func TestJobOfKubernetes(t *testing.T) {
	long(t)
	if _, err := exec.LookPath("kubectl"); err != nil {
		t.Skip("there is no kubectl") // too large a package to install it everywhere
	}
	b := newBench(t)
	os.WriteFile(filepath.Join(b.dir, "job.yaml"), []byte(b.printed("kubernetes", "--mem", "512M")), 0o644)
	s := b.run("kubectl", "label", "--local", "-f", "job.yaml", "a=b", "--dry-run=client", "-o", "yaml")
	for _, field := range []string{"completionMode: Indexed", "completions: 4", "backoffLimitPerIndex: 10", "type: DisruptionTarget",
		"terminationGracePeriodSeconds: 90", "PROCPOOL_SHARES", "memory: 512Mi", "cpu: \"1\"", "backoffLimit: 1000", "/data/procpool-4.journal", "claimName: procpool"} {
		if !strings.Contains(s.stdout, field) {
			t.Errorf("kubectl does not print %s", field)
		}
	}
	if s.code != 0 {
		t.Errorf("%+v", s)
	}
}

func (b *bench) array(t *testing.T, want string) {
	c := b.job(t, "array")
	os.WriteFile(filepath.Join(c.dir, "job"), []byte(c.printed("slurm")), 0o644)
	if s := c.run("sh", "job"); s.code != 0 {
		t.Fatalf("%+v", s)
	}
	c.until("the sum", func() bool { return strings.Contains(c.read("procpool-merge.log"), "pi-fast over [0, 50000000000) = ") })
	if log := c.read("procpool-merge.log"); !strings.Contains(log, " = "+want) {
		t.Errorf("the sum is %q, not %s", log, want)
	}
	shares := []string{"procpool-1.journal", "procpool-2.journal", "procpool-3.journal", "procpool-4.journal"}
	if s := c.run(append([]string{c.exe, "status", "--missing"}, shares[:3]...)...); s.stdout != "4\n" {
		t.Errorf("%+v", s)
	}
	if _, s := c.merged(shares[:3]...); s.code == 0 || !strings.Contains(s.stderr, "4/4") {
		t.Errorf("without a share: %+v", s)
	}
	c.run(c.exe, "run", "--task", "pi-fast", "--chunk-size", "10_000_000", "--share", "4/4", "--journal", "foreign", "3e10")
	if _, s := c.merged(append(shares[:3], "foreign")...); s.code == 0 || !strings.Contains(s.stderr, "foreign") {
		t.Errorf("with a share of something else: %+v", s)
	}
	// An array whose shares nobody tells: each rank of each task has a part.
	s := c.run("sbatch", "--array=1-2", "-n2", "--output=ranks-%a.log", "--wrap", "srun procpool run --share auto --journal 'r-{share}' --task pi-fast 1e9; procpool run --json --share auto 1000 >whole-$SLURM_ARRAY_TASK_ID")
	if s.code != 0 {
		t.Fatalf("%+v", s)
	}
	c.until("the ends", func() bool { return c.read("whole-1") != "" && c.read("whole-2") != "" })
	if s := c.run(c.exe, "merge", "r-1", "r-2", "r-3", "r-4"); s.code != 0 {
		t.Errorf("%+v; %s", s, c.read("ranks-1.log"))
	}
	if !strings.Contains(c.read("whole-2"), `"share": "2/2"`) { // a batch script is no rank
		t.Errorf("%s", c.read("whole-2"))
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
	long(t)
	program(t, "flock")
	b := newBench(t)
	c := b.job(t, "cron", "DEADLINE=700ms", "INTERVALS=5e10", "PROCPOOL_PROCS=1")
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
	if want := b.undisturbed("--task", "pi-fast", "--chunk-size", "10_000_000", "5e10"); !strings.Contains(c.read("result"), " = "+want) {
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
