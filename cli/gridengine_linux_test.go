package cli_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"
)

// gridEngine brings up a Grid Engine of one host with four slots, and returns how to run
// a command in its namespace.
func (b *bench) gridEngine() (within []string) {
	b.Helper()
	for _, name := range []string{"sge_qmaster", "sge_execd", "qsub", "unshare", "nsenter"} {
		if _, err := exec.LookPath(name); err != nil {
			if _, err := os.Stat("/usr/sbin/" + name); err != nil {
				b.Skipf("there is no %s: .ci/packages full installs it", name)
			}
		}
	}
	if os.Geteuid() != 0 {
		b.Skip("a mount namespace for Grid Engine takes root")
	}
	dir, err := os.MkdirTemp("", "gridengine-") // its names of files have a limit
	if err != nil {
		b.Fatal(err)
	}
	scripts, err := filepath.Abs("../testdata/gridengine/")
	if err != nil {
		b.Fatal(err)
	}
	port := freePort(b.T)
	log, err := os.Create(filepath.Join(b.dir, "up.log")) // no pipe: the daemons would keep it
	if err != nil {
		b.Fatal(err)
	}
	defer log.Close()
	up := exec.Command("unshare", "-m", "sh", scripts+"/up.sh", dir, port, b.dir)
	up.Stdout, up.Stderr, up.Env = log, log, b.env
	begin := time.Now()
	if err := up.Start(); err != nil {
		b.Fatal(err)
	}
	within = []string{"nsenter", "-m", "-t", strconv.Itoa(up.Process.Pid)}
	b.Cleanup(func() {
		exec.Command(within[0], append(within[1:], "sh", scripts+"/down.sh", dir, port)...).Run()
		up.Process.Kill()
		up.Wait()
		os.RemoveAll(dir)
	})
	b.until("Grid Engine is up: "+log.Name(), func() bool {
		_, err := os.Stat(filepath.Join(dir, "up"))
		return err == nil
	})
	b.Logf("Grid Engine was up after %v", time.Since(begin).Round(time.Millisecond))
	p, _ := strconv.Atoi(port)
	b.env = append(b.env, "SGE_ROOT="+dir+"/root", "SGE_CELL=default", "SGE_QMASTER_PORT="+port, "SGE_EXECD_PORT="+strconv.Itoa(p+1))
	return within
}

// The job that is printed for Grid Engine runs on a real one: the shares and their merge,
// and a share that goes into the queue again at the soft limit of time and resumes.
func TestJobOfGridEngine(t *testing.T) {
	engine(t)
	t.Parallel()
	b := newBench(t)
	want := b.undisturbed(work...)
	within := b.gridEngine()
	c := b.job(t, "array")
	c.dir = t.TempDir() // Grid Engine itself replaces a $HOME in the name of the folder
	submit := func(job string) {
		t.Helper()
		os.WriteFile(filepath.Join(c.dir, "job"), []byte(job), 0o644)
		if s := c.run(append(within, "sh", "-c", "cd "+c.dir+" && sh job")...); s.code != 0 {
			t.Fatalf("%+v", s)
		}
	}
	submit(c.printed("gridengine", "--procs", "2"))
	c.until("the sum", func() bool { return strings.Contains(c.read("procpool-merge.log"), "pi-fast over [0, 50000000000) = ") })
	if log := c.read("procpool-merge.log"); !strings.Contains(log, " = "+want) {
		t.Errorf("the sum is %q, not %s", log, want)
	}

	c = b.job(t, "limit")
	c.dir = t.TempDir()
	s := c.run("env", "procpool", "job", "--engine", "gridengine", "--shares", "1", "--", "run", "--task", "pi-fast", "--chunk-size", "1e7", "1e15")
	if s.code != 0 {
		t.Fatalf("%+v", s)
	}
	submit(regexp.MustCompile(`s_rt=[0-9:]+`).ReplaceAllString(s.stdout, "s_rt=0:0:3"))
	lines := 0
	c.until("the soft limit", func() bool {
		lines = strings.Count(c.read("procpool-1.journal"), "\n")
		return strings.Contains(c.read("procpool-1.log"), "ended by SIGUSR1")
	})
	c.until("the second start", func() bool { return strings.Count(c.read("procpool-1.journal"), "\n") > lines+2 })
	if q := c.run(append(within, "qstat")...); !strings.Contains(q.stdout, "Rr") {
		t.Errorf("the share does not run again: %+v", q)
	}
	c.run(append(within, "qdel", "-f", "-u", "*")...)
}
