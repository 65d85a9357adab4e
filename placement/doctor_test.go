package placement

import (
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"
)

var update = flag.Bool("update", false, "rewrite the golden files in testdata")

// batch is a Slurm job with many problems on a server of two sockets with SMT.
func batch() System {
	return machine(2, 2, 4, 2).with(files{
		"/proc/sys/kernel/osrelease": "6.1.0-18-amd64",
		"/proc/self/cgroup":          "0::/system.slice/slurmstepd.scope/job_4711/step_0/user/task_0",
		"/proc/self/mountinfo":       mountinfo(mountV2),
		"/proc/self/limits":          "Max address space         629145600            unlimited            bytes\nMax processes             4096                 96365                processes",
		"/proc/self/status":          user(1000, 5, "0"),
		"/proc/4711/status":          user(1000, 5, "0"),
		"/proc/meminfo":              "MemTotal:       263855812 kB\nMemAvailable:   201326592 kB",
		"/sys/fs/cgroup/system.slice/slurmstepd.scope/job_4711/cpu.max":                          "1250000 100000",
		"/sys/fs/cgroup/system.slice/slurmstepd.scope/job_4711/cpu.stat":                         "nr_periods 900\nnr_throttled 42\nthrottled_usec 3141592",
		"/sys/fs/cgroup/system.slice/slurmstepd.scope/job_4711/memory.max":                       "8589934592",
		"/sys/fs/cgroup/system.slice/slurmstepd.scope/job_4711/step_0/user/task_0/memory.events": "oom_kill 1",
		"/sys/fs/cgroup/system.slice/slurmstepd.scope/pids.max":                                  "1000",
		"/sys/fs/cgroup/system.slice/slurmstepd.scope/pids.current":                              "42",
	}).system("0-5,16-21",
		"SLURM_JOB_ID=4711", "SLURM_CPUS_PER_TASK=12", "SLURM_CPUS_ON_NODE=12",
		"GOMAXPROCS=1", "GOMEMLIMIT=4GiB", "PROCPOOL_PROCS=20", "OMP_NUM_THREADS=12")
}

func TestDoctorText(t *testing.T) {
	d := batch().Doctor(0)
	d.OS, d.Arch = "linux", "amd64"
	d.NumericKernel = "avx2"
	d.Launcher = []string{"srun -n1: 3 of 3 workers answered"}
	var b strings.Builder
	if err := d.WriteText(&b); err != nil {
		t.Fatal(err)
	}
	golden(t, "doctor.txt", b.String())
	for line := range strings.Lines(b.String()) {
		if len(line) > 80+1 {
			t.Errorf("%d columns: %s", len(line)-1, line)
		}
	}
}

func TestDoctorJSON(t *testing.T) {
	d := batch().Doctor(0)
	d.OS, d.Arch = "linux", "amd64"
	text, err := json.MarshalIndent(d, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "doctor.json", string(text)+"\n")
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	file := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if got != strings.ReplaceAll(string(want), "\r\n", "\n") {
		t.Errorf("differs from %s (go test -update rewrites it):\n%s", file, got)
	}
}

func TestDoctorWarnings(t *testing.T) {
	throttled := quota("200000 100000").with(files{"/sys/fs/cgroup/a/cpu.stat": "nr_throttled 5\nthrottled_usec 10"})
	limits := func(bytes string) files {
		return files{"/proc/self/limits": "Max address space         " + bytes + "           unlimited            bytes"}
	}
	smt := machine(1, 1, 4, 2)
	for _, c := range []struct {
		name  string
		sys   System
		procs int
		want  string // the kinds
	}{
		{"all is well", machine(1, 1, 4, 1).system("0-3"), 0, ""},
		{"as many as there are", machine(1, 1, 4, 1).system("0-3"), 4, ""},
		{"too many wanted", machine(1, 1, 4, 1).system("0-3"), 5, "oversubscribed"},
		{"too many for the quota", quota("200000 100000").system("0-3"), 3, "oversubscribed"},
		{"too many in the variable", files{}.system("0-3", "PROCPOOL_PROCS=5"), 0, "oversubscribed"},
		{"the variable lowers", files{}.system("0-3", "PROCPOOL_PROCS=3"), 0, ""},
		{"a bad variable", files{}.system("0-3", "PROCPOOL_PROCS=x"), 0, "bad-variable"},
		{"a bad variable of Slurm", files{}.system("0-3", "SLURM_JOB_ID=1", "SLURM_CPUS_ON_NODE=x"), 0, "ignored"},
		{"less than one CPU", quota("50000 100000").system("0-3"), 0, "quota"},
		{"just one CPU", quota("100000 100000").system("0-3"), 0, ""},
		{"throttled", throttled.system("0-3"), 0, "throttled"},
		{"siblings in use", smt.system("0-7"), 0, "smt"},
		{"siblings not needed", smt.system("0-7"), 4, ""},
		{"siblings not in the mask", smt.system("0-3"), 0, ""},
		{"GOMAXPROCS", files{}.system("0-3", "GOMAXPROCS=1"), 0, "gomaxprocs"},
		{"GOMEMLIMIT", files{}.system("0-3", "GOMEMLIMIT=1GiB"), 0, "gomemlimit"},
		{"too few addresses", limits("1073741824").system("0-3"), 0, "address-space"},
		{"enough addresses", limits("2147483648").system("0-3"), 0, ""},
		{"addresses without limit", limits("unlimited").system("0-3"), 0, ""},
		{"not Linux", files{}.system(""), 0, ""},
		{"without /proc", System{FS: fstest.MapFS{}, Affinity: files{}.system("0-3").Affinity}, 0, "no-proc"},
	} {
		var kinds []string
		for _, w := range c.sys.Doctor(c.procs).Warnings {
			kinds = append(kinds, w.Kind)
		}
		if got := strings.Join(kinds, " "); got != c.want {
			t.Errorf("%s: warns of %q, want %q", c.name, got, c.want)
		}
	}
}
